"""What the user guide promises about caches, on every store that needs no set-up."""

from __future__ import annotations

import shutil
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

import beaker.cache
from beaker.cache import Cache, CacheManager, cache_region, region_invalidate
from beaker.exceptions import (
    BeakerException,
    InvalidOptionError,
    RegionNotConfiguredError,
    UnknownBackendError,
    UnserializableValueError,
)
from beaker.testing._clock import Clock
from beaker.util import parse_cache_config_options
from tests.core.conftest import Calls

pytestmark = pytest.mark.usefixtures("own_registries")

Options = dict[str, Any]


@pytest.fixture
def config(store: Options) -> Options:
    """The store as a configuration file has it: strings, under a prefix."""
    return {f"cache.{name}": value for name, value in store.items()}


@pytest.fixture
def manager(config: Options) -> CacheManager:
    """A manager made as the guide makes it."""
    return CacheManager(**parse_cache_config_options(config))


@pytest.fixture
def cache(manager: CacheManager) -> Cache:
    """One cache whose values live for an hour."""
    return manager.get_cache("mytemplate.html", expire=3600)


# -- the programmatic interface


def test_a_value_is_made_once_and_found_from_then_on(
    cache: Cache, calls: Calls
) -> None:
    made = cache.get(key="gophers", createfunc=calls)

    found = cache.get(key="gophers", createfunc=calls)

    assert made == found == "value 1"


def test_another_key_has_another_value(cache: Cache, calls: Calls) -> None:
    cache.get("gophers", createfunc=calls)

    assert cache.get("rabbits", createfunc=calls) == "value 2"


def test_each_call_may_bring_a_creation_function_of_its_own(cache: Cache) -> None:
    cache.get_value("gophers", createfunc=lambda: "first")
    cache.remove_value("gophers")

    assert cache.get_value("gophers", createfunc=lambda: "second") == "second"


def test_a_value_is_made_again_when_it_has_expired(
    cache: Cache, calls: Calls, clock: Clock
) -> None:
    cache.get("gophers", createfunc=calls)
    clock.advance(3599)
    before = cache.get("gophers", createfunc=calls)
    clock.advance(1)

    after = cache.get("gophers", createfunc=calls)

    assert (before, after) == ("value 1", "value 2")


def test_a_value_without_expiry_stays(
    manager: CacheManager, calls: Calls, clock: Clock
) -> None:
    cache = manager.get_cache("for ever")
    cache.get("gophers", createfunc=calls)
    clock.advance(10 * 365 * 86400)

    assert cache.get("gophers", createfunc=calls) == "value 1"


@pytest.mark.parametrize("expire", ["60", 60, 60.0, "60.0"])
def test_expire_may_be_a_number_or_stand_in_a_file(
    config: Options, expire: Any, clock: Clock, calls: Calls
) -> None:
    options = parse_cache_config_options({**config, "cache.expire": expire})
    cache = CacheManager(**options).get_cache("numbers")
    cache.get("gophers", createfunc=calls)
    clock.advance(59)
    cache.get("gophers", createfunc=calls)
    clock.advance(1)
    cache.get("gophers", createfunc=calls)

    assert calls.count == 2


def test_expire_may_be_a_fraction_of_a_second(
    manager: CacheManager, clock: Clock
) -> None:
    cache = manager.get_cache("fraction", expire=0.5)
    cache.put("gophers", 1)

    clock.advance(0.4)
    before = "gophers" in cache
    clock.advance(0.2)

    assert (before, "gophers" in cache) == (True, False)


def test_what_expires_after_no_time_is_made_each_time(
    manager: CacheManager, calls: Calls
) -> None:
    cache = manager.get_cache("at once", expire=0)
    cache.get("gophers", createfunc=calls)

    assert cache.get("gophers", createfunc=calls) == "value 2"


def test_a_call_may_say_for_how_long_its_value_lives(
    cache: Cache, calls: Calls, clock: Clock
) -> None:
    cache.get("gophers", createfunc=calls, expiretime=60)
    cache.put("rabbits", "old", expiretime="60")
    clock.advance(60)

    assert "gophers" not in cache
    assert "rabbits" not in cache


