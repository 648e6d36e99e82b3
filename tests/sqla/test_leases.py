"""What a creation lock costs a database."""

from __future__ import annotations

import time

import pytest

from beaker.testing._processes import thread
from beaker_sqla import DatabaseNamespaceManager
from beaker_sqla.leases import SqlLease
from tests.sqla.conftest import PATIENT, OpenNamespace


def test_who_waits_looks_and_does_not_write(
    open_namespace: OpenNamespace, monkeypatch: pytest.MonkeyPatch
) -> None:
    tries: list[SqlLease] = []
    take = SqlLease.take

    def noted(lease: SqlLease) -> bool:
        tries.append(lease)
        return take(lease)

    monkeypatch.setattr(SqlLease, "take", noted)
    holder = open_namespace().lease("key")
    holder.acquire()
    waiter = open_namespace(store_timeout=PATIENT + 1).lease("key")
    with thread(waiter.acquire):
        time.sleep(0.4)
        tried_before = tries.count(waiter)  # type: ignore[arg-type]  # it is one
        holder.release()

    assert tried_before == 1
    assert tries.count(waiter) == 2  # type: ignore[arg-type]  # it is one
    waiter.release()


def test_postgresql_tells_what_there_is_as_it_gives_the_lease(
    postgres_url: str, prefix: str
) -> None:
    store = DatabaseNamespaceManager("namespace", postgres_url, prefix=prefix)
    found = []
    for ttl in (None, 60, 0.001):
        if ttl is not None:
            store.store("key", b"data", ttl)
        time.sleep(0.01)
        lease = store.lease("key")
        lease.acquire()
        found.append(lease.found)
        lease.release()

    assert found == [None, b"data", None]
