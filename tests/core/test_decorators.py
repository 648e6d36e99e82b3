"""Decorated functions: what stays of them, what is cached, and how it is forgotten."""

from __future__ import annotations

import asyncio
import functools
import sys
from collections.abc import Callable
from hashlib import sha1
from inspect import signature
from typing import Any

import pytest

import beaker.cache
from beaker._caching.functions import known_function
from beaker.cache import CacheManager, cache_managers, cache_region, region_invalidate
from beaker.container import MemoryNamespaceManager
from beaker.exceptions import (
    BeakerException,
    BeakerWarning,
    UndecoratedFunctionError,
)
from beaker.testing._clock import Clock
from tests.core.conftest import Calls

pytestmark = pytest.mark.usefixtures("own_registries")


@pytest.fixture
def manager() -> CacheManager:
    """A manager of caches in memory."""
    return CacheManager(type="memory")


@pytest.fixture
def region() -> str:
    """A region in memory."""
    beaker.cache.cache_regions["short_term"] = {"type": "memory", "expire": 60}
    return "short_term"


# -- what stays of a function


def test_a_decorated_function_looks_like_itself(manager: CacheManager) -> None:
    def load(term: str, limit: int = 10) -> list[str]:
        """Load what is called so."""
        return [term] * limit

    load.mark = "mine"  # type: ignore[attr-defined]

    cached: Any = manager.cache("tag")(load)

    assert cached.__name__ == "load"
    assert cached.__doc__ == "Load what is called so."
    assert cached.__annotations__ == load.__annotations__
    assert cached.__wrapped__ is load
    assert cached.mark == "mine"
    assert signature(cached) == signature(load)


def test_frameworks_find_the_namespace_and_the_region(region: str) -> None:
    @cache_region(region)
    def load() -> None: ...

    assert load._arg_namespace == f"{__name__}|{load.__qualname__}"  # type: ignore[attr-defined]
    assert load._arg_region == region  # type: ignore[attr-defined]


def test_a_debugger_shows_whose_value_is_being_made(manager: CacheManager) -> None:
    shown: list[str] = []

    @manager.cache()
    def load() -> None:
        frame = sys._getframe()
        while frame.f_back is not None:
            frame = frame.f_back
            shown.extend(
                repr(value)
                for value in frame.f_locals.values()
                if getattr(value, "__name__", "").startswith("_cached_")
            )

    load()

    assert any("_cached_load" in text for text in shown)


def test_what_has_no_name_can_be_decorated(manager: CacheManager, calls: Calls) -> None:
    cached: Any = manager.cache("tag")(functools.partial(calls, "gophers"))

    assert (cached(1), cached(1), cached(2)) == ("value 1", "value 1", "value 2")


@pytest.mark.parametrize("decorate", ["cache", "region"])
def test_a_decorator_without_brackets_says_how_it_is_written(
    manager: CacheManager, decorate: str
) -> None:
    with pytest.raises(BeakerException, match=r"@cache\.cache\(\)|short_term"):
        getattr(manager, decorate)(lambda: None)


# -- what is cached


def test_keyword_arguments_and_positions_mean_the_same(
    manager: CacheManager, calls: Calls
) -> None:
    @manager.cache()
    def load(term: str, limit: int = 10, *, exact: bool = False) -> str:
        return calls(term, limit, exact)

    load("a")
    load("a", 10)
    load(term="a", exact=False)

    assert calls.count == 1
    assert load("a", exact=True) == "value 2"


def test_arguments_need_not_be_hashable(manager: CacheManager, calls: Calls) -> None:
    @manager.cache()
    def load(terms: list[str], options: dict[str, Any]) -> str:
        return calls(terms, options)

    load(["a b", "\\"], {"x": [1, 2]})
    load(["a b", "\\"], {"x": [1, 2]})

    assert calls.count == 1


def test_arguments_may_be_of_any_kind(manager: CacheManager) -> None:
    @manager.cache(None, b"tag", 1.5)
    def load(*arguments: Any) -> str:
        return repr(arguments)

    odd = [None, b"a", 1.5, float("nan"), "\udcff", "\0", "", " ", object, ()]

    assert [load(one) for one in odd * 2] == [repr((one,)) for one in odd * 2]
    assert load(*odd) == repr(tuple(odd))
    assert load() == "()"


