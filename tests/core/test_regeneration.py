"""A value is made by one caller, and whatever happens to him the next one can."""

from __future__ import annotations

import asyncio
import logging
import sys
import threading
from collections.abc import Callable
from contextvars import copy_context
from pathlib import Path
from types import FrameType
from typing import Any

import pytest

import beaker.cache
from beaker import stores
from beaker._caching import creation, recordstore, regeneration
from beaker._caching.freshness import CLOCK_SKEW
from beaker._caching.regeneration import ValueStore
from beaker.backends.memory import MemoryNamespaceManager
from beaker.cache import Cache, CacheManager
from beaker.container import Value
from beaker.exceptions import (
    LockTimeoutError,
    RecursiveCreationError,
    StoreRefusedError,
    StoreUnavailableError,
)
from beaker.plugins import register, unregister
from beaker.protocols import Lease
from beaker.records import RecordCodec
from beaker.stores import Store
from beaker.testing._clock import Clock
from beaker.testing._processes import PATIENCE
from tests.core.callers import SlowCalls, ask, results
from tests.core.conftest import Calls

pytestmark = pytest.mark.usefixtures("own_registries")

THREADS = 16


@pytest.fixture
def cache() -> Cache:
    """A cache in memory whose values live for a minute."""
    return Cache("things", expire=60)


# -- many callers


def test_of_many_threads_one_makes_an_absent_value(cache: Cache) -> None:
    create = SlowCalls()

    asked = [ask(cache.get, "k", createfunc=create) for _ in range(THREADS)]
    assert create.begun.wait(PATIENCE)
    create.may_finish.set()
    found = results(asked)

    assert found == ["value 1"] * THREADS
    assert create.count == 1


def test_while_one_makes_an_expired_value_the_others_get_the_old_one(
    cache: Cache, clock: Clock
) -> None:
    create = SlowCalls()
    cache["k"] = "old"
    clock.advance(61)

    creator = ask(cache.get, "k", createfunc=create)
    assert create.begun.wait(PATIENCE)
    others = results(
        [ask(cache.get, "k", createfunc=create) for _ in range(THREADS - 1)]
    )
    create.may_finish.set()

    assert others == ["old"] * (THREADS - 1)
    assert creator.result(PATIENCE) == "value 1"
    assert create.count == 1


def test_a_value_too_old_to_be_served_is_waited_for(cache: Cache, clock: Clock) -> None:
    create = SlowCalls()
    cache["k"] = "old"
    clock.advance(120)

    asked = [ask(cache.get, "k", createfunc=create) for _ in range(2)]
    assert create.begun.wait(PATIENCE)
    create.may_finish.set()

    assert results(asked) == ["value 1"] * 2


def test_a_value_older_than_starttime_is_not_served_meanwhile(
    cache: Cache, clock: Clock
) -> None:
    create = SlowCalls()
    cache["k"] = "old"
    clock.advance(61)

    asked = [
        ask(cache.get, "k", createfunc=create, starttime=clock.now) for _ in range(2)
    ]
    assert create.begun.wait(PATIENCE)
    create.may_finish.set()

    assert results(asked) == ["value 1"] * 2


def test_the_old_value_is_served_for_as_long_as_the_option_grace_says(
    clock: Clock,
) -> None:
    cache = Cache("graceful", expire=60, grace="10")
    cache["k"] = "old"
    served = []

    def ask_meanwhile() -> str:
        served.append(ask(cache.get, "k", createfunc=str).result(1))
        return "new"

    clock.advance(69)
    cache.get("k", createfunc=ask_meanwhile)

    assert served == ["old"]


def test_those_who_waited_for_a_creation_that_failed_make_it_themselves(
    cache: Cache,
) -> None:
    create = SlowCalls()

    def fail() -> str:
        create()
        raise LookupError

    creator = ask(cache.get, "k", createfunc=fail)
    assert create.begun.wait(PATIENCE)
    waiter = ask(cache.get, "k", createfunc=lambda: "mine")
    create.may_finish.set()

    assert waiter.result(PATIENCE) == "mine"
    assert isinstance(creator.exception(PATIENCE), LookupError)