def test_a_value_keeps_the_expiry_it_was_stored_with(
    cache: Cache, manager: CacheManager, clock: Clock
) -> None:
    cache.put("gophers", 1, expiretime=60)
    clock.advance(60)

    assert not manager.get_cache("mytemplate.html").has_key("gophers")


def test_a_value_older_than_starttime_does_not_count(
    cache: Cache, calls: Calls, clock: Clock
) -> None:
    cache.get("gophers", createfunc=calls)
    clock.advance(10)

    found = cache.get("gophers", createfunc=calls, starttime=clock.now)

    assert found == "value 2"
    assert cache.get("gophers", createfunc=calls, starttime=clock.now) == "value 2"


def test_a_cache_may_have_a_starttime_of_its_own(
    manager: CacheManager, clock: Clock
) -> None:
    manager.get_cache("old").put("gophers", 1)
    clock.advance(10)
    cache = manager.get_cache("old", starttime=clock.now)

    assert "gophers" not in cache
    with pytest.raises(KeyError):
        cache.get("gophers")


def test_without_a_creation_function_a_missing_key_is_an_error(cache: Cache) -> None:
    with pytest.raises(KeyError, match="gophers"):
        cache.get("gophers")


def test_without_a_creation_function_an_expired_value_is_missing(
    cache: Cache, clock: Clock
) -> None:
    cache["gophers"] = 1
    clock.advance(3600)

    with pytest.raises(KeyError, match="gophers"):
        cache["gophers"]


def test_what_cannot_be_called_is_refused_as_creation_function(cache: Cache) -> None:
    with pytest.raises(InvalidOptionError, match=r"'createfunc' takes a .*'gopher!'"):
        cache.get("gophers", createfunc="gopher!")  # type: ignore[arg-type]


def test_a_cache_is_used_like_a_dictionary(cache: Cache) -> None:
    cache["gophers"] = ["a", "b"]
    assert "gophers" in cache
    assert cache["gophers"] == ["a", "b"]

    del cache["gophers"]

    assert "gophers" not in cache


def test_the_older_names_of_the_methods_do_the_same(cache: Cache) -> None:
    cache.set_value("gophers", 1)
    cache.put("rabbits", 2)
    assert (cache.get_value("gophers"), cache.get("rabbits")) == (1, 2)

    cache.remove("gophers")
    cache.remove_value(key="rabbits")

    assert not cache.has_key("gophers")
    assert not cache.has_key("rabbits")


def test_putting_replaces_what_is_there(cache: Cache) -> None:
    cache.put("gophers", 1)

    cache.put("gophers", 2)

    assert cache["gophers"] == 2


def test_a_value_that_has_expired_can_be_removed(cache: Cache, clock: Clock) -> None:
    cache["gophers"] = 1
    clock.advance(3601)

    cache.remove_value("gophers")

    clock.advance(-3601)
    assert "gophers" not in cache


def test_removing_what_is_not_there_is_no_error(cache: Cache) -> None:
    cache.remove_value("gophers")


def test_an_error_of_the_creation_function_stores_nothing(
    cache: Cache, calls: Calls
) -> None:
    def fail() -> None:
        raise LookupError("no gophers today")

    with pytest.raises(LookupError, match="no gophers today"):
        cache.get("gophers", createfunc=fail)

    assert "gophers" not in cache
    assert _in_another_thread(lambda: cache.get("gophers", createfunc=calls)) == (
        "value 1"
    )


def test_an_interrupted_creation_stores_nothing(cache: Cache, calls: Calls) -> None:
    def be_interrupted() -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        cache.get("gophers", createfunc=be_interrupted)

    assert "gophers" not in cache
    assert _in_another_thread(lambda: cache.get("gophers", createfunc=calls)) == (
        "value 1"
    )


def test_a_failed_creation_leaves_the_expired_value_removable(
    cache: Cache, clock: Clock
) -> None:
    def fail() -> None:
        raise LookupError

    cache["gophers"] = "old"
    clock.advance(3601)
    with pytest.raises(LookupError):
        cache.get("gophers", createfunc=fail)

    assert cache.get("gophers", createfunc=lambda: "new") == "new"


