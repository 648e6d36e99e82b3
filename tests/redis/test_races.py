"""What many processes do to one record at once."""

from __future__ import annotations

import random

from redis import Redis

from beaker.testing._processes import fork, kill, wait_for
from beaker_redis import RedisNamespaceManager
from tests.redis.conftest import OpenNamespace

PROCESSES = 8


def test_no_update_is_lost(open_namespace: OpenNamespace) -> None:
    rounds = 25

    def count() -> bool:
        store = open_namespace()
        for _ in range(rounds):
            while True:
                before = store.fetch("key")
                after = b"%d" % (int(before or 0) + 1)
                if store.replace("key", before, after, 60):
                    break
        return True

    assert wait_for(fork(count) for _ in range(PROCESSES))
    assert open_namespace().fetch("key") == b"%d" % (PROCESSES * rounds)


def test_one_of_many_makes_what_was_absent(open_namespace: OpenNamespace) -> None:
    def make() -> bool:
        return open_namespace().replace("key", None, b"mine", 60)

    children = [fork(make) for _ in range(PROCESSES)]

    assert [wait_for([child]) for child in children].count(True) == 1


def test_nothing_that_began_before_a_drop_is_there_after_it(
    open_namespace: OpenNamespace, raw: Redis, prefix: str
) -> None:
    generation = f"{prefix}generation"
    raw.set(generation, 0)

    def create_for_ever() -> None:
        store, chance = open_namespace(), random.Random()  # noqa: S311  # no secret
        while True:
            key = f"key {chance.randrange(20)}"
            lease = store.lease(key)
            lease.acquire()
            now = raw.get(generation)
            assert isinstance(now, bytes)
            store.fill(key, now, 60, lease)
            lease.release()

    children = [fork(create_for_ever) for _ in range(4)]
    try:
        store = open_namespace()
        for current in range(1, 151):
            raw.incr(generation)
            store.drop()
            found = store.fetch_many(f"key {number}" for number in range(20))
            assert all(int(data) >= current for data in found.values())
    finally:
        for child in children:
            kill(child)


def test_clearing_and_storing_leave_nothing_that_is_not_indexed(
    open_namespace: OpenNamespace, raw: Redis, prefix: str
) -> None:
    def churn() -> bool:
        store, chance = open_namespace(), random.Random()  # noqa: S311  # no secret
        for _ in range(150):
            key = f"key {chance.randrange(30)}"
            act = chance.randrange(5)
            if act == 0:
                store.drop()
            elif act == 1:
                store.discard(key)
            elif act == 2:
                fill(store, key)
            else:
                store.store(key, b"data", 60)
        return True

    assert wait_for(fork(churn) for _ in range(4))
    open_namespace().drop()

    left = [name for name in raw.scan_iter(f"{prefix}*") if b"}!" not in name]
    assert left == []


def fill(store: RedisNamespaceManager, key: str) -> None:
    lease = store.lease(key)
    lease.acquire()
    store.fill(key, b"data", 60, lease)
    lease.release()
