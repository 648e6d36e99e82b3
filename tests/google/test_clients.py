"""Clients: shared by URL, made anew after a fork, and used as they are if given."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from typing import Any

import pytest
from google.cloud import datastore

from beaker.exceptions import InvalidOptionError
from beaker.testing._processes import fork, wait_for
from beaker_google import GoogleNamespaceManager
from beaker_google.addresses import Address
from tests.google.conftest import PATIENT, Asked, OpenNamespace, client_of


def test_namespaces_of_one_url_share_a_client(google_url: str) -> None:
    one = GoogleNamespaceManager("one", url=google_url)
    other = GoogleNamespaceManager("other", "other_kind", url=google_url)
    third = GoogleNamespaceManager("one", url=f"{google_url}&namespace=tenant")

    assert one.client is other.client
    assert one.client is not third.client


@pytest.mark.parametrize(
    ("url", "address"),
    [
        (None, Address()),
        ("", Address()),
        ("datastore://", Address()),
        ("datastore://shop", Address("shop")),
        ("datastore://Shop-1/db", Address("Shop-1", "db")),
        ("datastore:///db", Address(None, "db")),
        ("datastore://example.com:shop", Address("example.com:shop")),
        (
            "datastore://shop?namespace=a&endpoint=http://[::1]:8081",
            Address("shop", None, "a", "http://[::1]:8081"),
        ),
    ],
)
def test_a_url_names_a_database(url: str | None, address: Address) -> None:
    assert Address.parse(url) == address


@pytest.mark.parametrize(
    "url",
    [
        "http://shop",
        "shop",
        "datastore://me:secret@shop",
        "datastore://shop?password=secret",
        "datastore://shop?endpoint=localhost:8081",
        "datastore://shop?endpoint=http://me:secret@localhost",
        "datastore://[shop",
        "datastore://shop?secret",
    ],
)
def test_a_wrong_url_is_told_without_its_password(url: str) -> None:
    with pytest.raises(
        InvalidOptionError, match="option 'url' of ext:google takes"
    ) as raised:
        GoogleNamespaceManager("namespace", url=url)

    assert "secret" not in f"{raised.value}{raised.value.__cause__}"


def test_what_is_no_client_is_told() -> None:
    wrong: Any = object()

    with pytest.raises(InvalidOptionError, match=r"google.cloud.datastore.Client"):
        GoogleNamespaceManager("namespace", url=wrong)


@pytest.mark.usefixtures("penniless")
def test_opening_namespaces_touches_no_network_and_no_credentials() -> None:
    for number in range(10):
        store = GoogleNamespaceManager(f"namespace {number}")
        store.place()


def test_an_emulator_that_the_environment_names_is_found(
    google_url: str, prefix: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    host = client_of(google_url).base_url.removeprefix("http://")
    monkeypatch.setenv("DATASTORE_EMULATOR_HOST", host)
    monkeypatch.setenv("GOOGLE_CLOUD_PROJECT", "beaker-environment")
    store = GoogleNamespaceManager("n", prefix=prefix, store_timeout=PATIENT)

    store.store("key", b"data", 60)

    assert store.client.project == "beaker-environment"
    assert store.fetch("key") == b"data"
    assert store.place() == "ext:google at datastore://"


def test_nothing_is_tried_again_and_no_connection_thrown_away(google_url: str) -> None:
    http: Any = GoogleNamespaceManager("namespace", url=google_url).client._http

    for adapter in http.adapters.values():
        assert adapter.max_retries.total == 0
        assert adapter._pool_maxsize == 100


def test_a_given_client_is_used_and_left_open(
    client: datastore.Client, asked: Asked, prefix: str
) -> None:
    store = GoogleNamespaceManager(
        "namespace", url=client, prefix=prefix, store_timeout=PATIENT
    )
    store.store("key", b"data", 60)

    assert store.client is client
    assert asked.methods == ["commit"]
    assert store.place() == "ext:google at datastore://beaker-test"
    store.drop()
    del store
    assert client.get(client.key("beaker_cache", "absent")) is None


def test_a_given_client_may_use_grpc(
    google_url: str, prefix: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    host = client_of(google_url).base_url.removeprefix("http://")
    monkeypatch.setenv("DATASTORE_EMULATOR_HOST", host)
    mine = datastore.Client(project="beaker-test", _use_grpc=True)
    options: dict[str, Any] = {"prefix": prefix, "store_timeout": PATIENT}
    store = GoogleNamespaceManager("namespace", url=mine, **options)
    store.store("key", b"data", 60)
    lease = store.lease("other")

    assert store.replace("key", b"data", b"new", 60)
    assert not store.replace("key", None, b"new", 60)
    assert lease.acquire()
    assert store.fill("other", b"data", 60, lease)
    assert set(store.keys()) == {"key", "other"}
    assert GoogleNamespaceManager("namespace", url=google_url, **options).size() == 2
    store.drop()
    assert store.size() == 0


@pytest.fixture
def busy(open_namespace: OpenNamespace) -> Iterator[None]:
    """Let four threads of this process read all the time."""
    store, ends = open_namespace(), threading.Event()

    def read() -> None:
        while not ends.is_set():
            store.fetch("key")

    threads = [threading.Thread(target=read) for _ in range(4)]
    for each in threads:
        each.start()
    yield
    ends.set()
    for each in threads:
        each.join()


@pytest.mark.usefixtures("busy")
def test_a_child_of_a_busy_parent_is_not_stuck(open_namespace: OpenNamespace) -> None:
    # By gRPC every seventh child hangs in its first call, and beyond its deadline.
    store = open_namespace()
    for number in range(20):
        assert wait_for([fork(lambda: store.fetch("key") is None)]), number


def test_a_child_makes_its_own_client(open_namespace: OpenNamespace) -> None:
    store = open_namespace()
    mine = store.client

    child = fork(lambda: store.client is not mine)

    assert wait_for([child])
    assert store.client is mine