def test_methods_of_one_name_in_two_classes_share_nothing(
    manager: CacheManager,
) -> None:
    class User:
        @manager.cache()
        def get(self, number: int) -> str:
            return f"user {number}"

    class Secret:
        @manager.cache()
        def get(self, number: int) -> str:
            return f"secret {number}"

    assert User().get(1) == "user 1"
    assert Secret().get(1) == "secret 1"


def test_one_decorator_may_decorate_two_functions(manager: CacheManager) -> None:
    decorate: Callable[[Callable[[], str]], Callable[[], str]] = manager.cache("tag")

    @decorate
    def one() -> str:
        return "one"

    @decorate
    def other() -> str:
        return "other"

    assert (one(), other()) == ("one", "other")


def test_a_wrong_call_is_told_by_python_and_not_kept(manager: CacheManager) -> None:
    @manager.cache()
    def load(term: str) -> str:
        return term

    for _ in range(2):
        with pytest.raises(TypeError, match="missing 1 required positional argument"):
            load()  # type: ignore[call-arg]
    assert load("") == ""


def test_what_a_function_raises_reaches_its_caller_and_is_not_kept(
    manager: CacheManager, calls: Calls
) -> None:
    @manager.cache()
    def load(term: str) -> str:
        if calls(term) == "value 1":
            raise LookupError(term)
        return term

    with pytest.raises(LookupError, match="gophers"):
        load("gophers")

    assert load("gophers") == "gophers"


def test_a_coroutine_function_is_awaited_once(manager: CacheManager) -> None:
    awaited = []

    @manager.cache()
    async def load(term: str) -> str:
        awaited.append(term)
        await asyncio.sleep(0)
        return term

    async def twice() -> list[str]:
        return [await load("gophers"), await load("gophers")]

    assert asyncio.run(twice()) == ["gophers", "gophers"]
    assert awaited == ["gophers"]


def test_typed_arguments_of_equal_text_are_two(
    manager: CacheManager, calls: Calls
) -> None:
    @manager.cache(typed=True)
    def load(number: object) -> str:
        return calls(number)

    assert [load(1), load("1"), load(1)] == ["value 1", "value 2", "value 1"]

    manager.invalidate(load, "1")

    assert [load(1), load("1")] == ["value 1", "value 3"]


@pytest.mark.parametrize("limit", [60, "60"])
def test_a_long_key_is_hashed_and_found_again(limit: Any, calls: Calls) -> None:
    regions = {"r": {"type": "memory", "key_length": limit}}
    CacheManager(cache_regions=regions)

    @cache_region("r", "tag")
    def load(term: str) -> str:
        return calls(term)

    long, other = "x" * 50, "x" * 50 + "y"
    found = [load(long), load(other), load(long), load(other)]
    keys = list(beaker.cache.Cache(load._arg_namespace).namespace.keys())  # type: ignore[attr-defined]

    assert found == ["value 1", "value 2"] * 2
    assert [len(key) for key in keys] == [66, 66]
    region_invalidate(load, None, "tag", long)
    assert [load(other), load(long)] == ["value 2", "value 3"]


def test_a_result_from_before_starttime_does_not_count(
    manager: CacheManager, calls: Calls, clock: Clock
) -> None:
    def make(**options: Any) -> Callable[[], str]:
        @manager.cache(**options)
        def load() -> str:
            return calls()

        return load

    make()()
    clock.advance(10)

    since_now = make(starttime=clock.now)

    assert [since_now(), since_now()] == ["value 2", "value 2"]


def test_a_clock_that_is_set_back_keeps_no_result_for_ever(
    manager: CacheManager, calls: Calls, clock: Clock
) -> None:
    @manager.cache(expire=60)
    def load() -> str:
        return calls()

    load()
    clock.advance(-3600)
    assert load() == "value 1"
    clock.advance(60)

    assert load() == "value 2"


# -- how it is forgotten


