"""Creation locks among processes: one holder, and what becomes of a dead one."""

from __future__ import annotations

import os
import signal
import time
from collections.abc import Callable
from typing import Any

import pytest

from beaker.exceptions import LockTimeoutError
from beaker.testing._processes import fork, program, succeeds, wait_for
from beaker_memcached import MemcachedNamespaceManager
from tests.memcached.conftest import OpenNamespace, raw_client

#: Holds a lease until it is killed, or thawed and told to go on.
HOLDER = """
import sys
from beaker_memcached import MemcachedNamespaceManager

url, prefix, life = sys.argv[1:]
MemcachedNamespaceManager.lease_expires_in = float(life)
store = MemcachedNamespaceManager("namespace", url, prefix=prefix)
lease = store.lease("key")
lease.acquire()
print("ready", flush=True)
sys.stdin.readline()
print(store.fill("key", b"from the holder", 60, lease), flush=True)
"""


def test_one_process_at_a_time_holds_a_lease(
    open_namespace: OpenNamespace,
    memcached_url: str,
    raw: Any,
    prefix: str,
    module: str,
) -> None:
    inside = f"{prefix}inside"
    raw.set(inside, 0)

    def take_turns() -> bool:
        store, mine = open_namespace(memcache_module=module), raw_client(memcached_url)
        for _ in range(6):
            lease = store.lease("key")
            lease.acquire()
            alone = mine.incr(inside, 1) == 1
            alone = mine.decr(inside, 1) == 0 and alone
            lease.release()
            if not alone:
                return False
        return True

    assert wait_for([fork(take_turns) for _ in range(8)])


def test_a_lease_outlives_its_life_while_its_holder_lives(
    open_namespace: OpenNamespace, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(MemcachedNamespaceManager, "lease_expires_in", 0.9)
    store = open_namespace()
    lease = store.lease("key")
    lease.acquire()

    # The server's clock gives it two seconds.
    time.sleep(3.2)

    # In another process: in ours its turn has not come.
    assert succeeds(fork(lambda: not open_namespace().lease("key").acquire(wait=False)))
    assert store.fill("key", b"data", 60, lease)


@pytest.mark.parametrize("life", ["1", "5"])
def test_a_killed_holder_is_replaced_once_its_lease_has_lapsed(
    open_namespace: OpenNamespace, memcached_url: str, prefix: str, life: str
) -> None:
    with program(HOLDER, memcached_url, prefix, life) as holder:
        os.kill(holder.pid, signal.SIGKILL)
        holder.wait()
        lease = open_namespace().lease("key")

        # Its clock ticks once a second.
        assert lease.acquire(timeout=float(life) + 2.5)

    lease.release()


@pytest.mark.parametrize("had_record", [False, True])
def test_a_frozen_holder_cannot_write_after_its_follower(
    open_namespace: OpenNamespace, memcached_url: str, prefix: str, had_record: bool
) -> None:
    store = open_namespace()
    if had_record:
        store.store("key", b"stale", 60)
    with program(HOLDER, memcached_url, prefix, "0.5") as holder:
        assert holder.stdin is not None
        assert holder.stdout is not None
        os.kill(holder.pid, signal.SIGSTOP)
        lease = store.lease("key")
        assert lease.acquire(timeout=5)
        assert lease.found == (b"stale" if had_record else None)

        holder.stdin.write("\n")
        holder.stdin.flush()
        os.kill(holder.pid, signal.SIGCONT)
        assert holder.stdout.readline() == "False\n"

        assert store.fill("key", b"from the follower", 60, lease)
    assert store.fetch("key") == b"from the follower"


def test_a_holder_that_was_frozen_past_its_lease_stores_nothing(
    open_namespace: OpenNamespace, memcached_url: str, prefix: str
) -> None:
    with program(HOLDER, memcached_url, prefix, "0.5") as holder:
        assert holder.stdin is not None
        assert holder.stdout is not None
        os.kill(holder.pid, signal.SIGSTOP)
        time.sleep(0.6)

        holder.stdin.write("\n")
        holder.stdin.flush()
        os.kill(holder.pid, signal.SIGCONT)

        assert holder.stdout.readline() == "False\n"
    assert open_namespace().fetch("key") is None


def test_taking_a_lease_keeps_the_stale_record_and_its_end(
    open_namespace: OpenNamespace,
) -> None:
    store = open_namespace()
    store.store("key", b"stale", 1.0)
    lease = store.lease("key")

    assert lease.acquire()
    assert store.fetch("key") == b"stale"
    lease.release()
    time.sleep(3.1)

    assert store.fetch("key") is None


def test_a_released_lease_leaves_nothing_behind(
    open_namespace: OpenNamespace, raw: Any
) -> None:
    store = open_namespace()
    lease: Any = store.lease("key")
    lease.acquire()
    assert len(raw.get_many(lease._names)) == 3

    lease.release()

    assert raw.get_many(lease._names) == {
        lease._generation_name: raw.get(lease._generation_name)
    }


def test_what_was_released_for_want_of_a_value_keeps_the_stale_record(
    open_namespace: OpenNamespace,
) -> None:
    store = open_namespace()
    store.store("key", b"stale", 60)
    lease = store.lease("key")
    lease.acquire()

    lease.release()

    assert store.fetch("key") == b"stale"
    assert lease.acquire(wait=False)
    lease.release()


@pytest.mark.parametrize("break_it", ["discard", "drop", "store"])
def test_who_breaks_a_lease_lets_the_next_begin_at_once(
    open_namespace: OpenNamespace, break_it: str
) -> None:
    holder = open_namespace().lease("key")
    holder.acquire()
    acts: dict[str, Callable[[], object]] = {
        "discard": lambda: open_namespace().discard("key"),
        "drop": open_namespace().drop,
        "store": lambda: open_namespace().store("key", b"data", 60),
    }

    acts[break_it]()

    # In another process: in ours its turn has not come.
    assert succeeds(fork(lambda: open_namespace().lease("key").acquire(wait=False)))
    holder.release()


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