KEYS = [
    "a b",
    "a:b",
    "a/../../b",
    "",
    " ",
    "\n",
    "nul\0nul",
    "ü€😀",
    "\udcff",
    "k" * 5000,
    "%s*?[a]",
]


def test_a_key_may_be_any_text(cache: Cache) -> None:
    for number, key in enumerate(KEYS):
        cache[key] = number

    assert [cache[key] for key in KEYS] == list(range(len(KEYS)))


def test_a_key_that_is_no_text_counts_by_its_text(cache: Cache) -> None:
    odd: list[Any] = [5, 1.5, None, ("a", 1), b"bytes"]
    for number, key in enumerate(odd):
        cache[key] = number

    assert [cache[key] for key in odd] == list(range(len(odd)))
    assert [cache[text] for text in ("5", "None", "bytes")] == [0, 2, 4]
    for key in odd:
        cache.remove_value(key)
    assert [key in cache for key in odd] == [False] * len(odd)


def test_a_namespace_may_be_any_text(manager: CacheManager) -> None:
    for number, name in enumerate(KEYS):
        manager.get_cache(name)["gophers"] = number

    found = [manager.get_cache(name)["gophers"] for name in KEYS]

    assert found == list(range(len(KEYS)))


@pytest.mark.parametrize("store", ["file", "dbm", "sqlite", "ext:redis"], indirect=True)
def test_what_cannot_be_stored_leaves_what_is_stored(cache: Cache) -> None:
    cache["gophers"] = "good"

    with pytest.raises(UnserializableValueError, match="'pickle'"):
        cache["gophers"] = threading.Lock()

    assert cache["gophers"] == "good"


@pytest.mark.parametrize("store", ["file", "dbm"], indirect=True)
def test_removing_the_files_invalidates_what_was_in_them(
    cache: Cache, store: Options, calls: Calls
) -> None:
    cache.get("gophers", createfunc=calls)
    for found in Path(store["data_dir"]).iterdir():
        shutil.rmtree(found) if found.is_dir() else found.unlink()

    assert cache.get("gophers", createfunc=calls) == "value 2"


def test_an_option_for_one_call_is_obeyed_with_a_warning(
    manager: CacheManager, tmp_path: Path
) -> None:
    cache = manager.get_cache("mixed", expire=60)
    dbm: dict[str, Any] = {"type": "dbm", "data_dir": str(tmp_path / "other")}

    with pytest.deprecated_call(match="given to the Cache") as told:
        cache.put("gophers", "in a file", **dbm)
    with pytest.deprecated_call():
        found = cache.get("gophers", **dbm)

    assert found == "in a file"
    assert told[0].filename == __file__
    assert "gophers" not in cache
    with pytest.deprecated_call():
        cache.remove_value("gophers", **dbm)
    with pytest.deprecated_call():
        assert cache.get("gophers", createfunc=lambda: "new", **dbm) == "new"


def test_options_of_a_namespace_win_over_those_of_the_manager(
    manager: CacheManager, tmp_path: Path, clock: Clock
) -> None:
    cache = manager.get_cache(
        "mytemplate.html", type="dbm", expire=5, data_dir=str(tmp_path / "own")
    )
    cache["gophers"] = 1

    assert (tmp_path / "own").exists()
    clock.advance(5)
    assert "gophers" not in cache


def test_a_type_that_is_not_there_is_told_with_what_is(manager: CacheManager) -> None:
    with pytest.raises(UnknownBackendError, match="did you mean 'memory'") as caught:
        manager.get_cache("mine", type="memroy")

    assert isinstance(caught.value, TypeError)


# -- decorators with options


def test_a_decorated_function_is_called_once_for_each_argument(
    manager: CacheManager, calls: Calls
) -> None:
    @manager.cache("my_search_func", expire=3600)
    def get_results(search_param: str) -> str:
        return calls(search_param)

    results = [get_results("gophers"), get_results("rabbits"), get_results("gophers")]

    assert results == ["value 1", "value 2", "value 1"]


def test_a_result_expires_as_the_decorator_says(
    manager: CacheManager, calls: Calls, clock: Clock
) -> None:
    @manager.cache("my_search_func", expire=15)
    def get_results(search_param: str) -> str:
        return calls(search_param)

    get_results("gophers")
    clock.advance(15)

    assert get_results("gophers") == "value 2"


