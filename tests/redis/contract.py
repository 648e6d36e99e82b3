"""What every store on a server promises, whichever it is."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

import pytest

from beaker.exceptions import UnsupportedOperationError
from beaker.protocols import NamespaceManager

Open = Callable[..., NamespaceManager]

#: Names that a careless join would take for one another, and odd text.
HOSTILE = [
    ("a", "b:c"),
    ("a:b", "c"),
    ("a", "b:c#"),
    ("a#b", "c"),
    ("{a}", "b"),
    ("a}", "{b"),
    ("", "a"),
    ("a", ""),
    ("a*", "?"),
    ("ä\N{SNOWMAN}", "\0\r\n "),
    ("\ud800", "\udfff"),
    ("x" * 3000, "y" * 3000),
]


class StoreContract:
    """Inherit, and give the fixture `open_namespace`."""

    @pytest.fixture
    def store(self, open_namespace: Open) -> NamespaceManager:
        return open_namespace("namespace")

    def test_a_record_comes_back_as_it_was(self, store: NamespaceManager) -> None:
        data = bytes(range(256)) * 50

        store.store("key", data, 60)

        assert store.fetch("key") == data

    def test_an_absent_record_is_none(self, store: NamespaceManager) -> None:
        assert store.fetch("key") is None
        assert not store.discard("key")

    def test_an_empty_record_is_not_an_absent_one(
        self, store: NamespaceManager
    ) -> None:
        store.store("key", b"", None)

        assert store.fetch("key") == b""

    def test_storing_replaces_what_was_there(self, store: NamespaceManager) -> None:
        store.store("key", b"old", None)
        store.store("key", b"new", 60)

        assert store.fetch("key") == b"new"

    def test_a_discarded_record_is_gone(self, store: NamespaceManager) -> None:
        store.store("key", b"data", None)

        assert store.discard("key")
        assert store.fetch("key") is None

    def test_hostile_names_never_share_a_record(self, open_namespace: Open) -> None:
        for number, (name, key) in enumerate(HOSTILE):
            open_namespace(name).store(key, b"%d" % number, None)

        for number, (name, key) in enumerate(HOSTILE):
            assert open_namespace(name).fetch(key) == b"%d" % number

    def test_hostile_keys_are_listed_as_they_were_given(
        self, open_namespace: Open
    ) -> None:
        for name, key in HOSTILE:
            open_namespace(name).store(key, b"", None)

        assert holds(open_namespace("a"), {"b:c", "b:c#", ""})
        assert holds(open_namespace("\ud800"), {"\udfff"})

    def test_what_it_cannot_list_it_does_not_claim_to(
        self, store: NamespaceManager
    ) -> None:
        for ask in (store.keys, store.size, store.purge):
            if store.enumerable:
                ask()
            else:
                with pytest.raises(UnsupportedOperationError, match="'enumerable'"):
                    ask()

    @pytest.mark.parametrize("ttl", [0.05, 0.0001])
    def test_a_record_is_forgotten_after_its_ttl(
        self, store: NamespaceManager, ttl: float
    ) -> None:
        store.store("key", b"data", ttl)
        store.store("other", b"data", 60)

        wait_until_absent(store, "key")

        assert holds(store, {"other"})

    @pytest.mark.parametrize("ttl", [0.5, 86400 * 31, 10.0**15, None])
    def test_a_record_is_there_before_its_ttl(
        self, store: NamespaceManager, ttl: float | None
    ) -> None:
        store.store("key", b"data", ttl)

        assert store.fetch("key") == b"data"
        assert holds(store, {"key"})

    def test_storing_anew_without_a_ttl_keeps_for_ever(
        self, store: NamespaceManager
    ) -> None:
        store.store("key", b"old", 0.05)
        store.store("key", b"new", None)
        time.sleep(0.08)

        assert store.fetch("key") == b"new"
        assert holds(store, {"key"})

    def test_replacing_compares_bytes(self, store: NamespaceManager) -> None:
        store.store("key", b"one", 60)

        assert not store.replace("key", b"two", b"three", 60)
        assert not store.replace("key", None, b"three", 60)
        assert store.replace("key", b"one", b"three", 60)
        assert store.fetch("key") == b"three"

    def test_replacing_nothing_needs_nothing_there(
        self, store: NamespaceManager
    ) -> None:
        assert not store.replace("key", b"one", b"two", 60)
        assert store.replace("key", None, b"one", None)
        assert not store.replace("key", None, b"two", None)
        assert store.fetch("key") == b"one"

    def test_replacing_tells_an_empty_record_from_none(
        self, store: NamespaceManager
    ) -> None:
        assert not store.replace("key", b"", b"one", 60)
        store.store("key", b"", 60)

        assert not store.replace("key", None, b"one", 60)
        assert store.replace("key", b"", b"one", 60)

    def test_many_at_once_are_the_same_as_one_by_one(
        self, store: NamespaceManager
    ) -> None:
        records = {f"key {n}": b"%d" % n for n in range(1203)}

        store.store_many(records, 60)

        assert store.fetch_many([*records, "absent"]) == records
        assert holds(store, set(records))
        assert store.discard_many(["absent", *list(records)[:1000]]) == 1000
        assert holds(store, set(list(records)[1000:]))

    def test_none_at_once_is_nothing(self, store: NamespaceManager) -> None:
        store.store_many({}, 60)

        assert store.fetch_many([]) == {}
        assert store.discard_many([]) == 0

    def test_dropping_leaves_neighbours_alone(self, open_namespace: Open) -> None:
        names = ["user", "user:x", "use", "user*", "User", "", "{user}"]
        for name in names:
            open_namespace(name).store_many({"a": b"1", "b": b"2"}, 60)

        open_namespace("user").drop()

        assert open_namespace("user").fetch("a") is None
        assert holds(open_namespace("user"), set())
        assert all(holds(open_namespace(name), {"a", "b"}) for name in names[1:])

    def test_dropping_twice_is_dropping(self, store: NamespaceManager) -> None:
        store.drop()
        store.store("key", b"data", None)
        store.drop()
        store.drop()

        assert store.fetch("key") is None
        assert holds(store, set())

    def test_purging_counts_what_has_expired(self, store: NamespaceManager) -> None:
        store.store_many({"a": b"", "b": b""}, 0.05)
        store.store("c", b"", 60)
        wait_until_absent(store, "a")
        wait_until_absent(store, "b")

        if store.enumerable:
            assert store.purge() == 2
            assert store.purge() == 0
        assert holds(store, {"c"})

    def test_touching_keeps_longer_and_remembers_when(
        self, store: NamespaceManager
    ) -> None:
        store.store("key", b"data", 0.5)

        assert store.fetch_accessed("key") == (b"data", None)
        assert store.touch("key", 60, 1234.5)
        time.sleep(0.6)

        assert store.fetch_accessed("key") == (b"data", 1234.5)
        assert holds(store, {"key"})

    def test_touching_what_is_absent_makes_nothing(
        self, store: NamespaceManager
    ) -> None:
        assert not store.touch("key", 60, 1234.5)

        assert store.fetch("key") is None
        assert store.fetch_accessed("key") is None
        store.store("key", b"data", 60)
        assert store.fetch_accessed("key") == (b"data", None)

    @pytest.mark.parametrize("end", ["discard", "drop"])
    def test_the_access_time_goes_with_its_record(
        self, store: NamespaceManager, end: str
    ) -> None:
        store.store("key", b"data", None)
        store.touch("key", None, 1234.5)

        if end == "discard":
            store.discard("key")
        else:
            store.drop()
        store.store("key", b"data", None)

        assert store.fetch_accessed("key") == (b"data", None)

    def test_a_lease_is_held_by_one_and_filled_once(
        self, store: NamespaceManager
    ) -> None:
        lease, other = store.lease("key"), store.lease("key")

        assert lease.acquire()
        assert not other.acquire(wait=False)
        assert store.fill("key", b"data", 60, lease)
        lease.release()

        assert store.fetch("key") == b"data"
        assert other.acquire(wait=False)
        other.release()

    def test_leases_on_different_keys_are_independent(
        self, open_namespace: Open
    ) -> None:
        leases = [
            open_namespace("one").lease("key"),
            open_namespace("one").lease("other"),
            open_namespace("two").lease("key"),
        ]

        assert all(lease.acquire(wait=False) for lease in leases)

        for lease in leases:
            lease.release()

    def test_a_released_lease_stores_nothing(self, store: NamespaceManager) -> None:
        lease = store.lease("key")
        lease.acquire()
        lease.release()

        assert not store.fill("key", b"late", 60, lease)
        assert store.fetch("key") is None

    @pytest.mark.parametrize(
        "how", ["store", "store_many", "discard", "replace", "drop"]
    )
    def test_what_began_before_an_invalidation_is_not_stored_after_it(
        self, store: NamespaceManager, how: str
    ) -> None:
        lease = store.lease("key")
        lease.acquire()

        invalidate: dict[str, Callable[[], Any]] = {
            "store": lambda: store.store("key", b"new", 60),
            "store_many": lambda: store.store_many({"key": b"new"}, 60),
            "discard": lambda: store.discard("key"),
            "replace": lambda: store.replace("key", None, b"new", 60),
            "drop": store.drop,
        }
        invalidate[how]()
        present = store.fetch("key")

        assert not store.fill("key", b"old", 60, lease)
        assert store.fetch("key") == present
        lease.release()

    def test_a_failed_replacement_leaves_the_lease(
        self, store: NamespaceManager
    ) -> None:
        lease = store.lease("key")
        lease.acquire()

        assert not store.replace("key", b"other", b"new", 60)

        assert store.fill("key", b"data", 60, lease)

    def test_a_lease_on_one_key_is_not_one_on_another(
        self, store: NamespaceManager
    ) -> None:
        lease = store.lease("key")
        lease.acquire()

        assert not store.fill("other", b"data", 60, lease)
        assert store.fetch("other") is None
        lease.release()

    def test_the_face_of_1x_is_built_on_this(self, store: NamespaceManager) -> None:
        store["key"] = {"a": 1}
        store.set_value("gone", 1, 0.01)
        time.sleep(0.03)

        assert store["key"] == {"a": 1}
        assert "key" in store
        assert "gone" not in store
        with pytest.raises(KeyError):
            store["gone"]
        del store["key"]
        with pytest.raises(KeyError):
            del store["key"]


def holds(store: NamespaceManager, keys: set[str]) -> bool:
    """Return whether these records are there and, where it can be told, no others."""
    if store.enumerable:
        return set(store.keys()) == keys and store.size() == len(keys)
    return store.fetch_many(keys).keys() == keys


def wait_until_absent(store: NamespaceManager, key: str) -> None:
    gives_up_at = time.monotonic() + 5
    while store.fetch(key) is not None:
        assert time.monotonic() < gives_up_at
        time.sleep(0.005)
