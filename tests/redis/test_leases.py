"""Creation locks among processes: one holder, and what becomes of a dead one."""

from __future__ import annotations

import os
import signal
import threading
import time
from typing import Any

import pytest
from redis import Redis

from beaker.exceptions import LockTimeoutError
from beaker.testing import Server, wait_until
from beaker.testing._processes import fork, program, succeeds, thread, wait_for
from beaker_redis import RedisNamespaceManager
from beaker_redis.leases import RedisLease
from tests.redis.conftest import OpenNamespace

#: Holds a lease until it is killed, or thawed and told to go on.
HOLDER = """
import sys
from beaker_redis import RedisNamespaceManager

url, prefix, life = sys.argv[1:]
RedisNamespaceManager.lease_expires_in = float(life)
store = RedisNamespaceManager("namespace", url, prefix=prefix)
lease = store.lease("key")
lease.acquire()
print("ready", flush=True)
sys.stdin.readline()
print(store.fill("key", b"from the holder", 60, lease), flush=True)
"""


@pytest.fixture
def brief(monkeypatch: pytest.MonkeyPatch) -> float:
    """Let leases lapse a second after their holder's death."""
    monkeypatch.setattr(RedisNamespaceManager, "lease_expires_in", 1.0)
    return 1.0


def test_one_process_at_a_time_holds_a_lease(
    open_namespace: OpenNamespace, raw: Redis, prefix: str
) -> None:
    inside, most = f"{prefix}inside", f"{prefix}most"

    def take_turns() -> bool:
        store = open_namespace()
        for _ in range(20):
            lease = store.lease("key")
            lease.acquire()
            alone = raw.incr(inside) == 1
            raw.incr(most)
            alone = raw.decr(inside) == 0 and alone
            lease.release()
            if not alone:
                return False
        return True

    children = [fork(take_turns) for _ in range(8)]

    assert wait_for(children)
    assert raw.get(most) == b"160"


def test_a_lease_outlives_its_life_while_its_holder_lives(
    open_namespace: OpenNamespace, brief: float
) -> None:
    store = open_namespace()
    lease = store.lease("key")
    lease.acquire()

    time.sleep(3 * brief)

    assert not open_namespace().lease("key").acquire(wait=False)
    assert store.fill("key", b"data", 60, lease)


@pytest.mark.parametrize("life", ["0.5", "5"])
def test_a_killed_holder_is_replaced_within_the_life_of_its_lease(
    open_namespace: OpenNamespace, redis_url: str, prefix: str, life: str
) -> None:
    with program(HOLDER, redis_url, prefix, life) as holder:
        os.kill(holder.pid, signal.SIGKILL)
        holder.wait()
        lease = open_namespace().lease("key")

        assert lease.acquire(timeout=float(life) + 0.9)

    lease.release()


@pytest.mark.parametrize("has_follower", [False, True])
def test_a_frozen_holder_cannot_write_after_its_lease_has_lapsed(
    open_namespace: OpenNamespace, redis_url: str, prefix: str, has_follower: bool
) -> None:
    store = open_namespace()
    with program(HOLDER, redis_url, prefix, "0.5") as holder:
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


def test_a_holder_that_was_replaced_frees_nothing(redis_server: Server) -> None:
    store = RedisNamespaceManager("namespace", redis_server.url)
    other = RedisNamespaceManager("namespace", redis_server.url, store_timeout=0.3)
    former, present = store.lease("key"), other.lease("key")
    former.acquire()
    store.discard("key")
    assert present.acquire(wait=False)

    former.release()

    assert not store.lease("key").acquire(wait=False)
    assert other.fill("key", b"data", 60, present)


