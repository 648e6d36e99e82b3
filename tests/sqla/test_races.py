"""What many processes do to one database at once."""

from __future__ import annotations

import random
from typing import Any

import pytest
import sqlalchemy as sa

from beaker.testing._processes import fork, wait_for
from beaker_sqla import DatabaseNamespaceManager
from tests.sqla.conftest import OpenNamespace

PROCESSES = 8


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


def count(raw: sa.Connection, table_name: str) -> Any:
    table = sa.table(table_name)
    return raw.execute(sa.select(sa.func.count()).select_from(table)).scalar_one()
