"""What MongoDB does beyond what every store promises."""

from __future__ import annotations

import threading
import time
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from beaker.exceptions import StoreRefusedError
from beaker.testing import MongoServer, wait_until
from beaker_mongodb import MongoNamespaceManager
from beaker_mongodb.records import LARGEST
from tests.mongodb.conftest import OpenNamespace, Raw, connected


@pytest.mark.usefixtures("unreaped")
def test_purging_counts_what_has_expired(open_namespace: OpenNamespace) -> None:
    # What has expired is there until it is reaped: the core knows by its header.
    store = open_namespace()
    store.store_many({"a": b"", "b": b""}, 0.001)
    store.store("c", b"", 60)
    store.store("d", b"", None)
    time.sleep(0.02)

    assert store.purge() == 2
    assert store.purge() == 0
    assert set(store.keys()) == {"c", "d"}


def test_writes_to_a_replica_set_wait_for_a_majority(
    mongodb_replica_url: str, prefix: str
) -> None:
    store: Any = MongoNamespaceManager(
        "namespace", mongodb_replica_url, prefix=prefix, store_timeout=2
    )
    store.store("key", b"data", 60)

    assert store.client.write_concern.document == {"w": "majority"}
    assert store.client.topology_description.topology_type_name.startswith("Repl")


def test_dropping_is_exact_among_many_neighbours(
    open_namespace: OpenNamespace, raw: Raw
) -> None:
    mine, theirs = open_namespace("mine"), open_namespace("mine:x")
    records = {f"key {number}": b"data" for number in range(10_000)}
    theirs.store_many(records, 60)
    mine.store_many(dict(list(records.items())[:100]), 60)

    # What the server looks at: by its own account, mine and no more.
    mine_only = {"namespace": mine._names.namespace}
    delete = {"delete": "beaker_cache", "deletes": [{"q": mine_only, "limit": 0}]}
    told = raw.command({"explain": delete, "verbosity": "executionStats"})
    mine.drop()

    assert told["executionStats"]["totalDocsExamined"] == 100
    assert mine.size() == 0
    assert theirs.size() == 10_000
    theirs.drop()
    assert raw["beaker_cache"].count_documents(mine_only) == 0


def test_more_than_one_deadline_removes_is_dropped_all_the_same(
    open_namespace: OpenNamespace,
) -> None:
    store = open_namespace()
    store.store_many({f"key {number}": b"data" for number in range(20_000)}, 60)
    hasty = open_namespace(store_timeout="0.1")

    hasty.drop()

    assert store.size() == 0


def test_the_server_removes_what_has_expired(
    open_namespace: OpenNamespace, raw: Raw
) -> None:
    store = open_namespace()
    store.store("key", b"data", 0.01)
    store.store("other", b"data", None)
    lease = store.lease("third")
    lease.acquire()
    mine = {"namespace": store._names.namespace}

    wait_until(
        lambda: raw["beaker_cache"].count_documents(mine) == 2,
        lambda: "what has expired is still there",
    )

    # The lease is renewed, and what never expires stays.
    assert store.fetch("other") == b"data"
    assert store.fill("third", b"data", 60, lease)


@pytest.mark.usefixtures("unreaped")
def test_reading_removes_nothing(open_namespace: OpenNamespace, raw: Raw) -> None:
    store = open_namespace()
    store.store("key", b"data", 0.001)
    time.sleep(0.01)

    store.fetch("key")
    assert list(store.keys()) == []
    assert store.size() == 0

    assert raw["beaker_cache"].count_documents({"_id": store._names.id("key")}) == 1
    assert store.purge() == 1


def test_a_record_is_not_reaped_under_a_lease(open_namespace: OpenNamespace) -> None:
    store = open_namespace()
    store.store("key", b"old", 0.5)
    lease = store.lease("key")
    lease.acquire()

    # The server looks for what has expired every second.
    time.sleep(2.2)

    assert store.fill("key", b"new", 60, lease)
    assert store.fetch("key") == b"new"


def test_indexes_are_made_by_whoever_writes_first(
    mongodb_server: MongoServer,
) -> None:
    stores = [
        MongoNamespaceManager(f"{number}", mongodb_server.url, store_timeout=1 + number)
        for number in range(8)
    ]
    threads = [
        threading.Thread(target=one.store, args=("key", b"data", 60)) for one in stores
    ]
    for one in threads:
        one.start()
    for one in threads:
        one.join()

    with connected(mongodb_server.url) as client:
        indexes = client.get_default_database()["beaker_cache"].index_information()
    assert set(indexes) == {"_id_", "expires_1", "namespace_1"}
    assert indexes["expires_1"]["expireAfterSeconds"] == 0
    assert all(one.fetch("key") == b"data" for one in stores)


def test_expiries_go_by_the_servers_clock(
    open_namespace: OpenNamespace, raw: Raw
) -> None:
    store = open_namespace()
    store.store("key", b"data", 100)

    found = raw["beaker_cache"].find_one({"_id": store._names.id("key")})

    assert found is not None
    ends = found["expires"].replace(tzinfo=UTC)
    assert abs(ends - datetime.now(UTC) - timedelta(seconds=100)) < timedelta(seconds=5)


def test_the_largest_record_is_kept_and_replaced(open_namespace: OpenNamespace) -> None:
    store = open_namespace(store_timeout=10)
    one, other = b"1" * LARGEST, b"2" * LARGEST
    store.store("key", one, 60)

    assert not store.replace("key", other, one, 60)
    assert store.replace("key", one, other, 60)
    assert store.fetch("key") == other
    store.store_many({"a": one, "b": other}, 60)
    assert store.fetch_many(["a", "b"]) == {"a": one, "b": other}


def test_a_larger_record_is_refused_and_leaves_what_was_there(
    open_namespace: OpenNamespace,
) -> None:
    store = open_namespace()
    store.store("key", b"old", 60)
    large = b"x" * (LARGEST + 1)

    for act in (
        lambda: store.store("key", large, 60),
        lambda: store.store_many({"key": large}, 60),
        lambda: store.replace("key", b"old", large, 60),
    ):
        with pytest.raises(StoreRefusedError, match="keep less under one key"):
            act()

    assert store.fetch("key") == b"old"


def test_it_tells_what_the_server_is(open_namespace: OpenNamespace) -> None:
    assert open_namespace("x").version().startswith("MongoDB ")
