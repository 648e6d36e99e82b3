"""What another does between our look at an entity and our change of it."""

from __future__ import annotations

import time
from typing import Any

import pytest
from google.cloud import datastore

from beaker_google import GoogleNamespaceManager
from tests.google.conftest import PATIENT, Asked, OpenNamespace

Store = GoogleNamespaceManager


@pytest.fixture
def store(client: datastore.Client, prefix: str) -> Store:
    """A store whose client lets another act in between."""
    return Store("namespace", url=client, prefix=prefix, store_timeout=PATIENT)


@pytest.fixture
def other(open_namespace: OpenNamespace) -> Store:
    return open_namespace()


def test_what_was_read_before_is_not_believed_when_it_says_no(
    store: Store, other: Store
) -> None:
    for key in ("replaced", "touched", "removed", "leased"):
        store.fetch(key)
        other.store(key, b"new", 60)
        acts: dict[str, Any] = {
            "replaced": lambda: store.replace("replaced", b"new", b"newer", 60),
            "touched": lambda: store.touch("touched", 60, 1.0),
            "removed": lambda: store.discard("removed"),
            "leased": lambda: store.lease("leased").acquire(),
        }

        assert acts[key](), key


def test_who_takes_a_lease_has_seen_the_latest_record(
    store: Store, other: Store, asked: Asked
) -> None:
    store.store("key", b"old", 60)
    store.fetch("key")
    lease = store.lease("key")
    asked.meanwhile = lambda: other.store("key", b"new", 60)

    assert lease.acquire()

    assert lease.found == b"new"
    assert store.fill("key", b"newest", 60, lease)


def test_a_replacement_gives_way(store: Store, other: Store, asked: Asked) -> None:
    store.store("key", b"old", 60)
    asked.meanwhile = lambda: other.store("key", b"new", 60)

    assert not store.replace("key", b"old", b"mine", 60)
    assert store.fetch("key") == b"new"


def test_a_touch_takes_what_was_stored(
    store: Store, other: Store, asked: Asked
) -> None:
    store.store("key", b"old", 60)
    asked.meanwhile = lambda: other.store("key", b"new", 60)

    assert store.touch("key", 60, 1.0)
    assert store.fetch_accessed("key") == (b"new", 1.0)


def test_a_touch_does_not_bring_back_what_was_removed(
    store: Store, other: Store, asked: Asked
) -> None:
    store.store("key", b"old", 60)
    asked.meanwhile = lambda: other.discard("key")

    assert not store.touch("key", 60, 1.0)
    assert store.fetch("key") is None


def test_a_renewal_meanwhile_does_not_cost_the_value(
    store: Store, asked: Asked
) -> None:
    lease: Any = store.lease("key")
    lease.acquire()
    asked.meanwhile = lease.renew

    assert store.fill("key", b"data", 60, lease)
    assert store.fetch("key") == b"data"


def test_an_invalidation_meanwhile_costs_the_value(
    store: Store, other: Store, asked: Asked
) -> None:
    lease = store.lease("key")
    lease.acquire()
    asked.meanwhile = lambda: other.discard("key")

    assert not store.fill("key", b"data", 60, lease)
    assert store.fetch("key") is None


def test_a_purge_leaves_what_was_stored_anew(
    store: Store, other: Store, asked: Asked
) -> None:
    store.store("key", b"old", 0.01)
    time.sleep(0.02)
    asked.meanwhile = lambda: other.store("key", b"new", 60)

    assert store.purge() == 0
    assert store.fetch("key") == b"new"


def test_a_purge_of_sessions_leaves_one_that_is_used(
    client: datastore.Client,
    open_namespace: OpenNamespace,
    asked: Asked,
    prefix: str,
) -> None:
    kind = {"table_name": f"sessions of {prefix}", "purpose": "session"}
    other = open_namespace("id", **kind)
    other.store("session", b"data", None)
    mine = Store("any", url=client, prefix=prefix, store_timeout=PATIENT, **kind)
    asked.meanwhile = lambda: other.touch("session", None, time.time() + 100)

    *_, done = mine.purge_sessions(-50)

    assert done == (1, 0, 1)
    assert other.fetch("session") == b"data"