def test_keys_are_made_independently_of_each_other(cache: Cache) -> None:
    both_run = threading.Barrier(2)

    def create() -> int:
        return both_run.wait(PATIENCE)

    asked = [ask(cache.get, key, createfunc=create) for key in "ab"]

    assert sorted(results(asked)) == [0, 1]


def test_two_threads_nest_different_keys_without_waiting_for_a_third(
    cache: Cache,
) -> None:
    both_run = threading.Barrier(2)

    def nest(outer: str, inner: str) -> Any:
        def create() -> Any:
            both_run.wait(PATIENCE)
            return cache.get(inner, createfunc=lambda: inner)

        return cache.get(outer, createfunc=create)

    asked = [ask(nest, "a", "b1"), ask(nest, "b", "a1")]

    assert results(asked) == ["b1", "a1"]


@pytest.mark.parametrize("kind", ["remove", "put", "clear"])
def test_what_was_begun_before_an_invalidation_is_not_stored_after_it(
    cache: Cache, kind: str
) -> None:
    invalidate: dict[str, Callable[[], object]] = {
        "remove": lambda: cache.remove_value("k"),
        "put": lambda: cache.put("k", "put meanwhile"),
        "clear": cache.clear,
    }

    def create() -> str:
        invalidate[kind]()
        return "outdated"

    assert cache.get("k", createfunc=create) == "outdated"
    expected = "put meanwhile" if kind == "put" else "made anew"
    assert cache.get("k", createfunc=lambda: "made anew") == expected


def test_one_who_does_not_want_to_wait_for_ever_is_told(cache: Cache) -> None:
    impatient = ValueStore(cache.values.store, lambda: 0.0, acquire_timeout=0.01)
    create = SlowCalls()

    ask(cache.get, "k", createfunc=create)
    assert create.begun.wait(PATIENCE)
    with pytest.raises(LockTimeoutError, match=r"held by another for 0\.01"):
        impatient.get("k", lambda: "mine")
    create.may_finish.set()


# -- values within values


def test_a_creator_that_asks_for_its_own_value_is_told(cache: Cache) -> None:
    def create() -> Any:
        return cache.get("k", createfunc=create)

    with pytest.raises(RecursiveCreationError, match=r"'k' of namespace 'things'"):
        cache.get("k", createfunc=create)
    assert cache.get("k", createfunc=lambda: "made") == "made"


def test_a_creator_that_asks_for_its_own_expired_value_gets_the_old_one(
    cache: Cache, clock: Clock
) -> None:
    cache["k"] = 1
    clock.advance(61)

    new = cache.get("k", createfunc=lambda: cache.get("k", createfunc=int) + 1)

    assert new == 2


def test_a_decorated_function_may_call_itself_with_other_arguments() -> None:
    @CacheManager(type="memory").cache()
    def factorial(number: int) -> int:
        return number * factorial(number - 1) if number else 1

    assert factorial(20) == 2432902008176640000


def test_one_key_may_be_made_from_the_same_key_of_another_store(tmp_path: Path) -> None:
    near, far = Cache("things"), Cache("things", type="file", data_dir=str(tmp_path))

    def create() -> Any:
        return far.get("k", createfunc=lambda: "from afar")

    assert near.get("k", createfunc=create) == "from afar"
    assert (near["k"], far["k"]) == ("from afar", "from afar")


def test_a_task_that_a_creator_began_may_ask_for_what_it_made() -> None:
    tasks: list[asyncio.Task[str]] = []

    @CacheManager(type="memory").cache(expire=0)
    async def load() -> str:
        if not tasks:
            tasks.append(asyncio.create_task(ask_later()))
        return "made"

    async def ask_later() -> str:
        await created.wait()
        return await load()

    async def main() -> list[str]:
        first = await load()
        created.set()
        return [first, await tasks[0]]

    created = asyncio.Event()
    assert asyncio.run(main()) == ["made", "made"]


