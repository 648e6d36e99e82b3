"""A forked child goes on, whatever lock a thread of its parent held."""

from __future__ import annotations

import gc
import sys
import threading
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

import beaker.cache
from beaker import listeners
from beaker._locks.filelock import _OpenLocks
from beaker.backends._forks import Undivided, _Forks
from beaker.breaker import breaker_for
from beaker.cache import Cache, CacheManager
from beaker.clients import shared_client
from beaker.plugins import register, unregister
from beaker.synchronization import NameLock, file_synchronizer, mutex_synchronizer
from beaker.testing._processes import PATIENCE, fork, wait_for
from tests.core.callers import SlowCalls, ask
from tests.core.test_legacy import Hashes

pytestmark = pytest.mark.usefixtures("own_registries")

LOCKS = (type(threading.Lock()), type(threading.RLock()))

#: A fork waits for these: they are held for a moment, and for no other lock.
WAITED_FOR = (_OpenLocks, _Forks, Undivided)

ROUNDS = 3


def locks_of_the_core() -> list[Any]:
    """Return all locks that modules and objects of the core refer to."""
    found: dict[int, Any] = {}
    for owner in [*core_modules(), *core_objects()]:
        for held in parts(owner):
            if isinstance(held, LOCKS):
                found[id(held)] = held
    return list(found.values())


def core_modules() -> Iterator[ModuleType]:
    for name, module in list(sys.modules.items()):
        if name == "beaker" or name.startswith("beaker."):
            yield module


def core_objects() -> Iterator[Any]:
    for one in gc.get_objects():
        # Some classes of libraries have something else there than text.
        module = str(type(one).__module__)
        if module.startswith("beaker.") and not isinstance(one, WAITED_FOR):
            yield one


def parts(owner: Any) -> Iterator[Any]:
    """Yield what an object refers to, and what its dictionaries and conditions do."""
    for part in gc.get_referents(owner):
        yield part
        if isinstance(part, dict | threading.Condition):
            for inner in gc.get_referents(part):
                yield inner
                if isinstance(inner, dict | threading.Condition):
                    yield from gc.get_referents(inner)


def use_everything(directory: Path, who: str) -> bool:
    """Do what a web application does with caches; return whether it worked."""
    done = []
    for kind in ("memory", "file", "sqlite", "dbm"):
        manager = CacheManager(type=kind, data_dir=str(directory), expire=60)
        cache = manager.get_cache("shared")
        done.append(cache.get(f"absent {who}", createfunc=lambda: who) == who)
        cache.put(f"put {who}", who)
        cache.remove_value("kept")
        cache.clear()

        @manager.cache(kind, who)
        def load(term: str) -> str:
            return term

        done.append(load("a") == load.refresh("a") == "a")
        load.invalidate("a")
    legacy = Cache("shared", type="hashes", data_dir=str(directory))
    done.append(legacy.get(f"absent {who}", createfunc=lambda: who) == who)
    legacy.put("k", who)
    kept = legacy.values.store.fetch("k")
    done.append(legacy.values.store.replace("k", kept, kept, None))
    return all(done) and use_the_rest(directory, who)


def use_the_rest(directory: Path, who: str) -> bool:
    """Use what caches are made of, under names that the parent uses too."""
    listener = object()
    register(listener)
    unregister(listener)
    listeners.load_listeners()
    breaker = breaker_for("a key", "store of everybody")
    breaker.trip(ConnectionError("gone"), lambda: None)
    shared_client(("a client", who), object, id)
    name = NameLock("a name")
    name.acquire()
    name.release()
    for lock in (
        mutex_synchronizer("a name"),
        file_synchronizer("a name", str(directory / "locks")),
    ):
        lock.acquire_read_lock()
        lock.release_read_lock()
        lock.acquire_write_lock()
        lock.release_write_lock()
    made = threading.Event()
    cache = Cache("shared", expire=60, background=True)
    cache.values.put("old", "old", 60, 1.0)
    cache.values.put("old", "old", 60, cache.values.clock() - 61)
    return cache.get("old", createfunc=made.set) == "old" and made.wait(PATIENCE)


def test_a_child_goes_on_though_a_thread_of_its_parent_held_every_lock(
    tmp_path: Path,
) -> None:
    beaker.cache.clsmap["hashes"] = Hashes
    assert use_everything(tmp_path, "parent")
    held = [
        NameLock("a name"),
        mutex_synchronizer("a name"),
        breaker_for("a key", ""),
        Cache("shared", type="hashes", data_dir=str(tmp_path)),
    ]
    locks = locks_of_the_core()
    holds, may_end = threading.Event(), threading.Event()

    def hold_all() -> None:
        taken = [lock for lock in locks if lock.acquire(blocking=False)]
        holds.set()
        may_end.wait(PATIENCE)
        for lock in taken:
            lock.release()

    holder = threading.Thread(target=hold_all, daemon=True)
    holder.start()
    assert holds.wait(PATIENCE)
    children = [fork(lambda: use_everything(tmp_path, "child")) for _ in range(ROUNDS)]

    assert wait_for(children)
    may_end.set()
    holder.join(PATIENCE)
    assert len(locks) > 10
    assert held


def test_what_the_parent_creates_is_not_held_by_its_child(tmp_path: Path) -> None:
    slow = SlowCalls()
    cache = Cache("things", type="memory")
    creating = ask(cache.get, "k", createfunc=slow)
    assert slow.begun.wait(PATIENCE)

    children = [
        fork(lambda: cache.get("k", createfunc=lambda: "child's") == "child's")
        for _ in range(ROUNDS)
    ]

    assert wait_for(children)
    slow.may_finish.set()
    assert creating.result(PATIENCE) == "value 1"
    assert cache.get("k") == "value 1"
    assert not list(tmp_path.iterdir())
