"""Values made anew in the background, those that are waited for, and for how long."""

from __future__ import annotations

import asyncio
import logging
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest

from beaker._caching import background, coroutines
from beaker._caching.background import Crew
from beaker.cache import Cache, CacheManager, cache_region, cache_regions
from beaker.exceptions import LockTimeoutError
from beaker.hookspecs import hookimpl
from beaker.plugins import register, unregister
from beaker.testing._clock import Clock
from beaker.testing._processes import PATIENCE, fork, program, succeeds
from beaker.util import parse_cache_config_options
from tests.core.callers import SlowCalls, ask, results
from tests.core.conftest import Calls

pytestmark = pytest.mark.usefixtures("own_registries")


@pytest.fixture
def crew(monkeypatch: pytest.MonkeyPatch) -> Iterator[Crew]:
    """The threads in the background, of this test alone."""
    own = Crew()
    monkeypatch.setattr(background, "crew", lambda: own)
    yield own
    own.end()


def in_background(store: dict[str, Any]) -> Cache:
    return Cache("things", expire=60, background=True, **store)


class Listener:
    """Notes what it is told about values."""

    def __init__(self) -> None:
        self.reads: list[str] = []
        self.failures: list[tuple[str, str, str]] = []
        self.created = 0

    @hookimpl
    def value_read(self, outcome: str) -> None:
        """Note how a reading ended."""
        self.reads.append(outcome)

    @hookimpl
    def value_created(self) -> None:
        """Count it."""
        self.created += 1

    @hookimpl
    def creation_failed(self, namespace: str, key: str, error: Exception) -> None:
        """Note what failed."""
        self.failures.append((namespace, key, str(error)))


@contextmanager
def listening() -> Iterator[Listener]:
    listener = Listener()
    register(listener)
    try:
        yield listener
    finally:
        unregister(listener)


# -- background=True


def test_nobody_waits_for_a_value_that_is_made_in_the_background(
    store: dict[str, Any], clock: Clock, crew: Crew
) -> None:
    cache, create = in_background(store), SlowCalls()
    cache.put("k", "old")
    clock.advance(61)

    served = [cache.get("k", createfunc=create) for _ in range(8)]
    assert create.begun.wait(PATIENCE)
    served += results([ask(cache.get, "k", createfunc=create) for _ in range(8)])

    assert served == ["old"] * 16
    create.may_finish.set()
    crew.end(PATIENCE)
    assert cache.get("k") == "value 1"
    assert create.count == 1


def test_an_absent_value_is_made_by_who_asks_for_it(
    store: dict[str, Any], crew: Crew, calls: Calls
) -> None:
    cache = in_background(store)

    assert cache.get("k", createfunc=calls) == "value 1"
    assert crew._threads == 0


def test_what_a_creator_raises_in_the_background_is_told_and_frees_the_lock(
    clock: Clock, crew: Crew, caplog: pytest.LogCaptureFixture
) -> None:
    cache = in_background({})
    cache.put("k", "old")
    clock.advance(61)
    told = threading.Event()

    def fail() -> str:
        told.set()
        raise LookupError("no gophers")

    with listening() as listener, caplog.at_level(logging.WARNING, "beaker.cache"):
        assert cache.get("k", createfunc=fail) == "old"
        assert told.wait(PATIENCE)
        crew.end(PATIENCE)

    assert listener.failures == [("things", "k", "no gophers")]
    assert listener.reads == ["stale"]
    assert [record.getMessage() for record in caplog.records] == [
        "things: 'k' is not made anew in the background"
    ]
    assert cache.get("k", createfunc=lambda: "x") == "old"
    assert cache.namespace.lease("k").acquire(wait=False)


def test_the_background_has_few_threads_and_a_short_queue(
    monkeypatch: pytest.MonkeyPatch, crew: Crew
) -> None:
    monkeypatch.setattr(background, "MAX_WAITING", 10)
    may_finish, begun = threading.Event(), threading.Semaphore(0)

    def job() -> None:
        begun.release()
        may_finish.wait(PATIENCE)

    first = [crew.ask(n, job) for n in range(background.MAX_THREADS)]
    for _ in first:
        assert begun.acquire(timeout=PATIENCE)
    more = [crew.ask(100 + n, job) for n in range(50)]

    assert all(first)
    assert crew._threads == background.MAX_THREADS
    assert sum(more) == 10
    assert not crew.ask(0, job)
    may_finish.set()


