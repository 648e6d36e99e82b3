"""What many processes do to one record at once."""

from __future__ import annotations

import random

from beaker.testing._processes import fork, kill, wait_for
from beaker_mongodb import MongoNamespaceManager
from tests.mongodb.conftest import OpenNamespace, Raw, connected

PROCESSES = 8


def test_no_update_is_lost(open_namespace: OpenNamespace) -> None:
    rounds = 20

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

    for _ in range(3):
        open_namespace().drop()
        children = [fork(make) for _ in range(PROCESSES)]

        assert [wait_for([child]) for child in children].count(True) == 1


def test_who_makes_what_is_absent_is_not_hindered_by_leases(
    open_namespace: OpenNamespace,
) -> None:
    def take_for_ever() -> None:
        store, number = open_namespace(), 0
        while True:
            lease = store.lease(f"key {number % 200}")
            if lease.acquire(wait=False):
                lease.release()
            number += 1

    children = [fork(take_for_ever) for _ in range(2)]
    try:
        store = open_namespace()
        for number in range(200):
            assert store.replace(f"key {number}", None, b"mine", 60)
    finally:
        for child in children:
            kill(child)


def test_nothing_that_began_before_a_drop_is_there_after_it(
    open_namespace: OpenNamespace, raw: Raw, prefix: str, mongodb_url: str
) -> None:
    generation = {"_id": f"{prefix}generation"}
    raw["generations"].insert_one({**generation, "now": 0})

    def create_for_ever() -> None:
        store, chance = open_namespace(), random.Random()  # noqa: S311  # no secret
        with connected(mongodb_url) as client:
            generations = client.get_default_database()["generations"]
            while True:
                key = f"key {chance.randrange(20)}"
                lease = store.lease(key)
                lease.acquire()
                now = generations.find_one(generation)
                assert now is not None
                store.fill(key, b"%d" % now["now"], 60, lease)
                lease.release()

    children = [fork(create_for_ever) for _ in range(4)]
    try:
        store = open_namespace()
        for current in range(1, 101):
            raw["generations"].update_one(generation, {"$inc": {"now": 1}})
            store.drop()
            found = store.fetch_many(f"key {number}" for number in range(20))
            assert all(int(data) >= current for data in found.values())
    finally:
        for child in children:
            kill(child)


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
