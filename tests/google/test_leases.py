"""Creation locks among processes: one holder, and what becomes of a dead one."""

from __future__ import annotations

import os
import signal
import time

import pytest
from google.cloud import datastore

from beaker.exceptions import LockTimeoutError
from beaker.testing._processes import fork, program, succeeds, wait_for
from beaker_google import GoogleNamespaceManager
from tests.google.conftest import OpenNamespace

#: Holds a lease until it is killed, or thawed and told to go on.
HOLDER = """
import sys
from beaker_google import GoogleNamespaceManager

url, prefix, life = sys.argv[1:]
GoogleNamespaceManager.lease_expires_in = float(life)
store = GoogleNamespaceManager("namespace", url=url, prefix=prefix, store_timeout=10)
lease = store.lease("key")
lease.acquire()
print("ready", flush=True)
sys.stdin.readline()
print(store.fill("key", b"from the holder", 60, lease), flush=True)
"""


@pytest.fixture
def brief(monkeypatch: pytest.MonkeyPatch) -> float:
    """Let leases lapse a second after their holder's death."""
    monkeypatch.setattr(GoogleNamespaceManager, "lease_expires_in", 1.0)
    return 1.0


def test_one_process_at_a_time_holds_a_lease(open_namespace: OpenNamespace) -> None:
    def take_turns() -> bool:
        store, inside = open_namespace(), open_namespace("inside")
        for _ in range(5):
            lease = store.lease("key")
            lease.acquire()
            # Whoever is inside alone finds nobody, and nobody comes.
            is_alone = inside.replace("who", None, b"%d" % os.getpid(), 60)
            is_alone &= inside.replace("who", b"%d" % os.getpid(), b"me", 60)
            inside.discard("who")
            lease.release()
            if not is_alone:
                return False
        return True

    children = [fork(take_turns) for _ in range(6)]

    assert wait_for(children)


def test_a_lease_outlives_its_life_while_its_holder_lives(
    open_namespace: OpenNamespace, brief: float
) -> None:
    store = open_namespace()
    lease = store.lease("key")
    lease.acquire()

    time.sleep(3 * brief)

    assert not open_namespace().lease("key").acquire(wait=False)
    assert store.fill("key", b"data", 60, lease)


@pytest.mark.parametrize("life", ["1", "5"])
def test_a_killed_holder_is_replaced_when_its_lease_has_lapsed(
    open_namespace: OpenNamespace, google_url: str, prefix: str, life: str
) -> None:
    with program(HOLDER, google_url, prefix, life) as holder:
        os.kill(holder.pid, signal.SIGKILL)
        holder.wait()
        lease = open_namespace().lease("key")

        assert lease.acquire(timeout=float(life) + 2)

    lease.release()


@pytest.mark.parametrize("has_follower", [False, True])
def test_a_frozen_holder_cannot_write_after_its_lease_has_lapsed(
    open_namespace: OpenNamespace, google_url: str, prefix: str, has_follower: bool
) -> None:
    store = open_namespace()
    with program(HOLDER, google_url, prefix, "1") as holder:
        assert holder.stdin is not None
        assert holder.stdout is not None
        os.kill(holder.pid, signal.SIGSTOP)
        time.sleep(1.2)
        if has_follower:
            lease = store.lease("key")
            assert lease.acquire(timeout=10)
            assert store.fill("key", b"from the follower", 60, lease)

        holder.stdin.write("\n")
        holder.stdin.flush()
        os.kill(holder.pid, signal.SIGCONT)

        assert holder.stdout.readline() == "False\n"
    assert store.fetch("key") == (b"from the follower" if has_follower else None)


def test_a_holder_that_was_replaced_frees_nothing(
    open_namespace: OpenNamespace,
) -> None:
    store, other = open_namespace(), open_namespace(table_name="beaker_cache")
    former = store.lease("key")
    former.acquire()
    store.discard("key")

    def take_it() -> bool:
        # Within a process, one at a time: who has it next is another process.
        present = other.lease("key")
        if not present.acquire(wait=False):
            return False
        other.store("taken", b"", 60)
        while other.fetch("given back") is None:
            time.sleep(0.02)
        return other.fill("key", b"data", 60, present)

    child = fork(take_it)
    while store.fetch("taken") is None:
        time.sleep(0.02)
    former.release()
    store.store("given back", b"", 60)

    assert succeeds(child)
    assert store.fetch("key") == b"data"


def test_a_lease_that_was_given_back_leaves_a_record_as_it_was(
    open_namespace: OpenNamespace, client: datastore.Client
) -> None:
    store = open_namespace()
    for key, ttl in (("mortal", 60), ("eternal", None)):
        store.store(key, b"data", ttl)
        entity = client.key("beaker_cache", store._names.name(key))
        before = client.get(entity)
        lease = store.lease(key)
        lease.acquire()
        assert lease.found == b"data"
        lease.release()

        assert client.get(entity) == before


def test_a_lease_that_was_given_back_leaves_nothing_where_nothing_was(
    open_namespace: OpenNamespace, client: datastore.Client
) -> None:
    store = open_namespace()
    lease = store.lease("key")
    lease.acquire()
    lease.release()

    assert client.get(client.key("beaker_cache", store._names.name("key"))) is None


def test_a_waiter_has_it_after_its_release(open_namespace: OpenNamespace) -> None:
    holder = open_namespace().lease("key")
    holder.acquire()

    def wait_for_it() -> bool:
        lease = open_namespace().lease("key")
        open_namespace().store("waits", b"", 60)
        return lease.acquire(timeout=15)

    child = fork(wait_for_it)
    while open_namespace().fetch("waits") is None:
        time.sleep(0.02)
    holder.release()

    assert succeeds(child)


def test_waiting_ends_in_time(open_namespace: OpenNamespace) -> None:
    lease = open_namespace().lease("key")
    lease.acquire()

    def wait_from_elsewhere() -> bool:
        began = time.monotonic()
        with pytest.raises(LockTimeoutError):
            open_namespace().lease("key").acquire(timeout=0.3)
        return time.monotonic() - began >= 0.3

    assert succeeds(fork(wait_from_elsewhere))
    lease.release()
