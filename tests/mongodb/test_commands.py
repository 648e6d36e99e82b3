"""What the server is asked, counted by a client."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import pytest
from pymongo import MongoClient, monitoring

from beaker_mongodb import MongoNamespaceManager

Store = MongoNamespaceManager


class Asked(monitoring.CommandListener):
    """Notes the names of the commands that a client sends."""

    def __init__(self) -> None:
        self.names: list[str] = []

    def started(self, event: monitoring.CommandStartedEvent) -> None:
        self.names.append(event.command_name)

    def succeeded(self, event: monitoring.CommandSucceededEvent) -> None:
        pass

    def failed(self, event: monitoring.CommandFailedEvent) -> None:
        pass


@pytest.fixture
def asked() -> Asked:
    return Asked()


@pytest.fixture
def client(mongodb_url: str, asked: Asked) -> Iterator[MongoClient[dict[str, Any]]]:
    with MongoClient[dict[str, Any]](mongodb_url, event_listeners=[asked]) as client:
        yield client


@pytest.fixture
def store(client: MongoClient[dict[str, Any]], prefix: str, asked: Asked) -> Store:
    store = Store("namespace", client, prefix=prefix)
    # The first who writes makes the indexes.
    store.store("warm", b"", 60)
    asked.names.clear()
    return store


def test_a_miss_and_its_creation_are_three_round_trips(
    store: Store, asked: Asked
) -> None:
    assert store.fetch("key") is None
    lease = store.lease("key")
    assert lease.acquire()
    assert lease.found is None
    assert store.fill("key", b"data", 60, lease)
    lease.release()

    assert asked.names == ["find", "findAndModify", "update"]


@pytest.mark.parametrize(
    ("operation", "command"),
    [
        (lambda store: store.fetch("warm"), "find"),
        (lambda store: store.fetch("absent"), "find"),
        (lambda store: store.store("key", b"data", 60), "update"),
        (lambda store: store.store_many({"a": b"1", "b": b"2"}, 60), "update"),
        (lambda store: store.fetch_many(map(str, range(1000))), "find"),
        (lambda store: store.discard("warm"), "findAndModify"),
        (lambda store: store.discard_many(["warm"]), "delete"),
        (lambda store: store.replace("key", None, b"data", 60), "update"),
        (lambda store: store.replace("warm", b"", b"data", 60), "update"),
        (lambda store: store.replace("warm", b"x", b"data", 60), "update"),
        (lambda store: store.touch("warm", 60, 1.0), "update"),
        (lambda store: store.fetch_accessed("warm"), "find"),
        (lambda store: list(store.keys()), "find"),
        (lambda store: store.size(), "aggregate"),
        (lambda store: store.ping(), "ping"),
    ],
)
def test_an_operation_is_one_round_trip(
    store: Store, asked: Asked, operation: Callable[[Store], object], command: str
) -> None:
    operation(store)

    assert asked.names == [command]


def test_a_session_that_2x_began_costs_no_look_at_those_of_1x(
    client: MongoClient[dict[str, Any]], prefix: str, asked: Asked
) -> None:
    session = Store(prefix, client, purpose="session")
    session.replace("session", None, b"data", 60)
    asked.names.clear()

    session.fetch_accessed("session")
    session.replace("session", b"data", b"new", 60)
    session.touch("session", 60, 1.0)
    session.discard("session")
    session.fetch("session")

    assert asked.names == ["find", "update", "update", "findAndModify", "find"]


def test_a_given_client_makes_indexes_once(
    client: MongoClient[dict[str, Any]], prefix: str, asked: Asked
) -> None:
    store = Store("namespace", client, prefix=prefix)
    for _ in range(3):
        store.store("key", b"data", 60)

    assert asked.names == ["update", "createIndexes", "update", "update"]
