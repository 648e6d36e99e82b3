"""What many processes do to one record at once."""

from __future__ import annotations

import random
from functools import partial
from typing import Any

import pytest

from beaker.testing._processes import fork, kill, wait_for
from tests.memcached.conftest import OpenNamespace, raw_client

PROCESSES = 8


@pytest.mark.parametrize("purpose", ["cache", "session"])
def test_no_update_is_lost(
    open_namespace: OpenNamespace, module: str, purpose: str
) -> None:
    rounds = 25
    options = {"memcache_module": module, "purpose": purpose}

    def count() -> bool:
        store = open_namespace(**options)
        for _ in range(rounds):
            while True:
                before = store.fetch("session")
                after = b"%d" % (int(before or 0) + 1)
                if store.replace("session", before, after, 60):
                    break
        return True

    assert wait_for([fork(count) for _ in range(PROCESSES)])
    assert open_namespace(**options).fetch("session") == b"%d" % (PROCESSES * rounds)


def test_one_of_many_makes_what_was_absent(open_namespace: OpenNamespace) -> None:
    def make() -> bool:
        return open_namespace().replace("key", None, b"mine", 60)

    children = [fork(make) for _ in range(PROCESSES)]

    assert [wait_for([child]) for child in children].count(True) == 1


def test_nothing_that_began_before_a_drop_is_there_after_it(
    open_namespace: OpenNamespace, memcached_url: str, raw: Any, prefix: str
) -> None:
    began = f"{prefix}began"
    raw.set(began, 0)

    def create_for_ever() -> None:
        store, mine = open_namespace(), raw_client(memcached_url)
        chance = random.Random()  # noqa: S311  # no secret
        while True:
            key = f"key {chance.randrange(20)}"
            lease = store.lease(key)
            lease.acquire()
            store.fill(key, mine.get(began), 60, lease)
            lease.release()

    children = [fork(create_for_ever) for _ in range(4)]
    try:
        store, keys = open_namespace(), [f"key {number}" for number in range(20)]
        for current in range(1, 61):
            raw.incr(began, 1)
            store.drop()
            found: dict[str, bytes] = {}
            while not found:
                found = store.fetch_many(keys)
            assert all(int(data) >= current for data in found.values())
    finally:
        for child in children:
            kill(child)


def test_nothing_that_began_before_a_removal_is_there_after_it(
    open_namespace: OpenNamespace, memcached_url: str, raw: Any, prefix: str
) -> None:
    began = f"{prefix}began"
    raw.set(began, 0)

    def create_for_ever() -> None:
        store, mine = open_namespace(), raw_client(memcached_url)
        while True:
            lease = store.lease("key")
            lease.acquire()
            store.fill("key", mine.get(began), 60, lease)
            lease.release()

    children = [fork(create_for_ever) for _ in range(4)]
    try:
        store = open_namespace()
        for current in range(1, 301):
            raw.incr(began, 1)
            store.discard("key")
            data = store.fetch("key")
            assert data is None or int(data) >= current
    finally:
        for child in children:
            kill(child)


def test_what_was_put_is_there_whoever_drops_the_namespace_meanwhile(
    open_namespace: OpenNamespace,
) -> None:
    dropper = fork(lambda: drop_for_ever(open_namespace))
    try:
        store = open_namespace()
        outcomes = {stored_and_found(store, n) for n in range(500)}
    finally:
        kill(dropper)

    assert outcomes <= {None, True}
    assert True in outcomes


def drop_for_ever(open_namespace: OpenNamespace) -> None:
    store = open_namespace()
    while True:
        store.drop()


def stored_and_found(store: Any, number: int) -> bool | None:
    data = b"%d" % number
    store.store("key", data, 60)
    found = store.fetch("key")
    return None if found is None else bool(found == data)


def test_children_of_a_fork_read_their_own_records(
    open_namespace: OpenNamespace, module: str
) -> None:
    options = {"memcache_module": module, "purpose": "session"}
    stores = [open_namespace(f"user {number}", **options) for number in range(8)]
    for number, store in enumerate(stores):
        store.store("session", b"%d" % number, 60)
        assert store.fetch("session") == b"%d" % number

    def read(number: int) -> bool:
        mine = b"%d" % number
        return all(stores[number].fetch("session") == mine for _ in range(400))

    children = [fork(partial(read, number)) for number in range(8)]

    assert wait_for(children)
    assert read(0)
