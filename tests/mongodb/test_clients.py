"""Clients: shared by URL, made anew after a fork, and used as they are if given."""

from __future__ import annotations

from typing import Any

import pytest
from bson import SON
from pymongo import MongoClient

from beaker.exceptions import InvalidOptionError, MissingCacheParameter
from beaker.synchronization import DEADLINE
from beaker.testing._processes import fork, wait_for
from beaker_mongodb import MongoNamespaceManager, MongoSynchronizer
from beaker_mongodb.connections import connect, without_password
from tests.mongodb.conftest import OpenNamespace, connected

URL = "mongodb://localhost:1/beaker"


def test_namespaces_of_one_url_share_a_client(mongodb_url: str) -> None:
    one = MongoNamespaceManager("one", mongodb_url)
    other = MongoNamespaceManager("other", mongodb_url)

    assert one.client is other.client
    # And what they know of it: the indexes are made once.
    assert one._server._reached() is other._server._reached()
    assert one.client is not MongoNamespaceManager("one", mongodb_url + "x").client


def options_of(url: str, deadline: float = 0.5) -> Any:
    with connect(url, deadline) as client:
        return client.options


def test_a_url_is_followed_with_our_deadline_and_without_retries() -> None:
    options = options_of(URL)

    assert options.timeout == 0.5
    assert options.server_selection_timeout == 0.5
    assert options.pool_options.connect_timeout == 0.5
    assert not options.retry_writes
    assert not options.retry_reads
    assert options.write_concern.document == {"w": "majority"}


def test_what_the_query_says_wins() -> None:
    options = options_of(URL + "?w=1&TIMEOUTMS=3000&retryReads=true")

    assert options.timeout == 3
    assert options.retry_reads
    assert options.write_concern.document == {"w": 1}


def test_who_wants_a_lock_alone_has_more_patience_with_the_server(
    mongodb_url: str,
) -> None:
    lock = MongoSynchronizer("name", mongodb_url)

    assert lock._server.client.options.timeout == DEADLINE == 1.0


def test_without_a_deadline_there_is_none() -> None:
    assert options_of(URL, 0).timeout is None


@pytest.mark.parametrize(
    "url",
    [
        "http://host/beaker",
        "mongodb://host:port/beaker",
        "mongodb://user:secr/et@host/beaker",
        "mongodb://[::1/beaker",
    ],
)
def test_a_wrong_url_is_told_without_its_password(url: str) -> None:
    with pytest.raises(
        InvalidOptionError, match="option 'url' of ext:mongodb takes"
    ) as raised:
        connect(url, 0.2).close()

    assert "secr" not in f"{raised.value}{raised.value.__cause__}"


@pytest.mark.parametrize(
    ("url", "shown"),
    [
        ("mongodb://host:1/db", "mongodb://host:1/db"),
        ("mongodb://user:secret@host:1/db?x=secret", "mongodb://host:1/db"),
        ("mongodb://me:s@cr@t@a,b:2/db", "mongodb://a,b:2/db"),
        ("mongodb://me:se/cret@host/db", "mongodb://..."),
        ("mongodb+srv://me:secret@host/db", "mongodb+srv://host/db"),
    ],
)
def test_a_place_shows_no_password(url: str, shown: str) -> None:
    assert without_password(url) == shown


@pytest.mark.parametrize("url", [None, ""])
def test_a_missing_url_is_told_with_an_example(url: str | None) -> None:
    with pytest.raises((MissingCacheParameter, InvalidOptionError), match="'url'"):
        MongoNamespaceManager("namespace", url)


@pytest.mark.parametrize(
    "url", ["host", "host:27017", "host/beaker", "me:secret@host/beaker", "http://host"]
)
def test_a_url_without_its_scheme_is_told_what_it_takes(url: str) -> None:
    with pytest.raises(InvalidOptionError, match="takes mongodb://host:port") as raised:
        MongoNamespaceManager("namespace", url)

    assert "secret" not in str(raised.value)


@pytest.mark.parametrize("url", ["mongodb://me:secret@host", "mongodb://host/?w=1"])
def test_a_url_without_a_database_is_told_how_to_name_one(url: str) -> None:
    with pytest.raises(MissingCacheParameter, match="27017/beaker") as raised:
        MongoNamespaceManager("namespace", url)

    assert "secret" not in str(raised.value)


def test_a_client_without_a_default_database_is_told_how_to_name_one() -> None:
    with (
        MongoClient[dict[str, Any]]("localhost", connect=False) as mine,
        pytest.raises(MissingCacheParameter, match="default database"),
    ):
        MongoNamespaceManager("namespace", mine)


def test_opening_namespaces_touches_no_network() -> None:
    for number in range(10):
        MongoNamespaceManager(f"namespace {number}", "mongodb://nowhere.invalid/b")


def test_a_given_client_is_used_and_left_open(mongodb_url: str, prefix: str) -> None:
    with connected(mongodb_url) as mine:
        store = MongoNamespaceManager("namespace", mine, prefix=prefix)
        store.store("key", b"data", 60)
        assert store.client is mine
        assert mongodb_url.startswith(store.place().removeprefix("ext:mongodb at "))
        store.drop()
        del store

        assert mine.admin.command("ping")


def test_a_given_client_that_reads_otherwise_does_no_harm(
    mongodb_url: str, prefix: str
) -> None:
    mine: Any = MongoClient(mongodb_url, tz_aware=True, document_class=SON)
    with mine:
        store = MongoNamespaceManager("namespace", mine, prefix=prefix)
        store.store("key", b"\xff\0", 60)

        assert store.fetch("key") == b"\xff\0"
        assert type(store.fetch("key")) is bytes


def test_a_child_makes_its_own_client(open_namespace: OpenNamespace) -> None:
    store = open_namespace()
    mine = store.client

    child = fork(lambda: store.client is not mine)

    assert wait_for([child])
    assert store.client is mine