def test_a_call_with_keywords_only_is_invalidated_by_them(
    manager: CacheManager, calls: Calls, region: str
) -> None:
    @manager.cache("tag")
    def load(term: str, *, limit: int = 1) -> str:
        return calls(term, limit)

    @cache_region(region, "tag")
    def find(term: str, *, limit: int = 1) -> str:
        return calls(term, limit)

    for cached in (load, find):
        cached("a", limit=2)
    manager.invalidate(load, "tag", "a", limit=2)
    region_invalidate(find, None, "tag", "a", limit=2)
    manager.region_invalidate(find, region, "tag", "a", limit=2)

    assert load("a", limit=2) == "value 3"
    assert find("a", limit=2) == "value 4"


def test_what_is_an_option_of_caches_is_no_argument_of_the_call(
    manager: CacheManager, calls: Calls
) -> None:
    @manager.cache("tag", type="memory")
    def load(term: str, type: str = "any") -> str:
        return calls(term, type)

    load("a")

    manager.invalidate(load, "tag", "a", type="memory")

    assert load("a") == "value 2"


def test_another_manager_invalidates_where_the_function_was_cached(
    manager: CacheManager, calls: Calls, tmp_path: Any
) -> None:
    @manager.cache("tag")
    def load(term: str) -> str:
        return calls(term)

    load("a")

    CacheManager(type="file", data_dir=str(tmp_path)).invalidate(load, "tag", "a")

    assert load("a") == "value 2"


def test_a_function_may_be_invalidated_before_its_first_call(
    manager: CacheManager, calls: Calls
) -> None:
    def make() -> Callable[[str], str]:
        @manager.cache("tag")
        def load(term: str) -> str:
            return calls(term)

        return load

    make()("a")
    again = make()

    manager.invalidate(again, "tag", "a")

    assert again("a") == "value 2"


def test_a_function_within_a_decorator_of_another_can_be_invalidated(
    manager: CacheManager, calls: Calls
) -> None:
    def loud(function: Callable[[str], str]) -> Callable[[str], str]:
        @functools.wraps(function)
        def shout(term: str) -> str:
            return function(term).upper()

        return shout

    @loud
    @manager.cache("tag")
    def load(term: str) -> str:
        return calls(term)

    assert load("a") == "VALUE 1"

    manager.invalidate(load, "tag", "a")

    assert load("a") == "VALUE 2"


def test_a_function_of_another_process_is_invalidated_by_name(
    region: str, calls: Calls
) -> None:
    cache = CacheManager().get_cache_region("other.module|load", region)
    cache["tag a\\ b"], cache["tag "], cache["tag \\-"] = 1, 2, 3

    region_invalidate("other.module|load", region, "tag", "a b")
    region_invalidate("other.module|load", region, "tag", "")

    assert [cache.get(key, createfunc=calls) for key in ("tag a\\ b", "tag ")] == [
        "value 1",
        "value 2",
    ]
    assert "tag \\-" not in cache


@pytest.mark.parametrize("term", ["a b", "", "x" * 300])
def test_what_a_copy_of_the_decorator_of_1x_keeps_is_invalidated(
    region: str, term: str
) -> None:
    cache = CacheManager().get_cache_region("module|load", region)

    def load() -> None:
        """Stand for the function that such a copy returns."""

    load._arg_namespace = "module|load"  # type: ignore[attr-defined]  # as 1.x has it
    key = f"tag {term}"
    cache[
        key if len(key) < 200 else sha1(key.encode(), usedforsecurity=False).hexdigest()
    ] = 1

    region_invalidate(load, region, "tag", term)

    assert not list(cache.namespace.keys())


def test_a_manager_invalidates_by_the_name_of_a_namespace(
    manager: CacheManager,
) -> None:
    cache = manager.get_cache("other.module|load")
    cache["tag a"] = 1

    manager.invalidate("other.module|load", "tag", "a")

    assert "tag a" not in cache


def test_what_was_not_decorated_cannot_be_invalidated(
    manager: CacheManager, region: str, calls: Calls
) -> None:
    with pytest.raises(UndecoratedFunctionError, match="keeps no results"):
        manager.invalidate(calls, "tag", "a")
    with pytest.raises(UndecoratedFunctionError, match="keeps no results"):
        region_invalidate(calls, region, "tag", "a")


