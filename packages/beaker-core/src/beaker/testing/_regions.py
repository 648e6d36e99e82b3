"""Caches, regions and decorated functions as one suite, whatever store they are on."""

from __future__ import annotations

from beaker.testing._creation import CreationTests
from beaker.testing._invalidation import InvalidationTests
from beaker.testing._values import ValueTests

__all__ = ["RegionSuite"]


class RegionSuite(CreationTests, InvalidationTests, ValueTests):
    """All that a cache promises, tested: inherit, and give the fixture `options`.

    Which tests run is told by the abilities that the store's class claims. Give the
    fixture `stoppable`, too, where a test can take the store away.
    """
