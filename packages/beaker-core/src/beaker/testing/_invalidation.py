"""Invalidation: exact, final, and no matter of who is computing meanwhile."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Any
from uuid import uuid4

import pytest

from beaker.cache import Cache, CacheManager, cache_regions
from beaker.testing._caches import CacheTests, OpenCache, put_expired, soon
from beaker.testing._clock import Clock
from beaker.testing._processes import fork, succeeds
from beaker.testing._suite import needs

__all__ = ["InvalidationTests"]

#: What ends all computations of "key" that are under way.
INVALIDATIONS: Mapping[str, Callable[[Cache], object]] = {
    "remove": lambda cache: cache.remove_value("key"),
    "put": lambda cache: cache.put("key", "put meanwhile"),
    "clear": lambda cache: cache.clear(),
}

#: Names that a careless store mixes up with "mine".
NEIGHBOURS = [
    *("mine:x", "mine.x", "mine x", "mine_", "min", "MINE", " mine", "mine ", "m*"),
    *("m?ne", "m%", "m_ne", "min[e]", "mine\0", "mine/..", "2:mine", "theirs", "é"),
]


class InvalidationTests(CacheTests):
    """Part of `RegionSuite`."""

    @pytest.fixture
    def region(self, own_options: Mapping[str, Any]) -> Iterator[str]:
        """A region of this test's own."""
        name = f"region {uuid4().hex}"
        cache_regions[name] = {**own_options, "expire": 60}
        yield name
        del cache_regions[name]

    @pytest.mark.parametrize("how", INVALIDATIONS)
    @pytest.mark.parametrize("before", ["nothing", "old"])
    def test_nothing_computed_before_an_invalidation_is_stored_after_it(
        self, cache: Cache, open_cache: OpenCache, how: str, before: str
    ) -> None:
        """The caller has it; it is outdated for all others."""
        if before == "old":
            put_expired(cache, "key", "old")

        def create() -> str:
            INVALIDATIONS[how](open_cache())
            return "outdated"

        assert cache.get("key", createfunc=create) == "outdated"
        expected = "put meanwhile" if how == "put" else "made anew"
        assert soon(cache, "key", "made anew") == expected

    @needs("fork", "shared_between_processes")
    @pytest.mark.parametrize("how", INVALIDATIONS)
    def test_an_invalidation_by_another_process_counts_as_much(
        self, cache: Cache, how: str
    ) -> None:
        """It ends what is being computed here."""

        def invalidate() -> bool:
            INVALIDATIONS[how](cache)
            return True

        def create() -> str:
            assert succeeds(fork(invalidate))
            return "outdated"

        assert cache.get("key", createfunc=create) == "outdated"
        expected = "put meanwhile" if how == "put" else "made anew"
        assert soon(cache, "key", "made anew") == expected

    def test_clear_empties_its_own_namespace_and_no_other(
        self, open_cache: OpenCache
    ) -> None:
        """However much their names are alike."""
        mine, *others = (open_cache(name) for name in ("mine", *NEIGHBOURS))
        for cache in (mine, *others):
            cache["a"], cache["b"] = cache.namespace_name, 2

        mine.clear()

        assert [key in mine for key in "ab"] == [False, False]
        assert [cache["a"] for cache in others] == NEIGHBOURS
        mine["a"] = "again"
        assert mine["a"] == "again"

    def test_a_region_remembers_a_call_until_that_call_is_invalidated(
        self, region: str
    ) -> None:
        """And the other calls after it."""
        manager, calls = CacheManager(), []

        @manager.region(region, "doubled")
        def double(number: int) -> int:
            calls.append(number)
            return 2 * number

        assert [double(1), double(1), double(2)] == [2, 2, 4]
        manager.region_invalidate(double, None, "doubled", 1)
        assert [double(1), double(2)] == [2, 4]

        assert calls == [1, 2, 1]

    def test_a_region_has_an_expiry_of_its_own(
        self, region: str, expiry_clock: Clock
    ) -> None:
        """Here of a minute."""
        calls = []

        @CacheManager().region(region)
        def load() -> int:
            calls.append("call")
            return len(calls)

        found = [load()]
        for seconds in (59, 1):
            expiry_clock.advance(seconds)
            found.append(load())

        assert found == [1, 1, 2]
