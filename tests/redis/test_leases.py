"""Who waits for a creation lock is woken by the server."""

from __future__ import annotations

import threading
import time
from typing import Any

from redis import Redis

from beaker.testing import Server, wait_until
from beaker.testing._processes import fork, program, succeeds, thread, wait_for
from beaker_redis import RedisNamespaceManager
from beaker_redis.leases import RedisLease


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
