"""What can be done with a decorated function beside calling it."""

from __future__ import annotations

import asyncio
import functools
import inspect
import pickle
from collections.abc import Callable
from typing import Any

import pytest

from beaker._caching.formerkeys import former_namespace
from beaker.cache import (
    Cache,
    CacheManager,
    cache_region,
    cache_regions,
    region_invalidate,
)
from beaker.exceptions import InvalidOptionError, RecursiveCreationError
from beaker.testing._processes import PATIENCE
from tests.core.callers import SlowCalls, ask
from tests.core.conftest import Calls

pytestmark = pytest.mark.usefixtures("own_registries")


@pytest.fixture
def manager(store: dict[str, Any]) -> CacheManager:
    """A manager of caches in each kind of store."""
    return CacheManager(expire=60, **store)


class Shop:
    """Has decorated methods of each kind."""

    name = "shop"

    def __init__(self, name: str = "shop") -> None:
        self.name = name

    @cache_region("shops")
    def stock(self, article: int = 1) -> tuple[str, int, object]:
        """Return what there is."""
        return self.name, article, object()

    @cache_region("shops", key=lambda self, article: (self.name, article))
    def own_stock(self, article: int) -> tuple[str, int, object]:
        """Return what this shop has."""
        return self.name, article, object()

    @classmethod
    @cache_region("shops")
    def all(cls, name: str) -> tuple[str, str, object]:
        """Return all of a name."""
        return cls.__name__, name, object()

    @staticmethod
    @cache_region("shops")
    def any(name: str) -> tuple[str, object]:
        """Return anything."""
        return name, object()


@pytest.fixture
def shop() -> Shop:
    """A shop whose region is configured, in memory, after it was decorated."""
    cache_regions["shops"] = {"type": "memory", "expire": 60}
    return Shop()


# -- functions


def test_one_result_is_invalidated_and_its_neighbours_are_not(
    manager: CacheManager, calls: Calls
) -> None:
    @manager.cache("tag")
    def load(term: str, limit: int = 10) -> str:
        return calls(term, limit)

    load("a"), load("b")

    load.invalidate("a", limit=10)

    assert [load("b"), load("a")] == ["value 2", "value 3"]


def test_arguments_that_no_call_can_have_cannot_be_invalidated(
    manager: CacheManager,
) -> None:
    class Shop:
        @manager.cache()
        def stock(self, article: int) -> int:
            return article

    with pytest.raises(TypeError, match="too many positional arguments"):
        Shop.stock.invalidate(Shop(), 7)
    with pytest.raises(TypeError, match="missing a required argument: 'article'"):
        Shop().stock.invalidate()


def test_all_results_of_one_function_are_invalidated_and_no_others(
    manager: CacheManager, calls: Calls
) -> None:
    @manager.cache()
    def load(term: str) -> str:
        return calls(term)

    @manager.cache()
    def other(term: str) -> str:
        return calls(term)

    load("a"), load("b"), other("a")

    load.invalidate_all()

    assert [other("a"), load("a"), load("b")] == ["value 3", "value 4", "value 5"]


def test_a_refreshed_result_is_made_though_it_is_fresh_and_kept(
    manager: CacheManager, calls: Calls
) -> None:
    @manager.cache()
    def load(term: str) -> str:
        return calls(term)

    load("a")

    assert load.refresh("a") == "value 2"
    assert load("a") == "value 2"


def test_what_is_invalidated_while_it_is_refreshed_is_not_kept(
    manager: CacheManager,
) -> None:
    slow = SlowCalls()

    @manager.cache()
    def load(term: str) -> str:
        return slow(term)

    refreshing = ask(load.refresh, "a")
    assert slow.begun.wait(PATIENCE)
    load.invalidate("a")
    slow.may_finish.set()

    assert refreshing.result(PATIENCE) == "value 1"
    assert load("a") == "value 2"


def test_readers_are_served_what_there_is_while_it_is_refreshed(
    manager: CacheManager,
) -> None:
    slow = SlowCalls()
    slow.may_finish.set()

    @manager.cache()
    def load(term: str) -> str:
        return slow(term)

    load("a")
    slow.begun.clear()
    slow.may_finish.clear()
    refreshing = ask(load.refresh, "a")
    assert slow.begun.wait(PATIENCE)

    assert load("a") == "value 1"
    slow.may_finish.set()
    assert refreshing.result(PATIENCE) == "value 2"
    assert load("a") == "value 2"


def test_a_refresh_that_fails_keeps_what_there_was(
    manager: CacheManager, calls: Calls
) -> None:
    @manager.cache()
    def load(term: str) -> str:
        if calls.count:
            raise LookupError(term)
        return calls(term)

    load("a")

    with pytest.raises(LookupError):
        load.refresh("a")
    with pytest.raises(LookupError):
        load.refresh("a")

    assert load("a") == "value 1"


