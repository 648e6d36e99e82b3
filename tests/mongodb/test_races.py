"""What many processes do to one record at once."""

from __future__ import annotations

import random

from beaker.testing._processes import fork, wait_for
from beaker_mongodb import MongoNamespaceManager
from tests.mongodb.conftest import OpenNamespace, Raw


def test_clearing_and_storing_leave_nothing(
    open_namespace: OpenNamespace, raw: Raw
) -> None:
    def churn() -> bool:
        store, chance = open_namespace(), random.Random()  # noqa: S311  # no secret
        for _ in range(100):
            key = f"key {chance.randrange(30)}"
            act = chance.randrange(6)
            if act == 0:
                store.drop()
            elif act == 1:
                store.discard(key)
            elif act == 2:
                fill(store, key)
            elif act == 3:
                store.store_many({f"key {n}": b"data" for n in range(30)}, 60)
            else:
                store.store(key, b"data", 60)
        return True

    assert wait_for(fork(churn) for _ in range(4))
    store = open_namespace()
    store.drop()

    mine = {"namespace": store._names.namespace}
    assert raw["beaker_cache"].count_documents(mine) == 0


def fill(store: MongoNamespaceManager, key: str) -> None:
    lease = store.lease(key)
    lease.acquire()
    store.fill(key, b"data", 60, lease)
    lease.release()
