"""Caches of two processes against a simple model of what they promise."""

from __future__ import annotations

import itertools
import tempfile
import time
from collections.abc import Iterator
from typing import Any, ClassVar

import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    precondition,
    rule,
    run_state_machine_as_test,
)

from beaker.backends.memory import MemoryNamespaceManager
from tests.core.actors import (
    CREATING,
    EXPIRE,
    FAILED,
    GRACE,
    TIMED_OUT,
    Actor,
    ProcessActor,
    ThreadActor,
)

pytestmark = pytest.mark.usefixtures("own_registries")

#: How often: a little where everybody waits for it, a lot at night.
EXAMPLES = [
    pytest.param(12, id="a little"),
    pytest.param(400, id="a lot", marks=pytest.mark.faults),
]

#: Seconds for which the lease of a killed process is still there, on a server.
LEASE = 0.3

keys = st.sampled_from(["a", "b"])
actors = st.sampled_from([0, 1])


class Model:
    """What is stored under each key, and who has the right to store what he makes.

    Args:
        waits_for_obsolete: Whom a creation that is no longer wanted keeps waiting:
            "nobody", those of the same "process", or "all" on the machine, because the
            kernel's lock ends with its holder only.
    """

    def __init__(self, waits_for_obsolete: str) -> None:
        self._waits, self.now = waits_for_obsolete, 0.0
        self.obsolete: dict[str, set[int]] = {}
        self.records: dict[str, tuple[str, float]] = {}
        self.leases: dict[str, int] = {}

    def age(self, key: str) -> float:
        """Return for how long a value has been stored."""
        return self.now - self.records[key][1]

    def is_fresh(self, key: str) -> bool:
        """Return whether everybody gets what is stored."""
        return key in self.records and self.age(key) < EXPIRE

    def is_stale(self, key: str) -> bool:
        """Return whether those get it who find another making a new one."""
        return key in self.records and EXPIRE <= self.age(key) < EXPIRE + GRACE

    def keep(self, key: str, value: str) -> None:
        """Store a value: who makes another one began before that."""
        self.records[key] = value, self.now
        self._end(key)

    def forget(self, key: str) -> None:
        """Remove a value: who makes another one began before that."""
        self.records.pop(key, None)
        self._end(key)

    def _end(self, key: str) -> None:
        if key in self.leases:
            self.obsolete.setdefault(key, set()).add(self.leases.pop(key))

    def is_locked(self, key: str, who: int) -> bool:
        """Return whether this one cannot begin to make a value."""
        obsolete = self.obsolete.get(key, set())
        waits = {"nobody": False, "process": who in obsolete, "all": bool(obsolete)}
        return key in self.leases or waits[self._waits]

    def ended(self, key: str, who: int) -> bool:
        """Note that one has ended a creation; return whether he may store it."""
        self.obsolete.get(key, set()).discard(who)
        if self.leases.get(key) != who:
            return False
        del self.leases[key]
        return True

    def answer(self, key: str, who: int) -> str | None:
        """Return what one who asks gets without making it; None: he makes it."""
        if self.is_fresh(key):
            return self.records[key][0]
        if not self.is_locked(key, who):
            return None
        return self.records[key][0] if self.is_stale(key) else TIMED_OUT


