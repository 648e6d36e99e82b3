"""What Datastore is asked, counted by the session of HTTP that the client uses."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from google.cloud import datastore

from beaker_google import GoogleNamespaceManager
from tests.google.conftest import PATIENT, Asked

Store = GoogleNamespaceManager


def opened(client: datastore.Client, prefix: str, purpose: str = "cache") -> Store:
    options: dict[str, Any] = {
        "prefix": prefix,
        "purpose": purpose,
        "store_timeout": PATIENT,
    }
    return Store("namespace", url=client, **options)


@pytest.fixture
def store(client: datastore.Client, prefix: str, asked: Asked) -> Store:
    opened(client, prefix).store("warm", b"", 60)
    asked.methods.clear()
    return opened(client, prefix)


def test_a_miss_and_its_creation_are_three_round_trips(
    store: Store, asked: Asked
) -> None:
    assert store.fetch("key") is None
    lease = store.lease("key")
    assert lease.acquire()
    assert lease.found is None
    assert store.fill("key", b"data", 60, lease)
    lease.release()

    assert asked.methods == ["lookup", "commit", "commit"]


def test_so_is_a_regeneration(store: Store, asked: Asked) -> None:
    store.fetch("warm")
    lease = store.lease("warm")
    assert lease.acquire()
    assert lease.found == b""
    assert store.fill("warm", b"data", 60, lease)
    lease.release()

    assert asked.methods == ["lookup", "commit", "commit"]


def test_a_request_with_a_session_is_two_round_trips(
    client: datastore.Client, prefix: str, asked: Asked
) -> None:
    first = opened(client, prefix, "session")
    first.replace("session", None, b"data", 60)
    assert asked.methods == ["commit"]
    asked.methods.clear()

    session = first.sibling("namespace")
    assert session.fetch_accessed("session") is not None
    assert session.replace("session", b"data", b"new", 60)

    assert asked.methods == ["lookup", "commit"]
    asked.methods.clear()

    session = first.sibling("namespace")
    assert session.fetch_accessed("session") is not None
    assert session.touch("session", 60, 1.0)

    assert asked.methods == ["lookup", "commit"]


def test_what_was_changed_since_it_was_read_is_read_again(
    store: Store, client: datastore.Client, prefix: str, asked: Asked
) -> None:
    other = opened(client, prefix)
    store.fetch("warm")
    other.touch("warm", 60, 1.0)
    asked.methods.clear()

    assert store.replace("warm", b"", b"data", 60)

    # The same record in another version: the first try says so.
    assert asked.methods == ["commit", "lookup", "commit"]
    assert other.fetch("warm") == b"data"


@pytest.mark.parametrize(
    ("operation", "methods"),
    [
        (lambda store: store.fetch("warm"), "lookup"),
        (lambda store: store.fetch("absent"), "lookup"),
        (lambda store: store.fetch_accessed("warm"), "lookup"),
        (lambda store: store.fetch_many(map(str, range(1000))), "lookup"),
        (lambda store: store.store("key", b"data", 60), "commit"),
        (lambda store: store.store_many(dict.fromkeys("abc", b""), 60), "commit"),
        (lambda store: store.discard("absent"), "lookup"),
        (lambda store: store.discard("warm"), "lookup commit"),
        (lambda store: store.discard_many(["warm"]), "lookup commit"),
        (lambda store: store.discard_many(["absent"]), "lookup"),
        (lambda store: store.replace("key", None, b"data", 60), "commit"),
        (lambda store: store.replace("warm", b"", b"data", 60), "lookup commit"),
        (lambda store: store.replace("warm", b"x", b"data", 60), "lookup"),
        (lambda store: store.touch("warm", 60, 1.0), "lookup commit"),
        (lambda store: store.touch("absent", 60, 1.0), "lookup"),
        (lambda store: store.lease("warm").acquire(), "lookup commit"),
        (lambda store: list(store.keys()), "runQuery"),
        (lambda store: store.size(), "runQuery"),
        (lambda store: store.purge(), "runQuery"),
        (lambda store: store.drop(), "runQuery commit"),
        (lambda store: store.ping(), "lookup"),
    ],
)
def test_an_operation_asks_no_more_than_it_needs(
    store: Store, asked: Asked, operation: Callable[[Store], object], methods: str
) -> None:
    operation(store)

    assert " ".join(asked.methods) == methods
