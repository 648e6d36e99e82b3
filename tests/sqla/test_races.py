"""What many processes do to one database at once."""

from __future__ import annotations

import random
from typing import Any

import pytest
import sqlalchemy as sa

from beaker.testing._processes import fork, kill, wait_for
from beaker_sqla import DatabaseNamespaceManager
from tests.sqla.conftest import OpenNamespace

PROCESSES = 8


@pytest.mark.parametrize("purpose", ["cache", "session"])
def test_no_update_is_lost(open_namespace: OpenNamespace, purpose: str) -> None:
    rounds = 25

    def count() -> bool:
        store = open_namespace("id", purpose=purpose)
        for _ in range(rounds):
            while True:
                before = store.fetch("session")
                after = b"%d" % (int(before or 0) + 1)
                if store.replace("session", before, after, 60):
                    break
        return True

    assert wait_for(fork(count) for _ in range(PROCESSES))
    store = open_namespace("id", purpose=purpose)
    assert store.fetch("session") == b"%d" % (PROCESSES * rounds)


@pytest.mark.parametrize("purpose", ["cache", "session"])
def test_one_of_many_makes_what_was_absent(
    open_namespace: OpenNamespace, purpose: str
) -> None:
    def make() -> bool:
        store = open_namespace("id", purpose=purpose)
        return store.replace("session", None, b"mine", 60)

    children = [fork(make) for _ in range(PROCESSES)]

    assert [wait_for([child]) for child in children].count(True) == 1


@pytest.mark.parametrize("purpose", ["cache", "session"])
def test_the_table_is_made_once_by_many(
    open_namespace: OpenNamespace, table_name: str, purpose: str
) -> None:
    def store(number: int) -> bool:
        name = f"name {number}"
        namespace = open_namespace(name, purpose=purpose, table_name=table_name)
        namespace.store("session", b"data", 60)
        return namespace.fetch("session") == b"data"

    children = [fork(lambda n=number: store(n)) for number in range(PROCESSES)]  # type: ignore[misc]  # mypy cannot infer a default's lambda

    assert wait_for(children)


def test_those_who_write_many_do_not_block_each_other(
    open_namespace: OpenNamespace,
) -> None:
    def churn() -> bool:
        store, chance = open_namespace(), random.Random()  # noqa: S311  # no secret
        for _ in range(15):
            keys = [f"key {number}" for number in range(100)]
            chance.shuffle(keys)
            store.store_many(dict.fromkeys(keys[:50], b"data"), 60)
            store.discard_many(keys[:20])
            store.purge()
            if chance.randrange(5) == 0:
                store.drop()
        return True

    assert wait_for(fork(churn) for _ in range(PROCESSES))


def test_nothing_that_began_before_a_drop_is_there_after_it(
    open_namespace: OpenNamespace,
) -> None:
    counter = open_namespace("generation")
    counter.store("now", b"0", None)

    def create_for_ever() -> None:
        store, chance = open_namespace(), random.Random()  # noqa: S311  # no secret
        generation = open_namespace("generation")
        while True:
            key = f"key {chance.randrange(20)}"
            lease = store.lease(key)
            lease.acquire()
            now = generation.fetch("now")
            assert now is not None
            store.fill(key, now, 60, lease)
            lease.release()

    children = [fork(create_for_ever) for _ in range(4)]
    try:
        store = open_namespace()
        for current in range(1, 51):
            counter.store("now", b"%d" % current, None)
            store.drop()
            found = store.fetch_many(f"key {number}" for number in range(20))
            assert all(int(data) >= current for data in found.values())
    finally:
        for child in children:
            kill(child)


def test_dropping_takes_no_row_of_another_and_leaves_none(
    open_namespace: OpenNamespace, table_name: str, raw: sa.Connection
) -> None:
    def opened(name: str) -> DatabaseNamespaceManager:
        return open_namespace(name, table_name=table_name)

    for name in ("mine", "theirs"):
        opened(name).store_many({f"key {n}": b"data" for n in range(1234)}, 60)
    lease = opened("mine").lease("under way")
    lease.acquire()

    opened("mine").drop()

    assert opened("theirs").size() == 1234
    assert opened("mine").size() == 0
    assert not opened("mine").fill("under way", b"late", 60, lease)
    assert count(raw, f"{table_name}_2") == 1234


def test_what_is_dead_is_swept_as_new_rows_come(
    open_namespace: OpenNamespace, table_name: str, raw: sa.Connection
) -> None:
    dead = open_namespace("dead", table_name=table_name)
    dead.store_many({f"key {n}": b"data" for n in range(1200)}, 0.001)
    for key in ("free", "held"):
        dead.store(key, b"data", 0.001)
    held = dead.lease("held")
    held.acquire()
    abandoned = dead.lease("abandoned")
    abandoned.acquire()
    abandoned.release()

    living = open_namespace("living", table_name=table_name)
    for number in range(400):
        living.store(f"key {number}", b"data", 60)

    # The lease that was given back lapses some seconds from now.
    assert count(raw, f"{table_name}_2") <= 402
    assert dead.fill("held", b"data", 60, held)
    assert living.size() == 400


@pytest.mark.parametrize("purpose", ["cache", "session"])
def test_no_child_reads_what_another_asked_for(
    open_namespace: OpenNamespace, purpose: str
) -> None:
    def opened(number: int) -> DatabaseNamespaceManager:
        return open_namespace(f"name {number}", purpose=purpose)

    for number in range(50):
        opened(number).store("session", b"%d" % number, 60)

    def read() -> bool:
        chance = random.Random()  # noqa: S311  # no secret
        for _ in range(250):
            number = chance.randrange(50)
            if opened(number).fetch("session") != b"%d" % number:
                return False
        return True

    assert wait_for(fork(read) for _ in range(PROCESSES))
    # The parent's connection is as good as before.
    assert opened(1).fetch("session") == b"1"
    assert read()


def test_readers_see_what_others_write(open_namespace: OpenNamespace) -> None:
    store = open_namespace()
    for number in range(5):
        store.fetch("key")

        def write(number: int = number) -> bool:
            open_namespace().store("key", b"%d" % number, 60)
            return True

        assert wait_for([fork(write)])
        assert store.fetch("key") == b"%d" % number


def count(raw: sa.Connection, table_name: str) -> Any:
    table = sa.table(table_name)
    return raw.execute(sa.select(sa.func.count()).select_from(table)).scalar_one()
