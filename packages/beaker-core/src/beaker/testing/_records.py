"""Bytes in, the same bytes out: what a store does with one record, and with many."""

from __future__ import annotations

import socket
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest

from beaker.exceptions import StoreRefusedError
from beaker.protocols import NamespaceManager
from beaker.testing._observing import holds
from beaker.testing._suite import Opener, StoreSuite

__all__ = ["RecordTests"]


class RecordTests(StoreSuite):
    """Part of `NamespaceManagerSuite`."""

    # What is replaced is named, for some stores compare objects and not bytes.

    @pytest.fixture
    def store(self, open_namespace: Opener) -> NamespaceManager:
        """One namespace, empty."""
        return open_namespace()

    # -- one record

    def test_a_record_comes_back_as_it_was(self, store: NamespaceManager) -> None:
        """All values of a byte, and more than one packet of them."""
        data = bytes(range(256)) * 50

        store.store("key", data, 60)

        assert store.fetch("key") == data

    def test_an_absent_record_is_none(self, store: NamespaceManager) -> None:
        """Nothing is made up, and there is nothing to remove."""
        assert store.fetch("key") is None
        assert store.fetch_many(["key"]) == {}
        assert store.fetch_accessed("key") is None
        assert not store.discard("key")
        assert holds(store, [])

    def test_an_empty_record_is_not_an_absent_one(
        self, store: NamespaceManager
    ) -> None:
        """No bytes are a record, too."""
        store.store("key", b"", None)

        assert store.fetch("key") == b""
        assert holds(store, ["key"])

    def test_storing_replaces_what_was_there(self, store: NamespaceManager) -> None:
        """A shorter record leaves nothing of a longer one."""
        store.store("key", b"a long first record", None)
        store.store("key", b"new", 60)

        assert store.fetch("key") == b"new"
        assert holds(store, ["key"])

    def test_a_discarded_record_is_gone(self, store: NamespaceManager) -> None:
        """It goes once, and leaves its neighbour."""
        store.store_many({"key": b"data", "other": b"data"}, None)

        assert store.discard("key")

        assert store.fetch("key") is None
        assert not store.discard("key")
        assert holds(store, ["other"])

    def test_half_a_megabyte_is_a_record_like_any_other(
        self, store: NamespaceManager
    ) -> None:
        """Stored, replaced and read whole."""
        data = bytes(range(250)) * 2000
        other = data[::-1]
        store.store("key", data, 60)

        assert store.replace("key", data, other, 60)

        assert store.fetch("key") == other

    def test_a_large_record_is_kept_whole_or_refused(
        self, store: NamespaceManager
    ) -> None:
        """A store has its limit, and says so instead of cutting something off.

        What was there may go with a refused `store`, which was to remove it anyhow.
        """
        large, small = b"x" * 3_000_000, b"small"
        for act in (
            lambda: store.store("key", large, 60),
            lambda: store.replace("key", store.fetch("key"), large, 60),
            lambda: store.store_many({"key": large}, 60),
        ):
            store.store("key", small, 60)
            try:
                act()
            except StoreRefusedError:
                left: set[bytes | None] = {small, None}
            else:
                left = {large}
            assert store.fetch("key") in left

    # -- compare and set

    def test_replacing_needs_what_is_expected(self, store: NamespaceManager) -> None:
        """And leaves what is there where it is another."""
        one, three = b"one", b"three"
        store.store("key", one, 60)

        assert not store.replace("key", b"two", three, 60)
        assert not store.replace("key", None, three, 60)
        assert store.fetch("key") == one
        assert store.replace("key", one, three, 60)
        assert store.fetch("key") == three

    def test_replacing_nothing_needs_nothing_there(
        self, store: NamespaceManager
    ) -> None:
        """One that is expected and absent is not made."""
        assert not store.replace("key", b"one", b"two", 60)
        assert store.fetch("key") is None
        assert store.replace("key", None, b"one", None)
        assert not store.replace("key", None, b"two", None)
        assert store.fetch("key") == b"one"

    def test_replacing_tells_an_empty_record_from_none(
        self, store: NamespaceManager
    ) -> None:
        """No bytes are a record, too."""
        empty = b""
        assert not store.replace("key", empty, b"one", 60)
        store.store("key", empty, 60)

        assert not store.replace("key", None, b"one", 60)
        assert store.replace("key", empty, b"one", 60)

    # -- many

    def test_many_at_once_are_the_same_as_one_by_one(
        self, store: NamespaceManager
    ) -> None:
        """More of them than a statement or a packet takes."""
        records = {f"key {n}": b"%d" % n for n in range(1203)}

        store.store_many(records, 60)

        assert store.fetch_many([*records, "absent"]) == records
        assert holds(store, records)
        assert store.discard_many(["absent", *list(records)[:1000]]) == 1000
        assert holds(store, list(records)[1000:])
        assert store.fetch("key 0") is None

    def test_none_at_once_is_nothing(self, store: NamespaceManager) -> None:
        """No keys, no records, no error."""
        store.store_many({}, 60)

        assert store.fetch_many([]) == {}
        assert store.discard_many([]) == 0

    # -- when it was accessed

    def test_touching_marks_a_record(self, store: NamespaceManager) -> None:
        """The time is kept beside the record, to the fraction of a second."""
        store.store("key", b"data", 60)
        before = store.fetch_accessed("key")

        assert store.touch("key", 60, 1234567890.25)

        assert was_never_touched(before, b"data")
        assert store.fetch_accessed("key") == (b"data", 1234567890.25)
        assert store.fetch("key") == b"data"
        assert holds(store, ["key"])

    def test_touching_what_is_absent_makes_nothing(
        self, store: NamespaceManager
    ) -> None:
        """Not even a mark that a later record would bear."""
        assert not store.touch("key", 60, 1234.5)

        assert store.fetch("key") is None
        assert store.fetch_accessed("key") is None
        assert holds(store, [])
        store.store("key", b"data", 60)
        assert was_never_touched(store.fetch_accessed("key"), b"data")

    @pytest.mark.parametrize("end", ["discard", "drop"])
    def test_the_mark_goes_with_its_record(
        self, store: NamespaceManager, end: str
    ) -> None:
        """A record that comes later was never accessed."""
        store.store("key", b"data", None)
        store.touch("key", None, 1234.5)

        if end == "discard":
            store.discard("key")
        else:
            store.drop()
        store.store("key", b"new", None)

        assert was_never_touched(store.fetch_accessed("key"), b"new")

    # -- the dictionary of 1.x, and what else the core asks

    def test_the_dictionary_of_1x_is_built_on_this(
        self, store: NamespaceManager
    ) -> None:
        """Values in, values out; None is one, and what has expired is not there."""
        store["key"] = {"a": 1}
        store["none"] = None
        store.set_value("gone", 1, 0.01)
        time.sleep(0.03)

        assert store["key"] == {"a": 1}
        assert store["none"] is None
        assert ["key" in store, store.has_key("none"), "gone" in store] == [1, 1, 0]
        for absent in ("gone", "never there"):
            with pytest.raises(KeyError):
                store[absent]
        del store["key"]
        with pytest.raises(KeyError):
            del store["key"]
        store.remove()
        assert "none" not in store

    def test_it_answers_when_it_is_there(self, store: NamespaceManager) -> None:
        """By this the core finds a store back that was away."""
        store.ping()

        assert holds(store, [])

    def test_its_place_tells_no_password(
        self, store: NamespaceManager, options: Mapping[str, Any]
    ) -> None:
        """It stands in errors, and errors stand in logs."""
        url = options.get("url")
        password = urlsplit(url).password if isinstance(url, str) else None

        assert store.place()
        assert password is None or f":{password}@" not in store.place()

    def test_opening_reaches_for_nothing(
        self,
        open_namespace: Opener,
        options: Mapping[str, Any],
        tmp_path: Path,
        monkeypatch: pytest.MonkeyPatch,
    ) -> None:
        """The core makes managers by the thousand, and some are never used."""

        def refuse(*_: object) -> None:
            raise AssertionError("opening a namespace connects to the store")

        monkeypatch.setattr(socket.socket, "connect", refuse)
        places = {name for name in ("data_dir", "lock_dir") if name in options}

        store = open_namespace(**{name: str(tmp_path / name) for name in places})
        store.lease("key")

        assert not any((tmp_path / name).exists() for name in places)


def was_never_touched(found: tuple[bytes, float | None] | None, data: bytes) -> bool:
    """Return whether this is a record without a mark of its own.

    Where a store has no room for "never", it may tell when the record was stored.
    """
    if found is None or found[0] != data:
        return False
    return found[1] is None or abs(found[1] - time.time()) < 600