# -- failures and interruptions


@pytest.mark.parametrize(
    "error", [LookupError("mine"), KeyboardInterrupt(), SystemExit(3), StopIteration(5)]
)
def test_what_a_creator_raises_is_the_callers(
    cache: Cache, error: BaseException
) -> None:
    def fail() -> None:
        raise error from ValueError("why")

    with pytest.raises(type(error)) as caught:
        cache.get("k", createfunc=fail)

    assert caught.value is error
    assert isinstance(error.__cause__, ValueError)
    again = ask(cache.get, "k", createfunc=lambda: "made")
    assert again.result(PATIENCE) == "made"


class InterruptAt:
    """Raises KeyboardInterrupt at the n-th line that these modules run."""

    MODULES = (creation, recordstore, regeneration, stores)
    FILES = tuple(module.__file__ for module in MODULES)

    def __init__(self, line: int) -> None:
        self.left, self.armed = line, True

    def __call__(self, frame: FrameType, event: str, _argument: Any) -> Any:
        """Count one line."""
        if frame.f_code.co_filename not in self.FILES:
            return None
        if event == "line" and self.armed:
            self.left -= 1
            if not self.left:
                self.armed = False
                raise KeyboardInterrupt
        return self


class Watched(Lease):
    """A lease that tells whether it is held; taking and freeing are not interrupted."""

    def __init__(self) -> None:
        self.token, self.is_held = "token", False

    def acquire(self, wait: bool = True, timeout: float | None = None) -> bool:
        """Take it."""
        self.is_held = wait is not None and timeout is None
        return True

    def release(self) -> None:
        """Free it."""
        self.is_held = False


def test_an_interrupt_at_any_line_frees_the_lease() -> None:
    create, before = Calls(), sys.gettrace()
    freed = 0
    for line in range(1, 1000):
        watched = Watched()
        interrupt = InterruptAt(line)
        manager = MemoryNamespaceManager(f"interrupted at {line}")
        manager.lease = lambda _key, lease=watched: lease  # type: ignore[method-assign, misc]
        values, context = ValueStore(Store.around(manager), lambda: 0.0), copy_context()
        sys.settrace(interrupt)
        try:
            context.run(values.get, "k", create)
        except KeyboardInterrupt:
            freed += 1
        finally:
            sys.settrace(before)
        assert not watched.is_held, f"interrupted at line {line}"
        is_creating = context.run(creation.is_creating, values, "k")
        assert not is_creating, f"interrupted at line {line}"
        if interrupt.armed:
            break
    else:
        pytest.fail("no line is the last one")

    assert freed > 60


# -- stores that fail or refuse, records that are damaged


class BytesInMemory(MemoryNamespaceManager):
    """A store of bytes whose faults a test chooses."""

    holds_objects = False
    refuses = False

    def fill(self, key: str, data: Any, ttl: float | None, lease: Lease) -> bool:
        """Refuse, if so chosen."""
        if self.refuses:
            raise StoreRefusedError("bytes", "it is full", "empty it")
        return super().fill(key, data, ttl, lease)


@pytest.fixture
def bytes_cache() -> Cache:
    """A cache whose records are bytes in this process."""
    beaker.cache.clsmap["bytes"] = BytesInMemory
    return Cache("bytes", type="bytes", expire=60)


def test_a_store_that_refuses_costs_the_caching_not_the_value(
    bytes_cache: Cache, caplog: pytest.LogCaptureFixture
) -> None:
    bytes_cache.namespace.refuses = True  # type: ignore[attr-defined]

    assert bytes_cache.get("k", createfunc=lambda: "made") == "made"

    assert "store bytes refused: it is full; empty it" in caplog.text
    assert "k" not in bytes_cache


