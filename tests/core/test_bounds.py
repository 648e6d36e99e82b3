"""Nothing grows with the number of keys but the store that keeps them."""

from __future__ import annotations

import asyncio
import gc
import os
import threading
import tracemalloc
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from beaker import breaker, clients, legacy, synchronization
from beaker._caching import background, coroutines, creation, functions
from beaker._locks import filelock, kernellocks, leases, renewal
from beaker.backends.memory import MemoryNamespaceManager
from beaker.cache import Cache, CacheManager, cache_managers, cache_region
from beaker.synchronization import NameLock, file_synchronizer, mutex_synchronizer
from tests.core.callers import eventually

pytestmark = pytest.mark.usefixtures("own_registries")

#: How many keys: a few where everybody waits for it, a million at night.
KEYS = [
    pytest.param(2_000, id="a few"),
    pytest.param(1_000_000, id="a million", marks=pytest.mark.faults),
]


def registered() -> dict[str, int]:
    """Return how much each registry of this process holds."""
    gc.collect()
    turns, renewer, crew = leases._turns(), renewal.renewer(), background.crew()
    return {
        "synchronizers": len(synchronization._synchronizers.dict),
        "name locks": len(NameLock.locks.dict),
        "holders": len(turns._holders),
        "waiting": len(turns._queues),
        "renewed": len(renewer._holdings),
        "file locks": len(filelock._open_locks().locks),
        "breakers": len(breaker._breakers),
        "clients": len(clients._clients()._opened),
        "1.x write locks": len(legacy._write_locks.dict),
        "known functions": len(functions._known),
        "tasks": sum(len(flights) for flights in coroutines._flights.values()),
        "background": len(crew._waiting) + len(crew._under_way),
        "creations": len(creation._creating.get()),
    }


def grown(before: dict[str, int]) -> dict[str, int]:
    """Return which registries hold more than before."""
    now = registered()
    return {name: now[name] for name in now if now[name] > before[name]}


def lock_files(directory: Path) -> list[Path]:
    places = [path for path in directory.rglob("*_lock") if path.is_dir()]
    return [file for place in places for file in place.rglob("*")]


def open_files() -> int:
    return len(os.listdir("/proc/self/fd"))


@pytest.mark.parametrize("kind", ["file", "sqlite", "dbm"])
@pytest.mark.parametrize("locks", ["ByteRangeLocks", "WholeFileLocks"])
def test_many_keys_leave_few_lock_files(
    kind: str, locks: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(filelock, "available_locks", getattr(kernellocks, locks))
    cache = Cache("things", type=kind, data_dir=str(tmp_path), expire=60)
    cache.get("first", createfunc=int)
    opened = open_files()

    for number in range(200):
        cache.get(f"key {number}", createfunc=int)

    assert len(lock_files(tmp_path)) <= 2
    assert open_files() <= opened


@pytest.mark.parametrize("keys", KEYS)
def test_locking_many_names_leaves_one_file(keys: int, tmp_path: Path) -> None:
    manager = Cache("things", type="file", data_dir=str(tmp_path)).namespace
    lease = manager.lease("first")
    lease.acquire()
    lease.release()
    before = registered(), open_files()

    for number in range(keys):
        lease = manager.lease(f"key {number}")
        lease.acquire()
        lease.release()
    del lease

    assert len(lock_files(tmp_path)) <= 2
    assert grown(before[0]) == {}
    assert open_files() <= before[1]


def test_what_locks_need_is_forgotten_with_them(
    tmp_path: Path, store: dict[str, Any]
) -> None:
    def use(names: range) -> None:
        manager = CacheManager(expire=60, **store)
        cache = manager.get_cache("things")
        for number in names:
            cache.get(f"key {number}", createfunc=int)
            for lock in (
                NameLock(("name", number)),
                mutex_synchronizer(("name", number)),
                file_synchronizer(f"name {number}", str(tmp_path / "locks")),
            ):
                lock.acquire()
                lock.release()

            @manager.cache(number)
            def load() -> int:
                return 1

            load()

            @manager.cache(number)
            async def load_later() -> int:
                return 1

            asyncio.run(load_later())

    use(range(5))
    before = registered()

    use(range(100, 130))

    assert grown(before) == {}


def test_a_cache_for_each_of_many_places_leaves_no_breaker(tmp_path: Path) -> None:
    def use(numbers: range) -> None:
        for number in numbers:
            place = str(tmp_path / str(number))
            Cache("things", type="file", data_dir=place).get("k", createfunc=int)

    use(range(3))
    before = registered()

    use(range(3, 50))

    assert grown(before) == {}


def test_decorated_functions_that_are_gone_are_forgotten() -> None:
    def use(number: int) -> None:
        def load() -> int:
            return number

        load.__qualname__ = f"load {number}"
        assert cache_region("things")(load).uncached() == number

    use(0)
    before = registered()

    for number in range(1, 50):
        use(number)

    assert grown(before) == {}


@pytest.mark.parametrize("keys", KEYS)
def test_memory_holds_as_many_records_as_it_may(keys: int) -> None:
    cache = Cache("things", expire=600, max_entries=500)
    shelf: Any = MemoryNamespaceManager.namespaces["things"]

    def use(numbers: range) -> None:
        for number in numbers:
            cache.get(f"key {number}", createfunc=object)

    use(range(1000))
    gc.collect()
    tracemalloc.start()
    use(range(1000, 1000 + keys))
    grown, _ = tracemalloc.get_traced_memory()
    tracemalloc.stop()

    assert len(cache.namespace.keys()) == 500  # type: ignore[arg-type]  # a list
    parts = (shelf.leases, shelf.accessed, shelf._leaves_at, shelf._leaving)
    assert all(len(part) <= 500 for part in parts)
    # What 500 records weigh, that replaced those of before, and not what all do.
    assert grown < 500_000


def test_a_read_record_outlives_those_that_nobody_reads() -> None:
    cache = Cache("things", max_entries=100)
    cache.put("read", "here")

    for number in range(1000):
        cache.put(f"key {number}", number)
        assert cache.get("read") == "here"


def test_threads_do_not_grow_with_keys(store: dict[str, Any]) -> None:
    cache = Cache("things", expire=60, background=True, **store)
    allowed = renewal.MAX_THREADS + background.MAX_THREADS

    def ours() -> int:
        return sum(t.name.startswith("beaker") for t in threading.enumerate())

    for number in range(100):
        cache.values.put(f"key {number}", "old", 60, cache.values.clock() - 61)
        cache.get(f"key {number}", createfunc=lambda: "new")

    assert ours() <= allowed
    assert eventually(lambda: not background.crew()._under_way)


@pytest.mark.parametrize("opened", [Cache._get_cache])
def test_open_caches_are_bounded(opened: Callable[..., Cache]) -> None:
    for number in range(2100):
        opened(f"user {number}", {"type": "memory"})

    assert len(cache_managers) == 2000
