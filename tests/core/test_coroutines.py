"""Coroutine functions: one computation among tasks, threads and processes."""

from __future__ import annotations

import asyncio
import threading
from pathlib import Path
from typing import Any

import pytest

from beaker.cache import Cache, CacheManager
from beaker.testing._clock import Clock
from beaker.testing._processes import PATIENCE, fork, wait_for
from tests.core.callers import SlowCalls, ask, results
from tests.core.conftest import Calls

pytestmark = pytest.mark.usefixtures("own_registries")


async def until_all_wait(loop_turns: int = 20) -> None:
    """Let the other tasks run until they wait."""
    for _ in range(loop_turns):
        await asyncio.sleep(0)


def test_of_many_tasks_one_makes_an_absent_value(store: dict[str, Any]) -> None:
    manager, created = CacheManager(expire=60, **store), []

    @manager.cache()
    async def load(term: str) -> str:
        created.append(term)
        await asyncio.sleep(0.01)
        return f"value {len(created)}"

    async def run() -> list[str]:
        return list(await asyncio.gather(*(load("a") for _ in range(50))))

    assert asyncio.run(run()) == ["value 1"] * 50
    assert created == ["a"]


@pytest.mark.parametrize("kind", ["file", "sqlite", "dbm"])
def test_tasks_threads_and_processes_make_a_value_once(
    kind: str, tmp_path: Path
) -> None:
    ledger, go = tmp_path / "created", tmp_path / "go"

    def load_in_all_ways() -> bool:
        manager = CacheManager(type=kind, data_dir=str(tmp_path / "data"), expire=600)

        def note() -> str:
            with ledger.open("a") as file:
                file.write("x")
            return "made"

        @manager.cache()
        async def load(term: str) -> str:
            await asyncio.sleep(0.05)
            return note() + term

        @manager.cache()
        def load_in_thread(term: str) -> str:
            return note() + term

        own: Any = load
        cache = own._cached_function.cache()
        key = own._cached_function.key_of_call((" it",), {})

        async def run() -> list[str]:
            tasks = [load(" it") for _ in range(8)]
            threads = [
                asyncio.to_thread(cache.get, key, createfunc=lambda: note() + " it")
                for _ in range(4)
            ]
            return list(await asyncio.gather(*tasks, *threads))

        while not go.exists():
            threading.Event().wait(0.001)
        return asyncio.run(run()) == ["made it"] * 12

    children = [fork(load_in_all_ways) for _ in range(4)]
    go.touch()

    assert wait_for(children)
    assert ledger.read_text() == "x"


def test_two_loops_in_two_threads_make_a_value_once(store: dict[str, Any]) -> None:
    manager, created = CacheManager(expire=60, **store), []

    @manager.cache()
    async def load(term: str) -> str:
        created.append(term)
        await asyncio.sleep(0.02)
        return f"value {len(created)}"

    async def run() -> list[str]:
        return list(await asyncio.gather(*(load("a") for _ in range(4))))

    answers = results([ask(asyncio.run, run()) for _ in range(4)])

    assert answers == [["value 1"] * 4] * 4
    assert created == ["a"]


@pytest.mark.parametrize("who", ["the one who began", "one who waits"])
def test_a_cancelled_task_does_not_cost_the_others_their_value(
    store: dict[str, Any], who: str
) -> None:
    manager, created = CacheManager(expire=60, **store), []

    async def run() -> list[str]:
        begun, may_finish = asyncio.Event(), asyncio.Event()

        @manager.cache()
        async def load(term: str) -> str:
            created.append(term)
            begun.set()
            await may_finish.wait()
            return f"value {len(created)}"

        first = asyncio.create_task(load("a"))
        await begun.wait()
        others = [asyncio.create_task(load("a")) for _ in range(4)]
        await until_all_wait()
        cancelled = first if who == "the one who began" else others.pop()
        cancelled.cancel()
        with pytest.raises(asyncio.CancelledError):
            await cancelled
        may_finish.set()
        waiting = others if cancelled is first else [first, *others]
        return [*await asyncio.gather(*waiting), await load("a")]

    assert set(asyncio.run(run())) == {"value 1"}
    assert created == ["a"]