def test_a_job_that_ends_its_thread_elsewhere_does_not_here(crew: Crew) -> None:
    def leave() -> None:
        raise SystemExit

    done = threading.Event()
    for number in range(2 * background.MAX_THREADS):
        crew.ask(number, leave)

    crew.ask("last", done.set)

    assert done.wait(PATIENCE)


def test_idle_threads_of_the_background_end(
    monkeypatch: pytest.MonkeyPatch, crew: Crew
) -> None:
    monkeypatch.setattr(background, "LINGER", 0.01)
    done = threading.Event()
    crew.ask("job", done.set)
    assert done.wait(PATIENCE)

    for thread in threading.enumerate():
        if thread.name == "beaker-background":
            thread.join(PATIENCE)

    assert crew._threads == 0


def test_a_forked_child_has_a_background_of_its_own(clock: Clock) -> None:
    cache, slow = in_background({}), SlowCalls()
    cache.put("mine", "old")
    cache.put("its", "old")
    clock.advance(61)
    cache.get("mine", createfunc=slow)
    assert slow.begun.wait(PATIENCE)

    def child() -> bool:
        made = threading.Event()
        served = cache.get("its", createfunc=made.set)
        return served == "old" and made.wait(PATIENCE)

    assert succeeds(fork(child))
    slow.may_finish.set()


def test_the_end_of_a_program_waits_for_its_background_but_not_for_ever() -> None:
    code = """
import threading, time
from beaker import container
from beaker._caching import background
from beaker.cache import Cache
background.PATIENCE_AT_EXIT = 0.2
background.Crew.end.__defaults__ = (0.2,)
cache = Cache("things", expire=60, background=True)
for key in ("quick", "slow"):
    cache.values.put(key, "old", 60, time.time() - 61)
begun = threading.Event()
def quick():
    begun.wait()
    time.sleep(0.05)
    print("made", flush=True)
def slow():
    begun.set()
    threading.Event().wait()
cache.get("quick", createfunc=quick)
cache.get("slow", createfunc=slow)
begun.wait()
print("ready", flush=True)
"""
    with program(code) as process:
        assert process.stdout is not None
        assert process.wait(PATIENCE) == 0
        assert process.stdout.read() == "made\n"


def test_tasks_are_served_the_stale_value_while_another_makes_the_new_one(
    store: dict[str, Any], clock: Clock
) -> None:
    manager, created = CacheManager(expire=60, background=True, **store), []

    async def run() -> tuple[list[str], str]:
        may_finish, begun = asyncio.Event(), asyncio.Event()

        @manager.cache()
        async def load(term: str) -> str:
            created.append(term)
            if len(created) > 1:
                begun.set()
                await may_finish.wait()
            return f"{term} {len(created)}"

        await load("gopher")
        clock.advance(61)
        served = list(await asyncio.gather(*(load("gopher") for _ in range(8))))
        await begun.wait()
        served.append(await load("gopher"))
        may_finish.set()
        (flight,) = coroutines._flights[asyncio.get_running_loop()].values()
        await flight
        return served, await load("gopher")

    assert asyncio.run(run()) == (["gopher 1"] * 9, "gopher 2")
    assert len(created) == 2


def test_what_a_coroutine_raises_in_the_background_is_told(
    clock: Clock, caplog: pytest.LogCaptureFixture
) -> None:
    manager = CacheManager(expire=60, background=True, type="memory")
    attempts = 0

    async def run() -> str:
        @manager.cache()
        async def load() -> str:
            nonlocal attempts
            attempts += 1
            if attempts > 1:
                raise LookupError("no gophers")
            return "old"

        await load()
        clock.advance(61)
        served = await load()
        (flight,) = coroutines._flights[asyncio.get_running_loop()].values()
        await flight
        return served

    with listening() as listener, caplog.at_level(logging.WARNING, "beaker.cache"):
        assert asyncio.run(run()) == "old"

    assert [failure[2] for failure in listener.failures] == ["no gophers"]
    assert "is not made anew in the background" in caplog.text


