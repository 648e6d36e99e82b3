"""Creation locks among processes: one holder, and what becomes of a dead one."""

from __future__ import annotations

import os
import signal
import time

import pytest

from beaker.exceptions import LockTimeoutError
from beaker.testing._processes import fork, program, succeeds, wait_for
from beaker_mongodb import MongoNamespaceManager
from tests.mongodb.conftest import OpenNamespace, Raw, connected

#: Holds a lease until it is killed, or thawed and told to go on.
HOLDER = """
import sys
from beaker_mongodb import MongoNamespaceManager

url, prefix, life = sys.argv[1:]
MongoNamespaceManager.lease_expires_in = float(life)
store = MongoNamespaceManager("namespace", url, prefix=prefix, store_timeout=2)
lease = store.lease("key")
lease.acquire()
print("ready", flush=True)
sys.stdin.readline()
print(store.fill("key", b"from the holder", 60, lease), flush=True)
"""


@pytest.fixture
def brief(monkeypatch: pytest.MonkeyPatch) -> float:
    """Let leases lapse a second after their holder's death."""
    monkeypatch.setattr(MongoNamespaceManager, "lease_expires_in", 1.0)
    return 1.0


def test_one_process_at_a_time_holds_a_lease(
    open_namespace: OpenNamespace, raw: Raw, prefix: str, mongodb_url: str
) -> None:
    inside = {"_id": f"{prefix}inside"}
    raw["counters"].insert_one({**inside, "now": 0, "total": 0})

    def take_turns() -> bool:
        store = open_namespace()
        with connected(mongodb_url) as client:
            counters = client.get_default_database()["counters"]
            for _ in range(10):
                lease = store.lease("key")
                lease.acquire()
                before = counters.find_one_and_update(
                    inside, {"$inc": {"now": 1, "total": 1}}
                )
                counters.update_one(inside, {"$inc": {"now": -1}})
                lease.release()
                if before is None or before["now"]:
                    return False
        return True

    children = [fork(take_turns) for _ in range(8)]

    assert wait_for(children)
    assert raw["counters"].find_one(inside) == {**inside, "now": 0, "total": 80}


def test_a_lease_outlives_its_life_while_its_holder_lives(
    open_namespace: OpenNamespace, brief: float
) -> None:
    store = open_namespace()
    lease = store.lease("key")
    lease.acquire()

    # The server reaps every second what has expired.
    time.sleep(5 * brief)

    assert not open_namespace().lease("key").acquire(wait=False)
    assert store.fill("key", b"data", 60, lease)


@pytest.mark.parametrize("life", ["0.5", "5"])
def test_a_killed_holder_is_replaced_within_the_life_of_its_lease(
    open_namespace: OpenNamespace, mongodb_url: str, prefix: str, life: str
) -> None:
    with program(HOLDER, mongodb_url, prefix, life) as holder:
        os.kill(holder.pid, signal.SIGKILL)
        holder.wait()
        lease = open_namespace().lease("key")

        assert lease.acquire(timeout=float(life) + 0.9)

    lease.release()


@pytest.mark.parametrize("has_follower", [False, True])
def test_a_frozen_holder_cannot_write_after_its_lease_has_lapsed(
    open_namespace: OpenNamespace, mongodb_url: str, prefix: str, has_follower: bool
) -> None:
    store = open_namespace()
    with program(HOLDER, mongodb_url, prefix, "0.5") as holder:
        assert holder.stdin is not None
        assert holder.stdout is not None
        os.kill(holder.pid, signal.SIGSTOP)
        time.sleep(0.6)
        if has_follower:
            lease = store.lease("key")
            assert lease.acquire(timeout=5)
            assert store.fill("key", b"from the follower", 60, lease)

        holder.stdin.write("\n")
        holder.stdin.flush()
        os.kill(holder.pid, signal.SIGCONT)

        assert holder.stdout.readline() == "False\n"
    assert store.fetch("key") == (b"from the follower" if has_follower else None)


def test_a_holder_that_was_replaced_frees_nothing(
    open_namespace: OpenNamespace,
) -> None:
    store, other = open_namespace(), open_namespace(store_timeout=0.3)
    former, present = store.lease("key"), other.lease("key")
    former.acquire()
    store.discard("key")
    assert present.acquire(wait=False)

    former.release()

    assert not store.lease("key").acquire(wait=False)
    assert other.fill("key", b"data", 60, present)


def test_a_lease_that_was_given_back_leaves_a_record_as_it_was(
    open_namespace: OpenNamespace, raw: Raw
) -> None:
    store = open_namespace()
    for key, ttl in (("mortal", 60), ("eternal", None)):
        store.store(key, b"data", ttl)
        before = raw["beaker_cache"].find_one({"_id": store._names.id(key)})
        lease = store.lease(key)
        lease.acquire()
        assert lease.found == b"data"
        lease.release()

        assert raw["beaker_cache"].find_one({"_id": store._names.id(key)}) == before


def test_a_waiter_has_it_soon_after_its_release(open_namespace: OpenNamespace) -> None:
    holder = open_namespace().lease("key")
    holder.acquire()

    def wait_for_it() -> bool:
        lease = open_namespace().lease("key")
        return lease.acquire(timeout=5)

    child = fork(wait_for_it)
    time.sleep(0.3)
    began = time.monotonic()
    holder.release()

    assert succeeds(child)
    assert time.monotonic() - began < 0.5


def test_waiting_ends_in_time(open_namespace: OpenNamespace) -> None:
    lease = open_namespace().lease("key")
    lease.acquire()

    def wait_from_elsewhere() -> bool:
        began = time.monotonic()
        with pytest.raises(LockTimeoutError):
            open_namespace().lease("key").acquire(timeout=0.3)
        return 0.3 <= time.monotonic() - began < 1

    assert succeeds(fork(wait_from_elsewhere))
    lease.release()
