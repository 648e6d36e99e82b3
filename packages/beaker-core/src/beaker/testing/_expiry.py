"""Time to live: a record is there until its end, and then it is not listed."""

from __future__ import annotations

import pytest

from beaker.protocols import NamespaceManager
from beaker.testing._observing import holds, wait_until_past
from beaker.testing._servers import wait_until
from beaker.testing._suite import StoreSuite, needs

__all__ = ["ExpiryTests"]


class ExpiryTests(StoreSuite):
    """Part of `NamespaceManagerSuite`."""

    #: Seconds that the store may take to forget what is past its ttl. Set it higher
    #: for a server that looks once a minute, or let it look more often.
    forgets_within = 20.0

    @pytest.mark.parametrize("ttl", [0.9, 1.5, 86400 * 31, 10.0**15, None])
    @pytest.mark.parametrize("how", ["store", "store_many", "replace", "fill"])
    def test_a_record_is_there_before_its_ttl(
        self, store: NamespaceManager, how: str, ttl: float | None
    ) -> None:
        """No time is cut to whole seconds, taken for a date, or too long."""
        lease = store.lease("key")
        if how == "store":
            store.store("key", b"data", ttl)
        elif how == "store_many":
            store.store_many({"key": b"data"}, ttl)
        elif how == "replace":
            assert store.replace("key", None, b"data", ttl)
        else:
            lease.acquire()
            assert store.fill("key", b"data", ttl, lease)
            lease.release()

        assert store.fetch("key") == b"data"
        assert holds(store, ["key"])

    @needs("expires_natively")
    @pytest.mark.parametrize("ttl", [0.3, 0.0001])
    def test_what_expires_natively_is_forgotten(
        self, store: NamespaceManager, ttl: float
    ) -> None:
        """Nobody purges it, and it goes; its neighbours stay."""
        store.store("key", b"data", ttl)
        store.store("other", b"data", 3600)
        store.store("eternal", b"data", None)

        wait_until(
            lambda: store.fetch("key") is None,
            lambda: f"a record with a ttl of {ttl} seconds is not forgotten",
            self.forgets_within,
        )

        assert holds(store, ["other", "eternal"])

    @needs("enumerable")
    def test_what_is_past_its_ttl_is_not_listed_and_can_be_purged(
        self, store: NamespaceManager
    ) -> None:
        """Once, and without what is not."""
        store.store_many({"a": b"1", "b": b"2"}, 0.3)
        store.store("other", b"3", 3600)
        store.store("eternal", b"4", None)
        wait_until_past(store, "a", self.forgets_within)
        wait_until_past(store, "b", self.forgets_within)

        purged, then = store.purge(), store.purge()

        # Who forgets by himself may have been quicker.
        assert purged in ((0, 1, 2) if store.expires_natively else (2,))
        assert then == 0
        assert store.fetch("a") is store.fetch("b") is None
        assert holds(store, ["other", "eternal"])

    def test_whatever_changes_a_record_moves_its_end(
        self, store: NamespaceManager
    ) -> None:
        """Farther away, and for ever."""
        old, new = b"old", b"new"
        ways = ("stored", "many", "replaced", "touched", "filled", "control")
        leases = {}
        for key in ways:
            store.store(key, old, 2)
            leases[key] = store.lease(key)

        store.store("stored", new, None)
        store.store_many({"many": new}, 3600)
        assert store.replace("replaced", old, new, 3600)
        assert store.touch("touched", 3600, 1.0)
        leases["filled"].acquire()
        assert store.fill("filled", new, 3600, leases["filled"])
        store.store("control", old, 2)
        wait_until_past(store, "control", self.forgets_within)

        if store.enumerable:
            store.purge()
            assert holds(store, ways[:-1])
        found = [store.fetch(key) for key in ways[:-1]]
        assert found == [new, new, new, old, new]

    def test_a_shorter_end_comes_sooner(self, store: NamespaceManager) -> None:
        """What was to be kept for an hour goes with its new end."""
        old = b"old"
        store.store_many({"stored": old, "replaced": old, "touched": old}, 3600)

        store.store("stored", old, 0.3)
        assert store.replace("replaced", store.fetch("replaced"), old, 0.3)
        assert store.touch("touched", 0.3, 1.0)

        for key in ("stored", "replaced", "touched"):
            wait_until_past(store, key, self.forgets_within)