@pytest.mark.parametrize("damaged", [b"", b"junk", b"\xbeK\x02" + b"\xff" * 40])
def test_a_damaged_record_is_a_miss_and_the_next_one_replaces_it(
    bytes_cache: Cache, damaged: bytes, caplog: pytest.LogCaptureFixture
) -> None:
    bytes_cache["neighbour"] = "well"
    bytes_cache.namespace.store("k", damaged, None)

    assert "k" not in bytes_cache
    with pytest.raises(KeyError):
        bytes_cache["k"]
    assert bytes_cache.get("k", createfunc=lambda: "made") == "made"
    assert (bytes_cache["k"], bytes_cache["neighbour"]) == ("made", "well")
    assert "bytes: 'k' counts as missing: not a readable record" in caplog.text


def test_a_damaged_record_can_be_put_over_and_removed(bytes_cache: Cache) -> None:
    bytes_cache.namespace.store("a", b"junk", None)
    bytes_cache.namespace.store("b", b"junk", None)

    bytes_cache["a"] = 1
    del bytes_cache["b"]

    assert bytes_cache["a"] == 1
    assert bytes_cache.namespace.fetch("b") is None


def test_a_record_from_the_future_counts_from_now_on(
    bytes_cache: Cache, clock: Clock
) -> None:
    ahead = RecordCodec().encode("k", 60, clock.now + 3600)
    bytes_cache.namespace.store("k", ahead, None)

    assert bytes_cache["k"] == "k"
    clock.advance(59)
    assert "k" in bytes_cache
    clock.advance(1)
    assert "k" not in bytes_cache


def test_clocks_may_differ_a_little(bytes_cache: Cache, clock: Clock) -> None:
    ahead = RecordCodec().encode("k", 60, clock.now + CLOCK_SKEW)
    bytes_cache.namespace.store("k", ahead, None)

    assert bytes_cache["k"] == "k"
    assert bytes_cache.namespace.fetch("k") == ahead


def test_a_record_from_the_future_is_served_though_it_cannot_be_rewritten(
    bytes_cache: Cache, clock: Clock
) -> None:
    class Away(BytesInMemory):
        unavailable = (TimeoutError,)

        def replace(self, *_arguments: Any) -> bool:
            raise TimeoutError

    beaker.cache.clsmap["away"] = Away
    cache = Cache("bytes", type="away")
    ahead = RecordCodec().encode("k", 60, clock.now + 3600)
    bytes_cache.namespace.store("k", ahead, None)

    assert cache["k"] == "k"


def test_a_value_that_expires_before_it_is_stored_is_not_stored(
    cache: Cache,
) -> None:
    value = Value("k", cache.namespace, lambda: 1, expiretime=-5)

    value.set_value("put")
    assert not value.has_value()
    assert value.get_value() == 1
    assert not value.has_value()


def test_errors_of_the_creator_are_no_errors_of_the_store(cache: Cache) -> None:
    def fail() -> None:
        raise StoreUnavailableError("another store", "down", "wait")

    with pytest.raises(StoreUnavailableError, match="another store"):
        cache.get("k", createfunc=fail)
    assert cache.get("k", createfunc=lambda: "made") == "made"


# -- what listeners may do


def test_a_listener_may_ask_for_the_value_that_was_made(cache: Cache) -> None:
    from beaker.hookspecs import hookimpl

    class Curious:
        asked: list[Any] = []  # noqa: RUF012 - gone with the test

        @hookimpl
        def value_created(self, key: str) -> None:
            self.asked.append(cache.get(key, createfunc=lambda: "made twice"))

    listener = Curious()
    register(listener)
    try:
        cache.get("k", createfunc=lambda: "made")
    finally:
        unregister(listener)

    assert listener.asked == ["made"]


def test_reading_tells_nothing_where_nobody_listens(
    cache: Cache, caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level(logging.DEBUG):
        cache.get("k", createfunc=lambda: "made")
        cache.get("k")

    assert caplog.records == []