class CacheMachine(RuleBasedStateMachine):
    """Two actors use one cache in any order, and the model says what they get."""

    kind: ClassVar[type[ThreadActor | ProcessActor]]
    options: ClassVar[dict[str, Any]]
    lapses_after: ClassVar[float] = 0.0
    waits_for_obsolete: ClassVar[str]
    namespaces: ClassVar[Iterator[int]] = itertools.count()

    @initialize()
    def begin_anew(self) -> None:
        """Start with an empty cache."""
        self.model = Model(self.waits_for_obsolete)
        self.values = (f"value {number}" for number in itertools.count())
        #: What each actor creates.
        self.creating: dict[int, str] = {}
        self.mine = {**self.options, "namespace": f"model {next(self.namespaces)}"}
        self.actors: list[Actor] = [self._start(), self._start()]

    def _start(self) -> Actor:
        return self.kind(self.mine, 1_800_000_000.0 + self.model.now)

    @rule(who=actors, key=keys)
    def get(self, who: int, key: str) -> None:
        """One asks for a value."""
        value, expected = next(self.values), self.model.answer(key, who)

        got = self.actors[who].do("get", key, value)

        assert got == (value if expected is None else expected)
        if expected is None:
            self.model.keep(key, value)

    @rule(who=actors, key=keys)
    def refresh(self, who: int, key: str) -> None:
        """One makes a value anew, unless another is just making it."""
        value, is_made = next(self.values), self.model.is_locked(key, who)

        got = self.actors[who].do("refresh", key, value)

        assert got == (TIMED_OUT if is_made else value)
        if not is_made:
            self.model.keep(key, value)

    @rule(who=actors, key=keys)
    def put(self, who: int, key: str) -> None:
        """One stores a value."""
        value = next(self.values)
        self.actors[who].do("put", key, value)
        self.model.keep(key, value)

    @rule(who=actors, key=keys)
    def remove(self, who: int, key: str) -> None:
        """One removes a value."""
        self.actors[who].do("remove", key)
        self.model.forget(key)

    @rule(who=actors)
    def clear(self, who: int) -> None:
        """One removes all values."""
        self.actors[who].do("clear")
        for key in ("a", "b"):
            self.model.forget(key)

    @rule(seconds=st.sampled_from([1.0, 30.0, EXPIRE, EXPIRE + GRACE]))
    def advance(self, seconds: float) -> None:
        """Time passes, for all."""
        self.model.now += seconds
        for actor in self.actors:
            actor.do("advance", seconds)

    @precondition(lambda self: len(self.creating) < 2)
    @rule(key=keys)
    def begin(self, key: str) -> None:
        """One asks for a value, and if he makes it he takes his time."""
        who = 1 if 0 in self.creating else 0
        expected = self.model.answer(key, who)

        got = self.actors[who].do("begin", key)

        assert got == (CREATING if expected is None else expected)
        if expected is None:
            self.model.leases[key] = who
            self.creating[who] = key

    @precondition(lambda self: self.creating)
    @rule(data=st.data(), raises=st.booleans())
    def finish(self, data: st.DataObject, raises: bool) -> None:
        """One has made his value, or has failed to."""
        who = data.draw(st.sampled_from(sorted(self.creating)))
        key, value = self.creating.pop(who), next(self.values)

        got = self.actors[who].do("finish", LookupError() if raises else value)

        assert got == (FAILED if raises else value)
        if self.model.ended(key, who) and not raises:
            self.model.keep(key, value)

    @rule(who=actors)
    def crash(self, who: int) -> None:
        """One is killed, and another one takes his place."""
        self.actors[who].crash()
        key = self.creating.pop(who, None)
        if key is not None and self.model.ended(key, who):
            time.sleep(self.lapses_after)
        self.actors[who] = self._start()

    @invariant()
    def both_see_what_is_fresh(self) -> None:
        """Whatever one did, the other sees."""
        if not hasattr(self, "actors"):
            return
        for actor in self.actors:
            for key in ("a", "b"):
                assert actor.do("contains", key) == self.model.is_fresh(key)

    def teardown(self) -> None:
        """End both."""
        for actor in getattr(self, "actors", ()):
            actor.close()


def check(machine: type[CacheMachine], examples: int, **members: Any) -> None:
    """Let the actors do this many random stories."""
    how = settings(
        max_examples=examples,
        stateful_step_count=25,
        deadline=None,
        suppress_health_check=list(HealthCheck),
    )
    chosen: Any = type("Chosen", (machine,), members)
    run_state_machine_as_test(chosen, settings=how)


@pytest.mark.parametrize("examples", EXAMPLES)
class TestModel:
    def test_threads_on_memory(self, examples: int) -> None:
        options = {"type": "memory"}
        members = {"kind": ThreadActor, "options": options}
        check(CacheMachine, 5 * examples, waits_for_obsolete="nobody", **members)
        MemoryNamespaceManager.namespaces.clear()

    @pytest.mark.parametrize("kind", ["file", "sqlite", "dbm"])
    def test_processes_on_disk(self, kind: str, examples: int) -> None:
        with tempfile.TemporaryDirectory() as directory:
            # Others may keep the disk busy for long, and that is no outage here.
            options = {"type": kind, "data_dir": directory, "store_timeout": 5}
            members = {"kind": ProcessActor, "options": options}
            check(CacheMachine, examples, waits_for_obsolete="all", **members)

    @pytest.mark.redis
    def test_processes_on_redis(
        self, examples: int, redis_url: str, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        redis = pytest.importorskip(
            "beaker_redis", reason="this run has the core alone"
        )
        monkeypatch.setattr(redis.RedisNamespaceManager, "lease_expires_in", LEASE)
        options = {"type": "ext:redis", "url": redis_url, "store_timeout": 5}
        members = {"kind": ProcessActor, "options": options}
        members |= {"lapses_after": LEASE + 0.05, "waits_for_obsolete": "process"}
        check(CacheMachine, examples, **members)
