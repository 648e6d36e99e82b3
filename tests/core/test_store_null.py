"""The store that keeps nothing."""

from __future__ import annotations

import threading

import pytest

from beaker.backends.null import NullNamespaceManager
from beaker.cache import Cache, CacheManager
from beaker.testing._processes import PATIENCE
from tests.core.conftest import Calls

pytestmark = pytest.mark.usefixtures("own_registries")


@pytest.fixture(params=["type", "enabled"])
def cache(request: pytest.FixtureRequest) -> Cache:
    """A cache that was given no store, or is switched off."""
    if request.param == "type":
        return Cache("things", type="null", expire=60)
    return CacheManager(type="file", enabled="off", data_dir=None).get_cache("things")


def test_a_value_is_made_each_time(cache: Cache, calls: Calls) -> None:
    assert isinstance(cache.namespace, NullNamespaceManager)

    found = [cache.get("k", createfunc=calls) for _ in range(2)]

    assert found == ["value 1", "value 2"]


def test_nothing_is_found_again(cache: Cache) -> None:
    cache["k"] = 1

    assert "k" not in cache
    with pytest.raises(KeyError):
        cache["k"]
    del cache["k"]
    cache.clear()


def test_creators_do_not_wait_for_each_other(cache: Cache) -> None:
    both_run = threading.Barrier(2, timeout=PATIENCE)
    found: list[int] = []

    def ask() -> None:
        found.append(cache.get("k", createfunc=both_run.wait))

    callers = [threading.Thread(target=ask) for _ in range(2)]
    for caller in callers:
        caller.start()
    for caller in callers:
        caller.join(PATIENCE)

    assert sorted(found) == [0, 1]


def test_it_has_the_methods_of_a_store() -> None:
    store = NullNamespaceManager("things")

    assert store.replace("k", None, "data", None)
    assert not store.replace("k", "data", "other", None)
    assert (list(store.keys()), store.size(), store.purge()) == ([], 0, 0)
    assert not store.touch("k", 60, 1.0)
    assert store.fetch_accessed("k") is None
    assert store.fill("k", "data", None, store.lease("k"))
    assert store.fetch_many(["k"]) == {}
    store.ping()
