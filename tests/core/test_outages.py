"""A server goes, and comes back: what a cached function costs meanwhile."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from beaker.cache import Cache
from beaker.exceptions import StoreUnavailableError
from beaker.hookspecs import hookimpl
from beaker.plugins import register, unregister
from beaker.testing import KNOWN, MariadbServer, MongoServer, PostgresServer, Server
from beaker.testing._suite import rounds
from tests.core.callers import eventually
from tests.core.conftest import Calls

#: What one operation may take here.
DEADLINE = 0.5


def _known(name: str) -> Callable[[Path], Server]:
    return lambda directory: Server(KNOWN[name], directory)


#: The marker, the wheel, the type of the cache and the server of each store.
STORES: dict[str, tuple[str, str, str, Callable[[Path], Server]]] = {
    "redis": ("redis", "beaker_redis", "ext:redis", _known("redis")),
    "memcached": (
        *("memcached", "beaker_memcached", "ext:memcached"),
        _known("memcached"),
    ),
    "mongodb": ("mongodb", "beaker_mongodb", "ext:mongodb", MongoServer),
    "postgres": ("sqla", "beaker_sqla", "ext:database", PostgresServer),
    "mariadb": ("sqla", "beaker_sqla", "ext:database", MariadbServer),
}


class Listener:
    """Notes when a store goes and comes back."""

    def __init__(self) -> None:
        self.told: list[str] = []

    @hookimpl
    def store_failed(self) -> None:
        """Note that it went."""
        self.told.append("failed")

    @hookimpl
    def store_back(self) -> None:
        """Note that it came back."""
        self.told.append("back")


@pytest.fixture(
    scope="module",
    params=[
        pytest.param(name, marks=getattr(pytest.mark, marker))
        for name, (marker, *_) in STORES.items()
    ],
)
def served(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[tuple[Server, dict[str, Any]]]:
    """A server that a test takes away and gives back, and the options of a cache."""
    _, wheel, kind, make = STORES[request.param]
    pytest.importorskip(wheel, reason="this run has the core alone")
    with make(tmp_path_factory.mktemp("outages") / "server") as server:
        yield server, {"type": kind, "url": server.url, "store_timeout": DEADLINE}


@pytest.fixture
def listener() -> Iterator[Listener]:
    """What is told while the test runs."""
    own = Listener()
    register(own)
    yield own
    unregister(own)


@pytest.mark.parametrize("fault", ["killed", "frozen"])
def test_a_cached_function_waits_once_for_a_store_that_went_and_finds_it_again(
    served: tuple[Server, dict[str, Any]],
    fault: str,
    listener: Listener,
    caplog: pytest.LogCaptureFixture,
) -> None:
    server, options = served
    cache, calls = Cache("things", expire=600, **options), Calls()
    assert eventually(lambda: _keeps(cache, calls))

    for _ in range(rounds()):
        caplog.clear()
        listener.told.clear()
        (server.kill if fault == "killed" else server.freeze)()
        made = [cache.get("k", createfunc=calls) for _ in range(2)]
        began = time.monotonic()
        made += [cache.get("k", createfunc=calls) for _ in range(40)]
        seconds = time.monotonic() - began
        while_away = listener.told.copy()
        (server.start if fault == "killed" else server.thaw)()
        is_kept = eventually(lambda: _keeps(cache, calls))

        assert len(set(made)) == 42
        # Each would have taken a deadline, had it waited.
        assert seconds < 40 * DEADLINE / 4
        assert while_away == ["failed"]
        assert is_kept
        assert listener.told == ["failed", "back"]
        assert [line for line in _told(caplog) if "available" in line or "back" in line]
        assert len(_told(caplog)) == 2


def _keeps(cache: Cache, calls: Calls) -> bool:
    """Return whether what is made is kept."""
    key = f"kept {calls.count}"
    return bool(cache.get(key, createfunc=calls) == cache.get(key, createfunc=calls))


def _told(caplog: pytest.LogCaptureFixture) -> list[str]:
    return [
        record.getMessage()
        for record in caplog.records
        if record.name.startswith("beaker.") and record.levelno >= logging.WARNING
    ]


def test_what_needs_the_store_fails_at_once_while_it_is_away(
    served: tuple[Server, dict[str, Any]],
) -> None:
    server, options = served
    cache, calls = Cache("others", expire=600, **options), Calls()
    assert eventually(lambda: _keeps(cache, calls))
    server.kill()
    cache.get("k", createfunc=Calls())

    for act in (
        lambda: cache.get("k"),
        lambda: cache.put("k", "new"),
        lambda: cache.remove_value("k"),
        cache.clear,
    ):
        with pytest.raises(StoreUnavailableError, match="check that it runs"):
            act()
    server.start()