def test_what_no_call_can_have_is_told_when_it_is_invalidated(
    manager: CacheManager,
) -> None:
    @manager.cache("tag")
    def load(term: str) -> str:
        return term

    with pytest.warns(BeakerWarning, match="its decorator was given comes first: tag"):
        manager.invalidate(load, "a")
    with pytest.warns(BeakerWarning, match="missing a required argument: 'term'"):
        manager.invalidate(load, "tag")


def test_what_a_call_can_have_is_not_told(manager: CacheManager, region: str) -> None:
    @manager.cache(1, "tag")
    def load(term: str, limit: int = 5, **more: str) -> str:
        return f"{term} {limit} {more}"

    class Thing:
        @cache_region(region)
        def load(self, term: str) -> str:
            return term

    manager.invalidate(load, 1, "tag", "a")
    manager.invalidate(load, "1", "tag", "a", limit=6, other="x")
    region_invalidate(Thing.load, None, "a")
    region_invalidate(Thing().load, None, "a")


def test_by_name_keywords_need_the_function(region: str) -> None:
    with pytest.raises(BeakerException, match=r"parameters of 'other\.module\|load'"):
        region_invalidate("other.module|load", region, "tag", limit=1)


def test_a_function_that_is_gone_is_not_kept_for_its_name(
    manager: CacheManager,
) -> None:
    def make() -> str:
        @manager.cache()
        def load() -> None: ...

        return load._arg_namespace  # type: ignore[attr-defined, no-any-return]

    assert known_function(make()) is None


# -- configuration, late, changed or off


def test_caching_that_is_off_calls_the_function(calls: Calls) -> None:
    off = CacheManager(enabled="false")

    @off.cache("tag")
    def load(term: str) -> str:
        return calls(term)

    assert [load("a"), load("a")] == ["value 1", "value 2"]
    off.invalidate(load, "tag", "a")


@pytest.mark.parametrize("off", [False, "false", "no", 0])
def test_a_region_that_is_off_calls_the_function(off: Any, calls: Calls) -> None:
    CacheManager(cache_regions={"r": {"enabled": off}})

    @cache_region("r")
    def load(term: str) -> str:
        return calls(term)

    assert [load("a"), load("a")] == ["value 1", "value 2"]
    region_invalidate(load, None, "a")


def test_one_function_may_be_left_out_of_caching(
    manager: CacheManager, calls: Calls
) -> None:
    @manager.cache("tag", enabled="no")
    def load() -> str:
        return calls()

    assert [load(), load()] == ["value 1", "value 2"]


@pytest.mark.parametrize("off", [False, "off"])
def test_caching_that_is_switched_on_later_begins_then(off: Any, calls: Calls) -> None:
    beaker.cache.cache_regions["r"] = {"enabled": off}

    @cache_region("r")
    def load() -> str:
        return calls()

    load()
    beaker.cache.cache_regions["r"] = {"enabled": True}

    assert [load(), load()] == ["value 2", "value 2"]


def test_regions_may_be_rebound(calls: Calls, clock: Clock) -> None:
    @cache_region("r")
    def load() -> str:
        return calls()

    beaker.cache.cache_regions = {"r": {"type": "memory", "expire": 5}}

    assert [load(), load()] == ["value 1", "value 1"]
    clock.advance(5)
    assert load() == "value 2"


def test_options_that_a_region_leaves_open_take_their_default(calls: Calls) -> None:
    beaker.cache.cache_regions["r"] = {"type": None, "expire": None, "data_dir": None}

    @cache_region("r")
    def load() -> str:
        return calls()

    assert [load(), load()] == ["value 1", "value 1"]


def test_a_function_is_invalidated_after_the_registries_were_cleared(
    region: str, calls: Calls
) -> None:
    @cache_region(region)
    def load() -> str:
        return calls()

    load()
    cache_managers.clear()
    MemoryNamespaceManager.namespaces.clear()

    region_invalidate(load, None)

    assert load() == "value 2"


def test_a_misspelt_option_of_a_decorator_is_told(manager: CacheManager) -> None:
    @manager.cache("tag", expires=60)
    def load() -> None: ...

    with pytest.warns(BeakerWarning, match="'expires'; did you mean 'expire'"):
        load()
