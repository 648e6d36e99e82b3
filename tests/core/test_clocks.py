"""Clocks that are wrong, or jump: what they may cost, and whom."""

from __future__ import annotations

import ast
import time
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import beaker._locks
from beaker._caching.freshness import CLOCK_SKEW
from beaker._caching.regeneration import ValueStore
from beaker.cache import Cache
from beaker.exceptions import LockTimeoutError
from beaker.protocols import Lease, NamespaceManager
from beaker.stores import Store
from beaker.synchronization import LocalLease

pytestmark = pytest.mark.usefixtures("own_registries")

HOUR, DAY = 3600.0, 86400.0
EXPIRE, GRACE = 60.0, 30.0

#: By how much a clock is set wrong.
JUMPS = st.sampled_from([HOUR, -HOUR, 30 * DAY, -30 * DAY]) | st.floats(
    -40 * DAY, 40 * DAY, allow_nan=False
)


class Server(NamespaceManager):
    """A store with a clock of its own, that is right, and no idea of its users'."""

    unavailable = ()
    expires_natively = True
    shared_between_processes = True

    def __init__(
        self, now: list[float], records: dict[str, tuple[bytes, float]]
    ) -> None:
        super().__init__("clocks")
        self._now, self._records = now, records

    def fetch(self, key: str) -> bytes | None:
        """Return what has not expired by this clock."""
        data, leaves_at = self._records.get(key, (None, 0.0))
        return data if self._now[0] < leaves_at else None

    def store(self, key: str, data: bytes, ttl: float | None) -> None:
        """Keep it for so long by this clock."""
        self._records[key] = data, self._now[0] + (ttl or float("inf"))

    def replace(
        self, key: str, expected: bytes | None, data: bytes, ttl: float | None
    ) -> bool:
        """Compare and set."""
        if self.fetch(key) != expected:
            return False
        self.store(key, data, ttl)
        return True

    def fill(self, key: str, data: bytes, ttl: float | None, lease: Lease) -> bool:
        """Keep it; nobody is invalidated here."""
        self.store(key, data, ttl)
        return lease.token != "broken"

    def lease(self, key: str) -> Lease:
        """Return a lease of this process."""
        return LocalLease(key, None, str, str)


class Process:
    """A process whose clock is off by so much."""

    def __init__(self, server: Server, now: list[float], off: float) -> None:
        self.off, self.made = off, 0
        store = Store.around(server)
        self.values = ValueStore(store, lambda: now[0] + self.off, grace=GRACE)

    def get(self) -> str:
        """Ask for the value."""
        return str(self.values.get("k", self._make, EXPIRE))

    def _make(self) -> str:
        self.made += 1
        return f"by a clock off by {self.off:g}: {self.made}"


class World:
    """A server and the processes that use it."""

    def __init__(self) -> None:
        self.now = [1_800_000_000.0]
        self.server = Server(self.now, {})

    def process(self, off: float = 0) -> Process:
        """Start a process."""
        return Process(self.server, self.now, off)

    def advance(self, seconds: float) -> None:
        """Let time pass, for all."""
        self.now[0] += seconds


@given(off=JUMPS, ages=st.lists(st.floats(0.5, 50), min_size=1, max_size=12))
@settings(deadline=None)
def test_a_clock_that_jumps_harms_nobody_else(off: float, ages: list[float]) -> None:
    world = World()
    right, wrong = world.process(), world.process()
    right.get()
    wrong.off = off

    for age in ages:
        wrong.get()
        right.get()
        world.advance(age)

    # The right one computes as often as if it were alone, and once more for each
    # value that a clock so wrong has stored.
    alone = 1 + sum(ages) / EXPIRE
    assert right.made <= alone + wrong.made
    # Nothing lives longer than it may.
    world.advance(EXPIRE + GRACE + CLOCK_SKEW)
    before = right.made
    right.get()
    assert right.made == before + 1


@given(off=st.floats(CLOCK_SKEW + 1, 40 * DAY))
@settings(deadline=None)
def test_what_a_clock_that_is_ahead_stores_lives_as_long_as_any_other(
    off: float,
) -> None:
    world = World()
    right, ahead = world.process(), world.process(off)
    made = ahead.get()

    assert right.get() == made
    world.advance(EXPIRE - 1)
    assert right.get() == made
    world.advance(GRACE + 2)
    assert right.get() != made


@given(off=st.floats(-40 * DAY, -EXPIRE - GRACE))
@settings(deadline=None)
def test_a_clock_that_is_behind_ends_no_value_of_the_others(off: float) -> None:
    world = World()
    right, behind = world.process(), world.process(off)
    made = right.get()

    for _ in range(5):
        assert behind.get() == made
        assert right.get() == made
        world.advance(1)

    assert (right.made, behind.made) == (1, 0)


@pytest.mark.parametrize("jump", [HOUR, -HOUR, 30 * DAY, -30 * DAY])
def test_a_wait_ends_in_time_whatever_becomes_of_the_clock(
    jump: float, store: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    clock = time.time
    cache = Cache("things", lock_timeout=0.1, **store)
    lease = cache.namespace.lease("k")
    lease.acquire()
    monkeypatch.setattr(time, "time", lambda: clock() + jump)
    began = time.monotonic()

    with pytest.raises(LockTimeoutError, match="held by another"):
        cache.get("k", createfunc=int)

    assert time.monotonic() - began < 30
    lease.release()


def test_no_lock_looks_at_the_clock_of_the_day() -> None:
    package = Path(beaker._locks.__file__).parent
    sources = [*package.glob("*.py"), package.parent / "breaker.py"]
    sources += [package.parent / "_caching" / "background.py"]
    asked = [
        f"{source.name}: {ast.unparse(node)}"
        for source in sources
        for node in ast.walk(ast.parse(source.read_text(encoding="utf-8")))
        if isinstance(node, ast.Attribute) and ast.unparse(node) == "time.time"
    ]

    assert len(sources) > 8
    assert asked == []
