"""What many processes do to one record at once."""

from __future__ import annotations

import random

from redis import Redis

from beaker.testing._processes import fork, wait_for
from beaker_redis import RedisNamespaceManager
from tests.redis.conftest import OpenNamespace


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