def test_tags_tell_apart_functions_of_one_name(manager: CacheManager) -> None:
    def search_in(place: str, tag: object) -> Callable[[str], str]:
        @manager.cache(tag, 7)
        def get_results(search_param: str) -> str:
            return f"{search_param} in {place}"

        return get_results

    field, wood = search_in("field", "tag 1"), search_in("wood", "tag 2")

    assert field("gophers") == "gophers in field"
    assert wood("gophers") == "gophers in wood"


def test_invalidating_one_call_leaves_the_others(
    manager: CacheManager, calls: Calls
) -> None:
    @manager.cache("my_search_func", expire=3600)
    def get_results(search_param: str) -> str:
        return calls(search_param)

    get_results("gophers")
    get_results("rabbits")

    manager.invalidate(get_results, "my_search_func", "gophers")

    assert get_results("gophers") == "value 3"
    assert get_results("rabbits") == "value 2"


def test_invalidating_needs_the_type_where_the_decorator_has_one(
    manager: CacheManager, calls: Calls, tmp_path: Path
) -> None:
    # As documented; the other options of the decorator need not be told again.
    @manager.cache("mycache", type="file", data_dir=str(tmp_path / "f"), expire=15)
    def load(search_term: str, limit: int, offset: int) -> str:
        return calls(search_term, limit, offset)

    load("rabbits", 20, 0)

    manager.invalidate(load, "mycache", "rabbits", 20, 0, type="file")

    assert load("rabbits", 20, 0) == "value 2"


def test_a_function_that_is_made_anew_shares_what_its_former_self_cached(
    manager: CacheManager, calls: Calls
) -> None:
    def populate_things(*, invalidate: bool = False) -> str:
        @manager.cache("mycache", expire=15)
        def load(search_term: str, limit: int, offset: int) -> str:
            return calls(search_term, limit, offset)

        if invalidate:
            manager.invalidate(load, "mycache", "rabbits", 20, 0)
        return load("rabbits", 20, 0)

    things = [populate_things(), populate_things(), populate_things(invalidate=True)]

    assert things == ["value 1", "value 1", "value 2"]


def test_a_function_without_arguments_is_cached_and_invalidated(
    manager: CacheManager, calls: Calls
) -> None:
    @manager.cache()
    def load() -> str:
        return calls()

    assert (load(), load()) == ("value 1", "value 1")

    manager.invalidate(load)

    assert load() == "value 2"


# -- regions


@pytest.fixture
def regions(config: Options) -> CacheManager:
    """Two regions as the guide configures them."""
    options = {
        **config,
        "cache.regions": "short_term, long_term",
        "cache.short_term.expire": "60",
        "cache.long_term.expire": "86400",
    }
    return CacheManager(**parse_cache_config_options(options))


def test_each_region_has_options_of_its_own(
    regions: CacheManager, clock: Clock, calls: Calls
) -> None:
    @regions.region("short_term", "some_data")
    def short(term: str) -> str:
        return calls(term)

    @cache_region("long_term", "some_data")
    def long(term: str) -> str:
        return calls(term)

    assert (short("rabbits"), long("rabbits")) == ("value 1", "value 2")
    clock.advance(60)

    assert (short("rabbits"), long("rabbits")) == ("value 3", "value 2")


def test_a_region_may_have_a_type_of_its_own(config: Options, tmp_path: Path) -> None:
    own = str(tmp_path / "own")
    options = {
        **config,
        "cache.regions": "here, there",
        "cache.there.type": "dbm",
        "cache.there.data_dir": own,
    }
    manager = CacheManager(**parse_cache_config_options(options))

    here = manager.get_cache_region("things", "here")
    there = manager.get_cache_region("things", "there")
    here["a"] = "here"
    there["a"] = "there"

    assert (here["a"], there["a"]) == ("here", "there")
    assert Path(own).exists()


