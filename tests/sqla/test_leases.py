"""Creation locks among processes: one holder, and what becomes of a dead one."""

from __future__ import annotations

import os
import signal
import time

import pytest

from beaker.exceptions import LockTimeoutError
from beaker.testing._processes import fork, program, succeeds, thread, wait_for
from beaker_sqla import DatabaseNamespaceManager
from beaker_sqla.leases import SqlLease
from tests.sqla.conftest import PATIENT, OpenNamespace

#: Holds a lease until it is killed, or thawed and told to go on.
HOLDER = """
import sys
from beaker_sqla import DatabaseNamespaceManager

url, prefix, life = sys.argv[1:]
DatabaseNamespaceManager.lease_expires_in = float(life)
store = DatabaseNamespaceManager("namespace", url, prefix=prefix, store_timeout=10)
lease = store.lease("key")
lease.acquire()
print("ready", flush=True)
sys.stdin.readline()
print(store.fill("key", b"from the holder", 60, lease), flush=True)
"""


@pytest.fixture
def brief(monkeypatch: pytest.MonkeyPatch) -> float:
    """Let leases lapse a second after their holder's death."""
    monkeypatch.setattr(DatabaseNamespaceManager, "lease_expires_in", 1.0)
    return 1.0


def test_one_process_at_a_time_holds_a_lease(open_namespace: OpenNamespace) -> None:
    rounds = 10

    def take_turns() -> bool:
        store, inside = open_namespace(), open_namespace("inside")
        for _ in range(rounds):
            lease = store.lease("key")
            lease.acquire()
            # Who is alone finds nothing, and what he counts is counted.
            alone = inside.replace("inside", None, b"me", None)
            turns = int(inside.fetch("turns") or 0)
            inside.store("turns", b"%d" % (turns + 1), None)
            alone = inside.discard("inside") and alone
            lease.release()
            if not alone:
                return False
        return True

    assert wait_for(fork(take_turns) for _ in range(8))
    assert open_namespace("inside").fetch("turns") == b"%d" % (8 * rounds)


def test_a_lease_outlives_its_life_while_its_holder_lives(
    open_namespace: OpenNamespace, brief: float
) -> None:
    store = open_namespace()
    lease = store.lease("key")
    lease.acquire()

    time.sleep(3 * brief)

    assert succeeds(fork(lambda: not store.lease("key").acquire(wait=False)))
    assert store.fill("key", b"data", 60, lease)


def test_a_killed_holder_is_replaced_within_the_life_of_its_lease(
    open_namespace: OpenNamespace, url: str, prefix: str
) -> None:
    with program(HOLDER, url, prefix, "0.5") as holder:
        os.kill(holder.pid, signal.SIGKILL)
        holder.wait()
        lease = open_namespace().lease("key")

        assert lease.acquire(timeout=1.4)

    lease.release()


def test_a_lease_usually_lives_for_seconds(postgres_url: str, prefix: str) -> None:
    life = DatabaseNamespaceManager.lease_expires_in
    with program(HOLDER, postgres_url, prefix, str(life)) as holder:
        os.kill(holder.pid, signal.SIGKILL)
        holder.wait()
        store = DatabaseNamespaceManager("namespace", postgres_url, prefix=prefix)
        lease = store.lease("key")

        assert lease.acquire(timeout=10)

    lease.release()


@pytest.mark.parametrize("has_follower", [False, True])
def test_a_frozen_holder_cannot_write_after_its_lease_has_lapsed(
    open_namespace: OpenNamespace, url: str, prefix: str, has_follower: bool
) -> None:
    store = open_namespace()
    with program(HOLDER, url, prefix, "0.5") as holder:
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
    # Of another deadline, it has connections and a place in the queue of its own.
    store, other = open_namespace(), open_namespace(store_timeout=PATIENT + 1)
    former, present = store.lease("key"), other.lease("key")
    former.acquire()
    store.discard("key")
    assert present.acquire(wait=False)

    former.release()

    assert not store.lease("key").acquire(wait=False)
    assert other.fill("key", b"data", 60, present)


def test_taking_a_lease_does_not_touch_the_record(
    open_namespace: OpenNamespace,
) -> None:
    store = open_namespace()
    store.store("key", b"stale", None)
    lease = store.lease("key")

    lease.acquire()
    assert store.fetch("key") == b"stale"
    lease.release()

    assert store.fetch("key") == b"stale"
    assert list(store.keys()) == ["key"]


def test_who_waits_looks_and_does_not_write(
    open_namespace: OpenNamespace, monkeypatch: pytest.MonkeyPatch
) -> None:
    tries: list[SqlLease] = []
    take = SqlLease.take

    def noted(lease: SqlLease) -> bool:
        tries.append(lease)
        return take(lease)

    monkeypatch.setattr(SqlLease, "take", noted)
    holder = open_namespace().lease("key")
    holder.acquire()
    waiter = open_namespace(store_timeout=PATIENT + 1).lease("key")
    with thread(waiter.acquire):
        time.sleep(0.4)
        tried_before = tries.count(waiter)  # type: ignore[arg-type]  # it is one
        holder.release()

    assert tried_before == 1
    assert tries.count(waiter) == 2  # type: ignore[arg-type]  # it is one
    waiter.release()


def test_waiting_ends_in_time(open_namespace: OpenNamespace) -> None:
    lease = open_namespace().lease("key")
    lease.acquire()

    def wait_from_elsewhere() -> bool:
        began = time.monotonic()
        with pytest.raises(LockTimeoutError):
            open_namespace().lease("key").acquire(timeout=0.3)
        return 0.3 <= time.monotonic() - began < 2

    assert succeeds(fork(wait_from_elsewhere))
    lease.release()


def test_postgresql_tells_what_there_is_as_it_gives_the_lease(
    postgres_url: str, prefix: str
) -> None:
    store = DatabaseNamespaceManager("namespace", postgres_url, prefix=prefix)
    found = []
    for ttl in (None, 60, 0.001):
        if ttl is not None:
            store.store("key", b"data", ttl)
        time.sleep(0.01)
        lease = store.lease("key")
        lease.acquire()
        found.append(lease.found)
        lease.release()

    assert found == [None, b"data", None]
