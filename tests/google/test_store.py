from __future__ import annotations

import time
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from google.cloud import datastore

from beaker.cache import Cache
from beaker.exceptions import InvalidOptionError, StoreRefusedError
from beaker_google import GoogleNamespaceManager
from beaker_google.table import LARGEST
from tests.google.conftest import PATIENT, OpenNamespace


class TestGoogleSession:
    """A session's namespace is its id, and it holds one record."""

    @pytest.fixture
    def open_session(self, open_namespace: OpenNamespace) -> OpenNamespace:
        return lambda name: open_namespace(name, purpose="session")

    @pytest.mark.parametrize("id", ["0" * 32, "a.b.c", "a:b", "__a__", "\ud800", ""])
    def test_it_is_kept_touched_and_removed(
        self, open_session: OpenNamespace, id: str
    ) -> None:
        session = open_session(id)

        assert session.replace("session", None, b"data", 60)
        assert session.touch("session", 60, 1234.5)
        assert session.fetch_accessed("session") == (b"data", 1234.5)
        assert list(session.keys()) == ["session"]
        assert session.size() == 1
        assert session.purge() == 0
        assert session.discard("session")
        assert session.fetch_accessed("session") is None
        assert session.size() == 0

    def test_dropping_one_leaves_the_others(self, open_session: OpenNamespace) -> None:
        for name in ("a", "a:b", "aa"):
            open_session(name).store("session", b"data", 60)

        open_session("a").drop()

        assert open_session("a").fetch("session") is None
        assert open_session("a:b").fetch("session") == b"data"
        assert open_session("aa").fetch("session") == b"data"

    def test_it_is_no_record_of_a_cache(
        self, open_session: OpenNamespace, open_namespace: OpenNamespace
    ) -> None:
        open_session("name").store("session", b"session", 60)
        open_namespace("name").store("session", b"cache", 60)

        assert open_session("name").fetch("session") == b"session"

    def test_one_that_has_expired_is_purged(self, open_session: OpenNamespace) -> None:
        session = open_session("id")
        session.store("session", b"data", 0.01)
        time.sleep(0.02)

        assert session.purge() == 1
        assert session.purge() == 0

    def test_those_that_nobody_uses_are_purged_and_no_others(
        self, open_namespace: OpenNamespace, open_session: OpenNamespace
    ) -> None:
        other_program = open_namespace("old", purpose="session", prefix="other-")
        other_program.store("session", b"data", None)
        open_namespace("name").store("session", b"data", None)
        for number in range(120):
            open_session(f"old {number}").store("session", b"data", None)
        for name in ("used", "touched", "long " * 200):
            open_session(name).store("session", b"data", None)
        open_session("touched").touch("session", None, time.time() - 1000)
        open_session("used").touch("session", None, time.time() + 1000)

        *_, counted = open_session("any").purge_sessions(-500, dry_run=True)
        *_, done = open_session("any").purge_sessions(-500)

        assert counted == done == (123, 122, 123)
        assert open_session("used").fetch("session") == b"data"
        assert open_session("long " * 200).fetch("session") is None
        assert other_program.fetch("session") == b"data"
        assert open_namespace("name").fetch("session") == b"data"

    def test_one_manager_opens_others_cheaply(
        self, open_session: OpenNamespace
    ) -> None:
        first = open_session("a")
        first.store("session", b"first", 60)
        first.fetch("session")
        other = first.sibling("b")

        # What is known of one is not believed of the other.
        assert other.replace("session", None, b"other", 60)
        assert first.fetch("session") == b"first"
        assert open_session("b").fetch("session") == b"other"


def test_nothing_is_indexed_but_the_list(
    open_namespace: OpenNamespace, client: datastore.Client
) -> None:
    store = open_namespace()
    store.store("key", b"x" * 2000, 60)
    store.touch("key", 60, 1.0)
    store.lease("key").acquire()
    store.store("k" * 2000, b"data", 60)

    found = client.get(client.key("beaker_cache", store._names.name("key")))
    other = client.get(client.key("beaker_cache", store._names.name("k" * 2000)))

    assert found is not None
    assert set(found) - found.exclude_from_indexes == {"place"}
    assert set(other) - other.exclude_from_indexes == {"place"}


def test_a_session_is_indexed_by_nothing(
    open_namespace: OpenNamespace, client: datastore.Client
) -> None:
    store = open_namespace("id", purpose="session")
    store.store("session", b"data", 60)

    found = client.get(client.key("beaker_cache", store._names.name("session")))

    assert found is not None
    assert (
        set(found)
        == found.exclude_from_indexes
        == {
            "accessed",
            "data",
            "ends",
            "expires",
        }
    )


def test_the_property_for_the_policy_says_when_a_record_ends(
    open_namespace: OpenNamespace, client: datastore.Client
) -> None:
    store = open_namespace()
    store.store("key", b"data", 100)
    store.store("eternal", b"data", None)

    found = client.get(client.key("beaker_cache", store._names.name("key")))
    other = client.get(client.key("beaker_cache", store._names.name("eternal")))

    # A policy removes by a time only: a number would disable it.
    assert isinstance(found["expires"], datetime)
    ends_in = found["expires"] - datetime.now(UTC)
    assert abs(ends_in - timedelta(seconds=100)) < timedelta(seconds=20)
    assert "expires" not in other