def test_regions_may_be_set_in_the_program(store: Options, calls: Calls) -> None:
    beaker.cache.cache_regions.update({"short_term": {"expire": 60, **store}})

    @cache_region("short_term", "load_things")
    def load(search_term: str, limit: int, offset: int) -> str:
        return calls(search_term, limit, offset)

    assert (load("rabbits", 20, 0), load("rabbits", 20, 0)) == ("value 1", "value 1")
    assert load("rabbits", 20, 20) == "value 2"


def test_a_function_may_be_decorated_before_its_region_is_configured(
    config: Options, calls: Calls
) -> None:
    @cache_region("later", "my_search_func")
    def get_results(search_param: str) -> str:
        return calls(search_param)

    with pytest.raises(RegionNotConfiguredError, match="'later'") as caught:
        get_results("gophers")
    assert isinstance(caught.value, BeakerException)

    options = {**config, "cache.regions": "later"}
    CacheManager(**parse_cache_config_options(options))

    assert (get_results("gophers"), get_results("gophers")) == ("value 1", "value 1")


def test_a_result_in_a_region_is_invalidated_by_its_function(
    regions: CacheManager, calls: Calls
) -> None:
    @cache_region("short_term", "my_search_func")
    def get_results(search_param: str) -> str:
        return calls(search_param)

    get_results("gophers")

    region_invalidate(get_results, None, "my_search_func", "gophers")
    assert get_results("gophers") == "value 2"

    region_invalidate(get_results, "short_term", "my_search_func", "gophers")
    assert get_results("gophers") == "value 3"

    regions.region_invalidate(get_results, None, "my_search_func", "gophers")
    assert get_results("gophers") == "value 4"


@pytest.mark.usefixtures("regions")
def test_a_result_in_a_region_is_invalidated_by_the_name_of_its_namespace(
    calls: Calls,
) -> None:
    @cache_region("short_term", "load_data")
    def load(search_term: str, limit: int = 20) -> str:
        return calls(search_term, limit)

    load("rabbits")
    namespace = load._arg_namespace  # type: ignore[attr-defined]  # put there by the decorator

    region_invalidate(namespace, "short_term", "load_data", "rabbits", 20)

    assert load("rabbits") == "value 2"


def test_by_the_name_of_a_namespace_the_region_is_needed() -> None:
    with pytest.raises(BeakerException, match="Region or callable function namespace"):
        region_invalidate("some namespace", None, "load_data", "rabbits")


@pytest.mark.usefixtures("regions")
def test_self_is_no_part_of_the_key(calls: Calls) -> None:
    class MyThing:
        @cache_region("short_term", "load_things")
        def load(self, search_term: str, limit: int, offset: int) -> str:
            return calls(search_term, limit, offset)

        def invalidate_search(self, search_term: str, limit: int, offset: int) -> None:
            region_invalidate(
                self.load, "short_term", "load_things", search_term, limit, offset
            )

    one, other = MyThing(), MyThing()
    assert one.load("rabbits", 20, 0) == other.load("rabbits", 20, 0) == "value 1"

    other.invalidate_search("rabbits", 20, 0)

    assert one.load("rabbits", 20, 0) == "value 2"


@pytest.mark.usefixtures("regions")
def test_cls_is_no_part_of_the_key(calls: Calls) -> None:
    class MyThing:
        @classmethod
        @cache_region("short_term", "load_things")
        def load(cls, search_term: str) -> str:
            return calls(cls.__name__, search_term)

    class Derived(MyThing):
        pass

    assert MyThing.load("rabbits") == Derived().load("rabbits") == "value 1"

    region_invalidate(MyThing.load, None, "load_things", "rabbits")

    assert Derived.load("rabbits") == "value 2"


def test_a_region_may_be_closed_to_new_values_by_time(
    regions: CacheManager, clock: Clock
) -> None:
    cache = regions.get_cache_region("mine", "short_term")
    cache["a"] = 1

    clock.advance(60)

    assert not cache.has_key("a")


def _in_another_thread(act: Callable[[], Any]) -> Any:
    """Call it where this thread's locks do not help."""
    outcome: list[Any] = []
    thread = threading.Thread(target=lambda: outcome.append(act()), daemon=True)
    thread.start()
    thread.join(10)
    assert not thread.is_alive()
    return outcome[0]
