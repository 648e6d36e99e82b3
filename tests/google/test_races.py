"""What many processes do to one record at once."""

from __future__ import annotations

import random

from google.cloud import datastore

from beaker.testing._processes import fork, kill, wait_for
from beaker_google import GoogleNamespaceManager
from tests.google.conftest import OpenNamespace


def test_who_makes_what_is_absent_is_not_hindered_by_leases(
    open_namespace: OpenNamespace,
) -> None:
    def take_for_ever() -> None:
        store, number = open_namespace(), 0
        while True:
            lease = store.lease(f"key {number % 10}")
            if lease.acquire(wait=False):
                lease.release()
            number += 1

    children = [fork(take_for_ever) for _ in range(2)]
    try:
        store = open_namespace()
        for number in range(50):
            store.discard(f"key {number % 10}")
            assert store.replace(f"key {number % 10}", None, b"mine", 60)
    finally:
        for child in children:
            kill(child)


def test_nothing_that_began_before_a_drop_is_there_after_it(
    open_namespace: OpenNamespace,
) -> None:
    def create_for_ever() -> None:
        store, now = open_namespace(), open_namespace("now")
        chance = random.Random()  # noqa: S311  # no secret
        while True:
            key = f"key {chance.randrange(20)}"
            lease = store.lease(key)
            lease.acquire()
            store.fill(key, now.fetch("generation") or b"0", 60, lease)
            lease.release()

    children = [fork(create_for_ever) for _ in range(4)]
    try:
        store, now = open_namespace(), open_namespace("now")
        for current in range(1, 41):
            now.store("generation", b"%d" % current, 60)
            store.drop()
            found = store.fetch_many(f"key {number}" for number in range(20))
            assert all(int(data) >= current for data in found.values())
    finally:
        for child in children:
            kill(child)


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