def test_a_waiter_is_woken_and_does_not_ask_meanwhile(
    redis_server: Server,
) -> None:
    asked: list[float] = []

    class Noting(RedisLease):
        def take(self) -> bool:
            asked.append(time.monotonic())
            return super().take()

    store = RedisNamespaceManager("namespace", redis_server.url)
    holder = store.lease("key")
    holder.acquire()
    # Another process's lease, so that the server has to tell of the release.
    waiter = Noting(store._server, store._names, "key")
    with thread(waiter.acquire), Redis.from_url(redis_server.url) as raw:
        wait_until(lambda: blocked_clients(raw) == 1, lambda: "nobody is blocked")
        time.sleep(0.4)
        asked_before = len(asked)
        holder.release()

    assert asked_before == 1
    assert len(asked) == 2
    waiter.release()


def test_each_holder_wakes_those_who_wait(redis_server: Server) -> None:
    processes = 8

    def take_one_turn() -> bool:
        store = RedisNamespaceManager("namespace", redis_server.url)
        lease = store.lease("key")
        lease.acquire()
        time.sleep(0.02)
        lease.release()
        return True

    store = RedisNamespaceManager("namespace", redis_server.url)
    lease = store.lease("key")
    lease.acquire()
    children = [fork(take_one_turn) for _ in range(processes)]
    with Redis.from_url(redis_server.url) as raw:
        wait_until(
            lambda: blocked_clients(raw) == processes, lambda: "they do not wait"
        )
        began = time.monotonic()
        lease.release()

        assert wait_for(children)
        took = time.monotonic() - began
        # Had only one been woken, the next would have asked after a second.
        assert took < 1
        # Whoever was woken more often than he waited leaves a wake-up, for seconds.
        left = list(raw.scan_iter())
        assert left in ([], [b"beaker_cache:2:{9:namespace}!key"])
        assert all(raw.ttl(name) > 0 for name in left)


def test_what_breaks_a_lease_wakes_its_waiters(redis_server: Server) -> None:
    store = RedisNamespaceManager("namespace", redis_server.url)
    holder = store.lease("key")
    holder.acquire()
    child = fork(lambda: store.lease("key").acquire(timeout=5))
    with Redis.from_url(redis_server.url) as raw:
        wait_until(lambda: blocked_clients(raw) == 1, lambda: "nobody is blocked")
        began = time.monotonic()
        store.store("key", b"data", 60)

        assert succeeds(child)

    assert time.monotonic() - began < 0.9
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


def test_a_dead_waiter_does_not_hold_up_the_others(redis_server: Server) -> None:
    store = RedisNamespaceManager("namespace", redis_server.url)
    holder = store.lease("key")
    holder.acquire()
    waiter = "import sys; from beaker_redis import RedisNamespaceManager as R; "
    waiter += "print('ready', flush=True); "
    waiter += "R('namespace', sys.argv[1]).lease('key').acquire()"
    with Redis.from_url(redis_server.url) as raw:
        with program(waiter, redis_server.url) as doomed:
            wait_until(lambda: blocked_clients(raw) == 1, lambda: "nobody is blocked")
            doomed.kill()
            doomed.wait()
        child = fork(lambda: store.lease("key").acquire(timeout=5))
        wait_until(lambda: blocked_clients(raw) == 1, lambda: "nobody is blocked")
    began = time.monotonic()
    holder.release()

    assert succeeds(child)
    assert time.monotonic() - began < 1.5


def test_many_waiters_of_one_process_block_one_connection(
    redis_server: Server,
) -> None:
    store = RedisNamespaceManager("namespace", redis_server.url)

    def wait_with_many_threads() -> bool:
        def turn() -> None:
            lease = store.lease("key")
            lease.acquire()
            lease.release()

        threads = [threading.Thread(target=turn) for _ in range(16)]
        for one in threads:
            one.start()
        for one in threads:
            one.join()
        return True

    holder = store.lease("key")
    holder.acquire()
    child = fork(wait_with_many_threads)
    with Redis.from_url(redis_server.url) as raw:
        wait_until(lambda: blocked_clients(raw) == 1, lambda: "nobody is blocked")
        time.sleep(0.1)
        blocked = blocked_clients(raw)
        holder.release()

        assert succeeds(child)
    assert blocked == 1


def blocked_clients(raw: Redis) -> int:
    info: dict[str, Any] = raw.info("clients")
    return int(info["blocked_clients"])
