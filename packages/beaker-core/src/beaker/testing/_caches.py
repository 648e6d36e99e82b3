"""What the suites about caches share: caches of a test's own, and creators."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any, Protocol

import pytest

import beaker.container
from beaker.cache import Cache
from beaker.container import Value
from beaker.protocols import NamespaceManager
from beaker.testing._clock import Clock
from beaker.testing._processes import PATIENCE, Line, at_once, thread
from beaker.testing._suite import StoreSuite

__all__ = [
    "EXPIRE",
    "CacheTests",
    "OpenCache",
    "create_when_told",
    "creating",
    "put_expired",
    "soon",
]

#: Seconds for which a value is fresh in these tests: longer than any of them takes.
EXPIRE = 600


class OpenCache(Protocol):
    """Opens caches of this test's own."""

    def __call__(self, namespace: str = ..., **more: Any) -> Cache:
        """Return a new one."""


class CacheTests(StoreSuite):
    """What the parts of `RegionSuite` have in common."""

    @pytest.fixture
    def open_cache(self, own_options: Mapping[str, Any]) -> OpenCache:
        """Opens caches of this test's own."""

        def opened(namespace: str = "things", **more: Any) -> Cache:
            return Cache(namespace, **{"expire": EXPIRE, **own_options, **more})

        return opened

    @pytest.fixture
    def cache(self, open_cache: OpenCache) -> Cache:
        """A cache of this test's own."""
        return open_cache()

    @pytest.fixture
    def expiry_clock(self, monkeypatch: pytest.MonkeyPatch) -> Clock:
        """The clock by which values expire; that of the store goes on."""
        stopped = Clock()
        monkeypatch.setattr(beaker.container, "time", stopped)
        return stopped

    @pytest.fixture
    def brief_leases(
        self, backend: type[NamespaceManager], monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """Let leases lapse soon after the death of their holders."""
        monkeypatch.setattr(backend, "lease_expires_in", 0.5)


def put_expired(cache: Cache, key: str, value: Any) -> None:
    """Store a value that expired a second ago, as one who stored it then."""
    then = time.time() - EXPIRE - 1
    Value(key, cache.namespace, expiretime=EXPIRE).set_value(value, then)


def soon(cache: Cache, key: str, value: Any) -> Any:
    """Ask for a key; who has to wait for ever fails the test."""
    return at_once(1, lambda _: cache.get(key, createfunc=lambda: value))[0]


@contextmanager
def creating(cache: Cache, key: str, value: Any) -> Iterator[list[Any]]:
    """Let a thread create a value for as long as the block takes; give its answer."""
    begun, may_finish = threading.Event(), threading.Event()
    answers: list[Any] = []

    def create() -> Any:
        begun.set()
        may_finish.wait(PATIENCE)
        return value

    with thread(lambda: answers.append(cache.get(key, createfunc=create))):
        try:
            assert begun.wait(PATIENCE)
            yield answers
        finally:
            may_finish.set()


def create_when_told(cache: Cache, key: str, line: Line) -> None:
    """Create a value, in another process, when its parent says so."""

    def create() -> str:
        line.say("creating")
        line.hear()
        return "the first one's"

    line.say(cache.get(key, createfunc=create))
    # Killed by its parent: its end shall not give back what it holds.
    line.hear()
