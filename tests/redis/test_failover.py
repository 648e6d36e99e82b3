"""Servers that stand in for one another: under Sentinel, and in a cluster."""

from __future__ import annotations

import time
from collections.abc import Callable
from functools import partial
from pathlib import Path

import pytest

from beaker.testing import GuardedRedis, redis_cluster, wait_until
from beaker.testing._processes import thread
from beaker_redis import RedisClusterNamespaceManager, RedisNamespaceManager

pytestmark = pytest.mark.redis


def answers(act: Callable[[], object]) -> bool:
    """Return whether an operation works by now."""
    try:
        act()
    except RedisNamespaceManager.unavailable:
        return False
    return True


def test_the_new_primary_is_found_without_a_restart(
    redis_sentinel: GuardedRedis,
) -> None:
    store = RedisNamespaceManager("namespace", redis_sentinel.url)
    store.store("key", b"before", 60)
    holder = store.lease("other")
    holder.acquire()
    former = redis_sentinel.port_of_primary()

    redis_sentinel.primary.kill()
    assert not answers(lambda: store.fetch("key"))
    wait_until(
        lambda: answers(lambda: store.store("key", b"after", 60)),
        lambda: "no primary was found",
    )

    assert redis_sentinel.port_of_primary() != former
    assert store.fetch("key") == b"after"
    lease = store.lease("key")
    assert lease.acquire(timeout=1)
    assert store.fill("key", b"filled", 60, lease)
    assert store.size() == 1
    holder.release()


def test_a_demoted_primary_that_comes_back_is_not_written_to(
    redis_sentinel: GuardedRedis,
) -> None:
    store = RedisNamespaceManager("namespace", redis_sentinel.url)
    store.store("key", b"before", 60)

    redis_sentinel.primary.freeze()
    wait_until(
        lambda: answers(lambda: store.store("key", b"after", 60)),
        lambda: "no primary was found",
    )
    redis_sentinel.primary.thaw()
    for number in range(50):
        wait_until(
            partial(answers, partial(store.store, "key", b"%d" % number, 60)),
            lambda: "the primary went away again",
        )
        time.sleep(0.02)

    assert store.fetch("key") == b"49"


def test_a_sentinel_that_is_down_is_passed_over(redis_sentinel: GuardedRedis) -> None:
    redis_sentinel.sentinels[0].kill()

    store = RedisNamespaceManager("namespace", redis_sentinel.url)
    store.store("key", b"data", 60)

    assert store.fetch("key") == b"data"


def test_a_frozen_sentinel_costs_a_deadline_and_no_more(
    redis_sentinel: GuardedRedis,
) -> None:
    redis_sentinel.sentinels[0].freeze()
    store = RedisNamespaceManager("namespace", redis_sentinel.url)

    began = time.monotonic()
    store.store("key", b"data", 60)
    took = time.monotonic() - began

    assert took < 1
    redis_sentinel.sentinels[0].thaw()


def test_a_node_that_is_started_anew_is_found_again(tmp_path: Path) -> None:
    with redis_cluster(tmp_path / "cluster") as nodes:
        urls = ",".join(node.url.removesuffix("/0") for node in nodes)
        stores = [RedisClusterNamespaceManager(f"name {n}", urls) for n in range(12)]
        for store in stores:
            store.store("key", b"data", 60)
        nodes[0].kill()
        assert not all(answers(partial(store.fetch, "key")) for store in stores)
        nodes[0].start()

        wait_until(
            lambda: all(answers(partial(one.store, "key", b"", 60)) for one in stores),
            lambda: "the node was not found again",
        )
        assert all(store.fetch("key") == b"" for store in stores)


def test_a_waiter_in_a_cluster_is_woken(redis_cluster_url: str, prefix: str) -> None:
    store = RedisClusterNamespaceManager("name", redis_cluster_url, prefix=prefix)
    other = RedisClusterNamespaceManager(
        "name", ",".join(reversed(redis_cluster_url.split(","))), prefix=prefix
    )
    holder, waiter = store.lease("key"), other.lease("key")
    holder.acquire()

    with thread(waiter.acquire) as waiting:
        waiting.join(0.3)
        has_waited = waiting.is_alive()
        began = time.monotonic()
        holder.release()
        waiting.join()
        took = time.monotonic() - began

    assert has_waited
    assert took < 0.9
    waiter.release()


def first_wait(store: RedisNamespaceManager) -> float:
    """Return how many deadlines pass until a store says that it is away."""
    began = time.monotonic()
    with pytest.raises(RedisNamespaceManager.unavailable):
        store.fetch("key")
    return (time.monotonic() - began) / store.settings.deadline


def test_each_silent_sentinel_costs_one_deadline(redis_sentinel: GuardedRedis) -> None:
    url, silent = redis_sentinel.url, len(redis_sentinel.sentinels)
    for sentinel in redis_sentinel.sentinels:
        sentinel.freeze()

    store = RedisNamespaceManager("namespace", url, store_timeout=0.5)

    assert silent - 0.1 < first_wait(store) < silent + 1


def test_each_silent_node_costs_one_deadline(tmp_path: Path) -> None:
    with redis_cluster(tmp_path) as nodes:
        urls = ",".join(node.url.removesuffix("/0") for node in nodes)
        store = RedisClusterNamespaceManager("namespace", urls, store_timeout=0.5)
        store.fetch("key")
        for node in nodes:
            node.freeze()

        # Which node it asks again at last depends on the version of the client.
        assert len(nodes) - 0.1 < first_wait(store) < len(nodes) + 2
