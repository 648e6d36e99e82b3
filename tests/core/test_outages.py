"""A server goes, and comes back: what a cached function costs meanwhile."""

from __future__ import annotations

import logging
import time
from collections.abc import Iterator

import pytest

from beaker.cache import Cache
from beaker.exceptions import StoreUnavailableError
from beaker.hookspecs import hookimpl
from beaker.plugins import register, unregister
from beaker.testing._suite import rounds
from tests.core.callers import eventually
from tests.core.conftest import Calls
from tests.core.served import DEADLINE, EACH, Served, serving


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


@pytest.fixture(scope="module", params=EACH)
def served(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Served]:
    """A server that a test takes away and gives back, and the options of a cache."""
    with serving(request.param, tmp_path_factory.mktemp("outages")) as started:
        yield started


@pytest.fixture
def listener() -> Iterator[Listener]:
    """What is told while the test runs."""
    own = Listener()
    register(own)
    yield own
    unregister(own)


@pytest.mark.parametrize("fault", ["killed", "frozen"])
def test_a_cached_function_waits_once_for_a_store_that_went_and_finds_it_again(
    served: Served,
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
        # It is used again, and then it is told.
        is_told = eventually(lambda: listener.told == ["failed", "back"])

        assert len(set(made)) == 42
        # Each would have taken a deadline, had it waited.
        assert seconds < 40 * DEADLINE / 4
        assert while_away == ["failed"]
        assert is_kept
        assert is_told, listener.told
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


def test_what_needs_the_store_fails_at_once_while_it_is_away(served: Served) -> None:
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