def test_what_has_expired_is_there_until_it_is_purged_and_nobody_reads_it(
    open_namespace: OpenNamespace, client: datastore.Client
) -> None:
    store = open_namespace()
    store.store_many({"a": b"", "b": b""}, 0.01)
    store.store("c", b"", None)
    time.sleep(0.02)

    assert store.fetch_many(["a", "b", "c"]) == {"c": b""}
    assert list(store.keys()) == ["c"]
    assert client.get(client.key("beaker_cache", store._names.name("a"))) is not None
    assert store.purge() == 2
    assert client.get(client.key("beaker_cache", store._names.name("a"))) is None
    assert store.fetch("c") == b""


def test_what_has_expired_does_not_stand_in_the_way(
    open_namespace: OpenNamespace,
) -> None:
    store = open_namespace()
    store.store_many({"a": b"old", "b": b"old", "c": b"old"}, 0.01)
    time.sleep(0.02)
    lease = store.lease("b")

    assert store.replace("a", None, b"new", 60)
    assert lease.acquire()
    assert lease.found is None
    assert store.fill("b", b"new", 60, lease)
    assert not store.touch("c", 60, 1.0)
    assert not store.discard("c")
    assert store.fetch_many(["a", "b", "c"]) == {"a": b"new", "b": b"new"}


def test_a_lease_of_one_who_died_is_purged_and_not_counted(
    open_namespace: OpenNamespace,
    client: datastore.Client,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(GoogleNamespaceManager, "lease_expires_in", 0.05)
    store = open_namespace()
    lease: Any = store.lease("key")
    lease.acquire()
    # As its holder's death does it: nobody renews, and nobody frees.
    lease.forget()
    time.sleep(0.1)

    assert store.purge() == 0
    assert client.get(client.key("beaker_cache", store._names.name("key"))) is None


def test_purging_takes_nothing_that_is_under_a_lease(
    open_namespace: OpenNamespace,
) -> None:
    store = open_namespace()
    store.store("key", b"old", 0.3)
    lease = store.lease("key")
    lease.acquire()
    time.sleep(0.4)

    assert store.purge() == 0

    assert store.fill("key", b"new", 60, lease)


def test_dropping_asks_for_its_own_and_no_others(
    open_namespace: OpenNamespace,
) -> None:
    mine, theirs = open_namespace("mine"), open_namespace("mine:x")
    records = {f"key {number}": b"data" for number in range(1200)}
    theirs.store_many(records, 60)
    mine.store_many(records, 60)

    mine.drop()

    assert mine.size() == 0
    assert theirs.size() == 1200


def test_kinds_are_apart(open_namespace: OpenNamespace) -> None:
    one, other = open_namespace(), open_namespace(table_name="other_cache")
    one.store("key", b"one", 60)

    assert other.fetch("key") is None
    other.drop()
    assert one.fetch("key") == b"one"


def test_the_second_argument_is_the_table_as_in_1x(google_url: str) -> None:
    store = GoogleNamespaceManager("namespace", "my_cache", url=google_url)

    assert store.settings.own == {"table_name": "my_cache"}
    assert store.settings.url == google_url


@pytest.mark.parametrize("name", ["", "__kind__", "k" * 1501, 5])
def test_what_is_no_kind_is_told(name: Any) -> None:
    with pytest.raises(InvalidOptionError, match="'table_name' takes"):
        GoogleNamespaceManager("namespace", name)


def opened_twice(url: str, more: str, prefix: str) -> list[GoogleNamespaceManager]:
    given: dict[str, Any] = {"prefix": prefix, "store_timeout": PATIENT}
    urls = (url, url.replace("?", more))
    return [GoogleNamespaceManager("name", url=one, **given) for one in urls]


def test_the_namespaces_of_datastore_are_apart(google_url: str, prefix: str) -> None:
    one, other = opened_twice(google_url, "?namespace=tenant&", prefix)
    one.store("key", b"one", 60)

    assert other.fetch("key") is None
    other.store("key", b"other", 60)
    other.drop()
    assert one.fetch("key") == b"one"
    assert other.size() == 0


def test_the_databases_of_a_project_are_apart(google_url: str, prefix: str) -> None:
    # Queries of the emulator go through all of them, whoever asks.
    one, other = opened_twice(google_url, "/other?", prefix)
    one.store("key", b"one", 60)

    assert other.fetch("key") is None
    other.store("key", b"other", 60)
    assert other.discard("key")
    assert one.fetch("key") == b"one"


def test_the_largest_record_is_kept_and_replaced(open_namespace: OpenNamespace) -> None:
    store = open_namespace("n" * 400)
    key = "k" * 400
    one, other = b"1" * LARGEST, b"2" * LARGEST
    store.store(key, one, 60)

    assert not store.replace(key, other, one, 60)
    assert store.replace(key, one, other, 60)
    lease = store.lease(key)
    assert lease.acquire()
    assert lease.found == other
    assert store.fill(key, one, 60, lease)
    assert store.fetch(key) == one


def test_more_than_one_request_holds_is_stored_and_read(
    open_namespace: OpenNamespace,
) -> None:
    store = open_namespace()
    records = {f"key {number}": b"%02d" % number * 200_000 for number in range(14)}

    store.store_many(records, 60)

    # More than 4 MiB the emulator does not send; Datastore sends them in pieces.
    some, others = list(records)[:7], list(records)[7:]
    assert store.fetch_many(some) | store.fetch_many(others) == records


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


def test_a_cached_function_returns_what_is_too_large_to_keep(google_url: str) -> None:
    cache = Cache("large", type="ext:google", url=google_url, store_timeout=10)

    made = cache.get("key", createfunc=lambda: b"x" * (LARGEST + 1))

    assert len(made) == LARGEST + 1
    with pytest.raises(StoreRefusedError, match="keep less under one key"):
        cache.put("key", made)