def test_a_function_that_refreshes_itself_is_told(manager: CacheManager) -> None:
    @manager.cache()
    def load(term: str) -> str:
        return load.refresh(term)

    with pytest.raises(RecursiveCreationError):
        load.refresh("a")


def test_an_uncached_call_neither_reads_nor_writes(
    manager: CacheManager, calls: Calls
) -> None:
    @manager.cache()
    def load(term: str) -> str:
        return calls(term)

    assert load.uncached("a") == "value 1"
    assert [load("a"), load("a")] == ["value 2", "value 2"]
    assert load.uncached("a") == "value 3"
    assert load("a") == "value 2"


def test_where_caching_is_off_the_helpers_do_what_is_left(calls: Calls) -> None:
    manager = CacheManager(type="memory", enabled=False)

    @manager.cache()
    def load() -> str:
        return calls()

    load.invalidate()
    load.invalidate_all()

    assert load.refresh() == "value 1"


def test_a_function_is_decorated_and_invalidated_before_it_is_configured(
    calls: Calls,
) -> None:
    @cache_region("later", typed=True)
    def load(term: int | str) -> str:
        return calls(term)

    cache_regions["later"] = {"type": "memory", "expire": 60}
    load.invalidate(1)

    assert [load(1), load("1"), load(1)] == ["value 1", "value 2", "value 1"]


def test_a_misspelt_value_of_an_option_is_told_where_it_stands() -> None:
    with pytest.raises(InvalidOptionError, match="lock_timeout"):
        cache_region("later", lock_timeout="soon")


# -- methods


def test_a_method_is_refreshed_and_invalidated_from_its_object(shop: Shop) -> None:
    first = shop.stock(2)

    refreshed = shop.stock.refresh(2)
    after_refresh = shop.stock(2)
    shop.stock.invalidate(2)
    after_invalidation = shop.stock(2)

    assert refreshed is not first
    assert after_refresh is refreshed
    assert after_invalidation is not refreshed
    assert shop.stock.uncached(2) is not after_invalidation
    assert shop.stock(2) is after_invalidation


def test_a_method_is_refreshed_and_invalidated_from_its_class(shop: Shop) -> None:
    first = shop.stock(article=2)

    refreshed = Shop.stock.refresh(shop, 2)
    after_refresh = shop.stock(2)
    Shop.stock.invalidate(2)

    assert refreshed is not first
    assert after_refresh is refreshed
    assert Shop.stock(shop, 2) is not refreshed


def test_all_results_of_a_method_are_invalidated(shop: Shop) -> None:
    before = [shop.stock(1), shop.stock(2)]

    shop.stock.invalidate_all()

    assert shop.stock(1) is not before[0]
    assert shop.stock(2) is not before[1]


def test_a_key_may_be_made_of_the_object(shop: Shop) -> None:
    other = Shop("other")
    mine, its = shop.own_stock(1), other.own_stock(1)

    other.own_stock.invalidate(1)

    assert (mine[0], its[0]) == ("shop", "other")
    assert shop.own_stock(1) is mine
    assert other.own_stock(1) is not its
    Shop.own_stock.invalidate(shop, 1)
    assert shop.own_stock(1) is not mine


def test_a_classmethod_and_a_staticmethod_have_the_helpers_too(shop: Shop) -> None:
    of_none: Any = shop.any
    made = of_none("a")
    assert Shop.any.refresh("a") is not made
    of_none.invalidate("a")

    of_class: Any = Shop.all
    named = of_class("a")
    of_class.invalidate("a")

    assert of_class("a") is not named
    assert Shop.all("a")[:2] == ("Shop", "a")


def test_a_method_looks_like_itself(shop: Shop) -> None:
    bound: Any = shop.stock

    assert bound.__name__ == "stock"
    assert bound.__doc__ == "Return what there is."
    assert bound.__self__ is shop
    assert bound.__func__ is Shop.stock
    assert str(inspect.signature(bound)).startswith("(article: 'int' = 1)")
    assert inspect.isfunction(Shop.stock)
    assert inspect.getdoc(Shop.stock) == "Return what there is."
    region_invalidate(bound, None, 1)


@pytest.mark.usefixtures("shop")
def test_a_decorator_over_a_decorated_method_binds_it() -> None:
    cache_regions["shops"] = {"type": "memory", "expire": 60}

    def outer(function: Callable[..., Any]) -> Callable[..., Any]:
        @functools.wraps(function)
        def wrapped(*args: Any, **kwargs: Any) -> Any:
            return function(*args, **kwargs)

        return wrapped

    class Store(Shop):
        stock = outer(Shop.__dict__["stock"])  # type: ignore[assignment]

    store = Store()

    assert store.stock(3) is store.stock(3)
    region_invalidate(store.stock, None, 3)