def test_a_creation_that_is_cancelled_itself_is_taken_over(
    store: dict[str, Any],
) -> None:
    manager, created = CacheManager(expire=60, **store), []

    async def run() -> str:
        begun = asyncio.Event()

        @manager.cache()
        async def load(term: str) -> str:
            created.append(term)
            if len(created) == 1:
                begun.set()
                await asyncio.Event().wait()
            return f"value {len(created)}"

        first = asyncio.create_task(load("a"))
        await begun.wait()
        second = asyncio.create_task(load("a"))
        await until_all_wait()
        creations = asyncio.all_tasks() - {asyncio.current_task(), first, second}
        for task in creations:
            task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await first
        return await asyncio.wait_for(second, PATIENCE)

    assert asyncio.run(run()) == "value 2"


def test_a_loop_that_ends_in_the_middle_frees_the_lock(store: dict[str, Any]) -> None:
    manager = CacheManager(expire=60, **store)
    own: list[Any] = []

    async def run() -> None:
        begun = asyncio.Event()

        @manager.cache()
        async def load(term: str) -> str:
            begun.set()
            await asyncio.Event().wait()
            return term

        own.append(load)
        task = asyncio.create_task(load("a"))
        await begun.wait()
        task.cancel()

    asyncio.run(run())
    cache: Cache = own[0]._cached_function.cache()
    lease = cache.namespace.lease(own[0]._cached_function.key_of_call(("a",), {}))

    assert lease.acquire(wait=False)
    lease.release()


def test_a_task_that_is_cancelled_while_it_takes_the_lock_does_not_keep_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    cache = Cache("things", type="file", data_dir=str(tmp_path), expire=60)
    manager = CacheManager(type="file", data_dir=str(tmp_path), expire=60)
    taking, may_take = threading.Event(), threading.Event()
    take = type(cache.values.store).acquire

    def slow(store: Any, lease: Any, **how: Any) -> bool:
        taking.set()
        may_take.wait(PATIENCE)
        return take(store, lease, **how)

    async def run() -> tuple[Any, str]:
        @manager.cache()
        async def load(term: str) -> str:
            return term

        monkeypatch.setattr(type(cache.values.store), "acquire", slow)
        task = asyncio.create_task(load("a"))
        await asyncio.to_thread(taking.wait)
        (flight,) = asyncio.all_tasks() - {asyncio.current_task(), task}
        flight.cancel()
        await until_all_wait()
        may_take.set()
        await asyncio.wait([flight, task])
        return load, "cancelled" if flight.cancelled() else "ran"

    load, outcome = asyncio.run(run())
    monkeypatch.undo()
    own = load._cached_function
    lease = own.cache().namespace.lease(own.key_of_call(("a",), {}))

    assert outcome == "cancelled"
    assert lease.acquire(wait=False)
    lease.release()


def test_what_a_coroutine_raises_is_raised_in_all_who_wait_and_not_kept(
    calls: Calls,
) -> None:
    manager = CacheManager(type="memory", expire=60)

    @manager.cache()
    async def load(term: str) -> str:
        calls(term)
        await asyncio.sleep(0)
        if calls.count == 1:
            raise LookupError(term)
        return term

    async def run() -> tuple[list[Any], str]:
        tasks = (load("a") for _ in range(3))
        return list(await asyncio.gather(*tasks, return_exceptions=True)), await load(
            "a"
        )

    failed, then = asyncio.run(run())
    assert [type(one) for one in failed] == [LookupError] * 3
    assert then == "a"
    assert calls.count == 2


def test_an_expired_value_is_served_to_tasks_while_a_thread_makes_the_new_one(
    clock: Clock, store: dict[str, Any]
) -> None:
    manager = CacheManager(expire=60, **store)

    @manager.cache()
    async def load(term: str) -> str:
        return f"from a task, {term}"

    asyncio.run(load("a"))
    clock.advance(61)
    own: Any = load
    cache, key = (
        own._cached_function.cache(),
        own._cached_function.key_of_call(("a",), {}),
    )
    slow = SlowCalls()
    holder = ask(cache.get, key, createfunc=slow)
    assert slow.begun.wait(PATIENCE)

    async def run() -> list[str]:
        return list(await asyncio.gather(*(load("a") for _ in range(8))))

    assert asyncio.run(run()) == ["from a task, a"] * 8
    slow.may_finish.set()
    assert holder.result(PATIENCE) == "value 1"