def test_a_loop_makes_a_bounded_number_of_values_in_the_background(
    clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(coroutines, "MAX_IN_BACKGROUND", 3)
    manager = CacheManager(expire=60, background=True, type="memory")

    async def run() -> int:
        may_finish, is_first = asyncio.Event(), True

        @manager.cache()
        async def load(number: int) -> int:
            if not is_first:
                await may_finish.wait()
            return number

        for number in range(10):
            await load(number)
        clock.advance(61)
        is_first = False
        for number in range(10):
            assert await load(number) == number
        flights = len(coroutines._flights[asyncio.get_running_loop()])
        may_finish.set()
        return flights

    assert asyncio.run(run()) == 3


# -- stale=False


def test_who_takes_no_stale_value_waits_for_the_new_one(
    store: dict[str, Any], clock: Clock
) -> None:
    cache, create = Cache("things", expire=60, stale=False, **store), SlowCalls()
    cache.put("k", "old")
    clock.advance(61)
    callers = [ask(cache.get, "k", createfunc=create) for _ in range(4)]
    assert create.begun.wait(PATIENCE)

    assert not any(caller.done() for caller in callers)
    create.may_finish.set()

    assert results(callers) == ["value 1"] * 4
    assert create.count == 1


# -- lock_timeout


def test_who_waits_for_another_gets_an_error_in_time(store: dict[str, Any]) -> None:
    cache, create = Cache("things", lock_timeout=0.05, **store), SlowCalls()
    holder = ask(cache.get, "k", createfunc=create)
    assert create.begun.wait(PATIENCE)

    with pytest.raises(LockTimeoutError, match="'k' was held by another"):
        cache.get("k", createfunc=create)

    create.may_finish.set()
    assert holder.result(PATIENCE) == "value 1"
    assert cache.get("k", createfunc=create) == "value 1"


def test_a_stale_value_is_served_whatever_the_timeout_of_the_lock(
    clock: Clock,
) -> None:
    cache, create = Cache("things", expire=60, lock_timeout=0), SlowCalls()
    cache.put("k", "old")
    clock.advance(61)
    holder = ask(cache.get, "k", createfunc=create)
    assert create.begun.wait(PATIENCE)

    assert cache.get("k", createfunc=create) == "old"
    create.may_finish.set()
    assert holder.result(PATIENCE) == "value 1"


@pytest.mark.parametrize("held_by", ["a task", "a thread"])
def test_a_task_that_waits_for_another_gets_an_error_in_time(
    store: dict[str, Any], held_by: str
) -> None:
    manager = CacheManager(lock_timeout=0.05, **store)

    async def run() -> str:
        may_finish, begun = asyncio.Event(), asyncio.Event()

        @manager.cache()
        async def load(term: str) -> str:
            begun.set()
            await may_finish.wait()
            return term

        key = load._cached_function.key_of_call(("k",), {})  # type: ignore[attr-defined]
        own = load._cached_function.cache()  # type: ignore[attr-defined]
        slow = SlowCalls()
        if held_by == "a task":
            first: Any = asyncio.ensure_future(load("k"))
            await begun.wait()
        else:
            first = ask(own.get, key, createfunc=slow)
            await asyncio.to_thread(slow.begun.wait)
        with pytest.raises(LockTimeoutError, match="'k' was held by another"):
            await load("k")
        may_finish.set()
        slow.may_finish.set()
        if held_by == "a task":
            return str(await first)
        return str(await asyncio.wrap_future(first))

    assert asyncio.run(run()) in ("k", "value 1")


# -- how the options are given


def test_the_options_are_read_from_a_configuration() -> None:
    options = {
        "cache.regions": "patient, hasty",
        "cache.type": "memory",
        "cache.expire": "60",
        "cache.lock_timeout": "2.5",
        "cache.patient.stale": "false",
        "cache.hasty.background": "true",
        "cache.hasty.grace": "10",
    }
    manager = CacheManager(**parse_cache_config_options(options))
    patient = manager.get_cache_region("things", "patient").values
    hasty = manager.get_cache_region("others", "hasty").values

    assert (patient.acquire_timeout, hasty.acquire_timeout) == (2.5, 2.5)
    assert (patient.background, hasty.background) == (False, True)
    assert patient._freshness.ttl(60) == 60
    assert hasty._freshness.ttl(60) == 70


def test_a_decorator_overrides_its_region(calls: Calls, clock: Clock) -> None:
    @cache_region("later", grace=5, expire=10)
    def load() -> str:
        return calls()

    cache_regions["later"] = {"type": "memory", "expire": 60}
    load()
    clock.advance(11)

    own = load._cached_function.cache()  # type: ignore[attr-defined]
    assert own.expiretime == 10
    assert own.values._freshness.ttl(10) == 15
    assert load() == "value 2"
