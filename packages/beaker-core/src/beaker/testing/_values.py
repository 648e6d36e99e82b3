"""Values: kept as they are, for as long as they are good, and whatever damages them."""

from __future__ import annotations

import random
from collections.abc import Callable
from typing import Any

import pytest

from beaker.cache import Cache
from beaker.protocols import NamespaceManager
from beaker.testing._caches import EXPIRE, CacheTests, OpenCache
from beaker.testing._clock import Clock
from beaker.testing._processes import PATIENCE
from beaker.testing._servers import wait_until
from beaker.testing._suite import Stoppable, rounds

__all__ = ["ValueTests"]


class ValueTests(CacheTests):
    """Part of `RegionSuite`."""

    @pytest.mark.parametrize("value", [None, False, 0, 0.0, "", b"", [], {}, ()])
    def test_a_value_that_is_nothing_much_is_kept_as_any_other(
        self, cache: Cache, value: Any
    ) -> None:
        """A function that answers None is called once."""
        calls = []

        def create() -> Any:
            calls.append("call")
            return value

        found = [cache.get("key", createfunc=create) for _ in range(2)]

        assert found == [value, value]
        assert [type(one) for one in found] == [type(value)] * 2
        assert len(calls) == 1
        assert "key" in cache

    def test_a_value_that_was_read_is_the_callers_own(
        self, cache: Cache, backend: type[NamespaceManager]
    ) -> None:
        """Whatever he does to it."""
        if backend.holds_objects:
            pytest.skip(f"{backend.__name__} gives out the very objects")
        cache["key"] = ["as stored"]

        cache["key"].append("changed by a caller")

        assert cache["key"] == ["as stored"]

    def test_a_value_expires(self, cache: Cache, expiry_clock: Clock) -> None:
        """To the second, and not before."""
        cache["key"] = "old"

        expiry_clock.advance(EXPIRE - 1)
        assert cache["key"] == "old"
        expiry_clock.advance(1)

        assert "key" not in cache
        with pytest.raises(KeyError):
            cache.get("key")
        assert cache.get("key", createfunc=lambda: "new") == "new"

    def test_a_value_from_a_clock_that_is_ahead_lives_no_longer_for_it(
        self,
        open_cache: OpenCache,
        backend: type[NamespaceManager],
        expiry_clock: Clock,
    ) -> None:
        """It counts from when it was first seen, or as the store's own clock says."""
        has_own_clock = backend.expires_natively and backend.shared_between_processes
        cache = open_cache(expire=3, grace=0) if has_own_clock else open_cache()
        # The first connection may take longer than such a value lives.
        cache["another"] = "from now"
        expiry_clock.advance(30 * 86400)
        cache["key"] = "from the future"
        expiry_clock.advance(-30 * 86400)

        assert cache["key"] == "from the future"
        if not has_own_clock:
            expiry_clock.advance(EXPIRE - 1)
            assert "key" in cache
            expiry_clock.advance(1)
        wait_until(lambda: "key" not in cache, lambda: "it is there still", PATIENCE)

    # -- records that are damaged

    @pytest.fixture
    def damage(
        self, cache: Cache, backend: type[NamespaceManager]
    ) -> Callable[[bytes], None]:
        """Puts other bytes in the place of the record "key"."""
        if backend.holds_objects:
            pytest.skip(f"{backend.__name__} keeps objects, which cannot be damaged")
        return lambda data: cache.namespace.store("key", data, EXPIRE)

    def test_a_damaged_record_is_a_miss_and_the_next_one_replaces_it(
        self, cache: Cache, damage: Callable[[bytes], None]
    ) -> None:
        """Its neighbours do not notice."""
        cache["key"] = cache["neighbour"] = ["well"]
        whole = cache.namespace.fetch("key") or b""
        shortened = [whole[:length] for length in range(len(whole))]

        for data in (*shortened, b"junk", whole[:16] + b"\xff" * 40):
            damage(data)

            assert "key" not in cache
            assert cache.get("key", createfunc=lambda: "made") == "made"
            assert cache["key"] == "made"
        assert cache["neighbour"] == ["well"]

    def test_no_flipped_bit_makes_a_key_unusable(
        self, cache: Cache, damage: Callable[[bytes], None]
    ) -> None:
        """What is read may be wrong, for caches are not signed, but it is no error."""
        cache["key"] = {"user": "ann", "n": 1}
        whole, chance = cache.namespace.fetch("key") or b"", random.Random(5)  # noqa: S311 - no secret

        for _ in range(50 * rounds()):
            flipped = bytearray(whole)
            flipped[chance.randrange(len(whole))] ^= 1 << chance.randrange(8)
            damage(bytes(flipped))

            cache.get("key", createfunc=lambda: "made")
            cache["key"] = "put"
            assert cache["key"] == "put"

    # -- a store that is away

    def test_a_store_that_is_away_costs_the_caching_and_not_the_value(
        self, stoppable: Stoppable
    ) -> None:
        """The function is called, and the cache used again when the store is back."""
        options, server = stoppable
        cache = Cache("things", **options)
        cache["key"] = "kept"

        server.freeze()
        assert cache.get("other", createfunc=lambda: "made") == "made"
        server.thaw()
        wait_until(lambda: _is_back(cache), lambda: "the cache is not used again")
        server.kill()
        assert cache.get("other", createfunc=lambda: "made again") == "made again"


def _is_back(cache: Cache) -> bool:
    return bool(cache.get("key", createfunc=lambda: "made") == "kept")
