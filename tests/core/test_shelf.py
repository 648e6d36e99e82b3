"""Leases in memory end with their creation, with what overtakes it, and at a fork."""

from __future__ import annotations

import threading

import pytest

from beaker.backends.memory import MemoryNamespaceManager
from beaker.cache import Cache
from beaker.exceptions import LockTimeoutError
from beaker.testing._processes import fork, succeeds, thread


@pytest.fixture
def manager(request: pytest.FixtureRequest) -> MemoryNamespaceManager:
    return MemoryNamespaceManager(request.node.name)


def test_one_lease_holds_and_tells_what_the_store_had(
    manager: MemoryNamespaceManager,
) -> None:
    manager["key"] = "before"
    lease, other = manager.lease("key"), manager.lease("key")

    assert lease.acquire()

    assert lease.found.value == "before"
    assert not other.acquire(wait=False)
    with pytest.raises(LockTimeoutError):
        other.acquire(timeout=0.01)


def test_who_waits_is_woken_by_the_release(manager: MemoryNamespaceManager) -> None:
    lease, other = manager.lease("key"), manager.lease("key")
    lease.acquire()
    taken = threading.Event()

    def take() -> None:
        other.acquire()
        taken.set()

    with thread(take):
        assert not taken.wait(0.05)
        lease.release()

    assert taken.is_set()


@pytest.mark.parametrize("overtake", ["store", "discard", "drop"])
def test_what_overtakes_a_creation_lets_the_next_begin(
    manager: MemoryNamespaceManager, overtake: str
) -> None:
    lease, other = manager.lease("key"), manager.lease("key")
    lease.acquire()

    if overtake == "store":
        manager.set_value("key", "after")
    elif overtake == "discard":
        manager.discard("key")
    else:
        manager.drop()

    assert other.acquire(wait=False)
    assert not manager.fill("key", "late", None, lease)


def test_a_child_creates_what_a_thread_of_its_parent_was_creating() -> None:
    cache = Cache("shelf of a parent", type="memory", expire=60)
    began, may_end = threading.Event(), threading.Event()

    def create() -> str:
        began.set()
        may_end.wait()
        return "parent's"

    with thread(lambda: cache.get("key", createfunc=create)):
        began.wait()
        child = fork(lambda: cache.get("key", createfunc=lambda: "own") == "own")
        child_succeeds = succeeds(child)
        may_end.set()

    assert child_succeeds
    assert cache["key"] == "parent's"