def test_objects_with_decorated_methods_can_be_pickled(shop: Shop) -> None:
    shop.stock(1)

    assert pickle.loads(pickle.dumps(shop)).stock(1) is shop.stock(1)


# -- coroutine functions


def test_a_coroutine_function_has_the_helpers_to_be_awaited(
    manager: CacheManager, calls: Calls
) -> None:
    @manager.cache()
    async def load(term: str) -> str:
        return calls(term)

    async def run() -> list[str]:
        got = [await load("a"), await load.refresh("a"), await load("a")]
        await load.invalidate("a")
        got += [await load("a"), await load.uncached("a"), await load("a")]
        await load.invalidate_all()
        return [*got, await load("a")]

    numbers = [value.partition(" ")[2] for value in asyncio.run(run())]
    assert numbers == ["1", "2", "2", "3", "4", "3", "5"]


def test_a_coroutine_method_is_bound(calls: Calls) -> None:
    cache_regions["shops"] = {"type": "memory", "expire": 60}

    class Remote:
        @cache_region("shops")
        async def load(self, term: str) -> tuple[object, str]:
            return self, calls(term)

    async def run() -> None:
        remote = Remote()
        assert await remote.load("a") == (remote, "value 1")
        assert await remote.load.refresh("a") == (remote, "value 2")
        await remote.load.invalidate("a")
        assert await remote.load("a") == (remote, "value 3")
        assert inspect.iscoroutinefunction(remote.load)

    asyncio.run(run())


# -- keys


def test_a_function_chooses_the_keys(manager: CacheManager, calls: Calls) -> None:
    @manager.cache("tag", key=lambda term, **_: term.lower())
    def load(term: str, *, trace: str = "") -> str:
        return calls(term, trace)

    assert load("Gopher", trace="1") == load("GOPHER", trace="2") == "value 1"
    manager.invalidate(load, "tag", "gopher")
    assert load("gopher") == "value 2"
    load.invalidate("GOPHER", trace="3")
    assert load("gopher") == "value 3"


def test_chosen_parts_are_told_apart(calls: Calls) -> None:
    manager = CacheManager(type="memory")

    def make(**options: Any) -> Callable[[Any], str]:
        @manager.cache(options, key=lambda chosen: chosen, **options)
        def load(chosen: Any) -> str:
            return calls(chosen)

        return load

    by_text, typed = make(), make(typed=True)

    parts: list[Any] = ["a b", ("a", "b"), ("a b", ""), ("a", " b"), ""]
    assert len({by_text(chosen) for chosen in parts}) == len(parts)
    assert by_text((1, 2)) == by_text(("1", "2"))
    assert typed((1, 2)) != typed(("1", "2"))


def test_a_long_chosen_key_is_hashed(calls: Calls) -> None:
    manager = CacheManager(type="memory")

    @manager.cache(key=lambda number: "x" * 1000 + str(number))
    def load(number: int) -> str:
        return calls(number)

    assert [load(1), load(2), load(1)] == ["value 1", "value 2", "value 1"]
    load.invalidate(1)
    assert [load(1), load(2)] == ["value 3", "value 2"]


def test_keys_of_1x_can_be_kept(calls: Calls) -> None:
    manager = CacheManager(type="memory", legacy_keys=True)

    @manager.cache("tag")
    def load(term: str, limit: int = 10, **more: str) -> str:
        return calls(term, limit, more)

    load("a"), load("a", limit=5), load("a b"), load("a", colour="red")
    load("x" * 300)

    namespace = former_namespace(load.uncached)
    assert namespace == f"{__file__}|load"
    cache = manager.get_cache(namespace)
    assert sorted(cache.namespace.keys())[1:] == [
        "tag a",
        "tag a 5",
        "tag a b",
        "tag a colour:red",
    ]
    assert len(min(cache.namespace.keys())) == 40
    manager.invalidate(load, "tag", "a", 5)
    load.invalidate("a", colour="red")
    load.invalidate("x" * 300)
    assert sorted(cache.namespace.keys()) == ["tag a", "tag a b"]


def test_the_order_of_keywords_counts_for_keys_of_1x(calls: Calls) -> None:
    manager = CacheManager(type="memory", legacy_keys=True)
    named = dict.fromkeys("edcba", "x")

    @manager.cache()
    def load(**named: str) -> str:
        return calls(named)

    load(**named)

    manager.invalidate(load, **named)

    assert load(**named) == "value 2"


def test_keys_of_1x_are_invalidated_by_name_from_another_process(calls: Calls) -> None:
    cache_regions["old"] = {"type": "memory", "legacy_keys": True}
    cache = Cache("elsewhere|load", type="memory", legacy_keys=True)
    cache.put("tag a b", "there")

    region_invalidate("elsewhere|load", "old", "tag", "a b")

    assert "tag a b" not in cache
    assert calls.count == 0
