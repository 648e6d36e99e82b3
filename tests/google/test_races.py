"""What many processes do to one record at once."""

from __future__ import annotations

import random

from google.cloud import datastore

from beaker.testing._processes import fork, wait_for
from beaker_google import GoogleNamespaceManager
from tests.google.conftest import OpenNamespace


def test_clearing_and_storing_leave_nothing(
    open_namespace: OpenNamespace, client: datastore.Client
) -> None:
    def churn() -> bool:
        store, chance = open_namespace(), random.Random()  # noqa: S311  # no secret
        for _ in range(40):
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

    names = [store._names.name(f"key {number}") for number in range(30)]
    assert client.get_multi([client.key("beaker_cache", name) for name in names]) == []


def fill(store: GoogleNamespaceManager, key: str) -> None:
    lease = store.lease(key)
    lease.acquire()
    store.fill(key, b"data", 60, lease)
    lease.release()
