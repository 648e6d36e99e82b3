"""Leases and fences: one creates, and nothing stale is stored after an invalidation."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from beaker.protocols import NamespaceManager
from beaker.testing._observing import holds, is_free, wait_until_past
from beaker.testing._suite import Opener, StoreSuite, needs

__all__ = ["INVALIDATIONS", "FenceTests"]

#: All that breaks the lease on "key".
INVALIDATIONS: dict[str, Callable[[NamespaceManager], object]] = {
    "store": lambda store: store.store("key", b"new", 60),
    "store_many": lambda store: store.store_many({"key": b"new"}, 60),
    "discard": lambda store: store.discard("key"),
    "discard_many": lambda store: store.discard_many(["key"]),
    "drop": lambda store: store.drop(),
    "replace": lambda store: store.replace("key", store.fetch("key"), b"new", 60),
}


class FenceTests(StoreSuite):
    """Part of `NamespaceManagerSuite`."""

    def test_a_lease_is_held_by_one(self, store: NamespaceManager) -> None:
        """And says nothing of other keys."""
        lease = store.lease("key")

        assert lease.acquire()

        assert not is_free(store, "key")
        assert is_free(store, "other")
        lease.release()
        assert is_free(store, "key")

    def test_the_holder_of_a_lease_stores_and_thereby_frees_it(
        self, store: NamespaceManager
    ) -> None:
        """Releasing it afterwards does no harm."""
        lease = store.lease("key")
        lease.acquire()

        assert store.fill("key", b"data", 60, lease)

        lease.release()
        assert store.fetch("key") == b"data"
        assert holds(store, ["key"])
        assert is_free(store, "key")

    def test_a_lease_stores_once_and_under_its_own_key(
        self, store: NamespaceManager
    ) -> None:
        """What was created twice is stored once."""
        lease = store.lease("key")
        lease.acquire()

        assert not store.fill("other", b"data", 60, lease)
        assert store.fill("key", b"data", 60, lease)
        assert not store.fill("key", b"again", 60, lease)

        assert store.fetch("other") is None
        assert store.fetch("key") == b"data"
        lease.release()

    def test_a_lease_that_is_not_held_stores_nothing(
        self, store: NamespaceManager
    ) -> None:
        """Neither before it was taken nor after it was released."""
        lease = store.lease("key")
        assert not store.fill("key", b"early", 60, lease)
        lease.acquire()
        lease.release()

        assert not store.fill("key", b"late", 60, lease)

        assert store.fetch("key") is None

    def test_a_lease_alone_is_no_record(self, store: NamespaceManager) -> None:
        """Nobody sees that a value is being created, but who wants to create it."""
        lease = store.lease("key")

        lease.acquire()

        assert store.fetch("key") is None
        assert store.fetch_many(["key"]) == {}
        assert store.fetch_accessed("key") is None
        assert holds(store, [])
        assert not store.touch("key", 60, 1.0)
        assert not store.replace("key", b"", b"data", 60)
        assert not store.enumerable or store.purge() == 0
        assert store.fill("key", b"data", 60, lease)
        lease.release()

    def test_a_lease_leaves_the_stale_record_to_its_readers(
        self, store: NamespaceManager
    ) -> None:
        """It is served while its successor is created, and after a failure."""
        store.store("key", b"stale", 60)
        lease = store.lease("key")

        lease.acquire()
        during = store.fetch("key")
        lease.release()

        assert during == store.fetch("key") == b"stale"
        assert holds(store, ["key"])
        assert is_free(store, "key")

    @pytest.mark.parametrize("before", [None, b"old"])
    @pytest.mark.parametrize("how", INVALIDATIONS)
    def test_what_began_before_an_invalidation_is_not_stored_after_it(
        self, open_namespace: Opener, how: str, before: bytes | None
    ) -> None:
        """Whoever invalidates, whether there was a record or not."""
        store = open_namespace()
        if before is not None:
            store.store("key", before, 60)
        lease = store.lease("key")
        lease.acquire()

        INVALIDATIONS[how](open_namespace())
        left = store.fetch("key")

        assert not store.fill("key", b"stale", 60, lease)
        assert store.fetch("key") == left
        lease.release()

    def test_an_invalidated_creation_leaves_its_successor_alone(
        self, store: NamespaceManager
    ) -> None:
        """Who lost his lease does not free, fill or hinder the next one's."""
        former, present = store.lease("key"), store.lease("key")
        former.acquire()
        store.discard("key")
        filled = store.fill("key", b"stale", 60, former)
        former.release()
        present.acquire()

        former.release()

        assert not filled
        assert not store.fill("key", b"stale", 60, former)
        assert store.fill("key", b"fresh", 60, present)
        present.release()
        assert store.fetch("key") == b"fresh"

    def test_a_failed_replacement_breaks_no_lease(
        self, store: NamespaceManager
    ) -> None:
        """For nothing has changed."""
        lease = store.lease("key")
        lease.acquire()

        assert not store.replace("key", b"other", b"new", 60)

        assert store.fill("key", b"data", 60, lease)
        lease.release()

    def test_what_happens_to_a_neighbour_breaks_no_lease(
        self, open_namespace: Opener
    ) -> None:
        """Another key, another namespace."""
        store, neighbour = open_namespace("user"), open_namespace("user:x")
        lease = store.lease("key")
        lease.acquire()

        store.store("other", b"data", 60)
        store.discard("other")
        store.discard_many(["other", "another"])
        neighbour.store("key", b"data", 60)
        neighbour.drop()

        assert store.fill("key", b"data", 60, lease)
        lease.release()

    @needs("enumerable")
    def test_a_purge_breaks_no_lease(self, store: NamespaceManager) -> None:
        """The record that it removes is just being made anew."""
        store.store("key", b"stale", 0.3)
        lease = store.lease("key")
        lease.acquire()
        # While its successor is made, a store may keep a record that has expired.
        store.store("control", b"stale", 0.3)
        wait_until_past(store, "control")

        store.purge()

        assert store.fill("key", b"fresh", 60, lease)
        assert store.fetch("key") == b"fresh"
        lease.release()
