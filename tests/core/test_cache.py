"""Caches and their managers: options, regions, and what programs of 1.x rely on."""

from __future__ import annotations

import warnings
from pathlib import Path
from typing import Any

import pytest

import beaker.cache
from beaker.backends.memory import MemoryNamespaceManager
from beaker.cache import Cache, CacheManager, cache_managers
from beaker.container import Value
from beaker.exceptions import (
    BeakerException,
    BeakerWarning,
    InvalidOptionError,
    RegionNotConfiguredError,
)
from beaker.testing._clock import Clock
from beaker.util import parse_cache_config_options
from tests.core.conftest import Calls

pytestmark = pytest.mark.usefixtures("own_registries")


# -- options


def test_a_cache_tells_its_settings() -> None:
    options: Any = {"expire": "60", "starttime": 5.0, "max_entries": 7}
    cache = Cache("things", **options)

    assert cache.namespace_name == cache.namespace.namespace == "things"
    assert isinstance(cache.namespace, MemoryNamespaceManager)
    assert (cache.expiretime, cache.starttime) == (60, 5.0)
    assert cache.nsargs == {"max_entries": 7}


@pytest.mark.parametrize(
    ("options", "expected"),
    [
        ({}, None),
        ({"expire": 5}, 5),
        ({"expiretime": 5}, 5),
        ({"expire": 7, "expiretime": 5}, 5),
        ({"expire": 7, "expiretime": 0}, 0),
        ({"expire": "0.5"}, 0.5),
        ({"expire": "None"}, None),
    ],
)
def test_expiretime_is_the_older_name_of_expire(
    options: dict[str, Any], expected: Any
) -> None:
    assert Cache("things", **options).expiretime == expected


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("expire", "soon"),
        ("expire", -1),
        ("expire", ""),
        ("expiretime", True),
        ("grace", "long"),
        ("key_length", "short"),
        ("enabled", "perhaps"),
        ("typed", "a bit"),
        ("store_timeout", -1),
        ("data_dir", ""),
        ("lock_dir", ""),
        ("url", ""),
        ("type", 5),
        ("data_serializer", "yaml"),
        ("max_entries", "some"),
    ],
)
def test_a_value_that_an_option_does_not_take_names_it(name: str, value: Any) -> None:
    option = "expire" if name == "expiretime" else name

    with pytest.raises(InvalidOptionError, match=f"option '{option}' takes "):
        CacheManager().get_cache("things", **{name: value})


@pytest.mark.parametrize("value", [-1, "soon", True])
def test_an_expiry_for_one_call_is_checked(value: Any) -> None:
    cache = Cache("things")
    cache["k"] = "before"

    with pytest.raises(InvalidOptionError, match="'expiretime' takes a number of sec"):
        cache.put("k", "after", expiretime=value)
    with pytest.raises(InvalidOptionError, match="'expiretime' takes a number of sec"):
        cache.get("k", expiretime=value)

    assert cache["k"] == "before"


def test_a_misspelt_option_is_told_once_per_cache() -> None:
    with pytest.warns(BeakerWarning, match="'expier'; did you mean 'expire'") as told:
        Cache("things", expier=60)

    assert told[0].filename == __file__
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        Cache("things", expire=60, log_file=None, timeout=5)


def test_a_misspelt_argument_of_a_call_is_refused() -> None:
    cache = Cache("things")

    with pytest.raises(TypeError, match="'createfunk'"):
        cache.get("k", createfunk=int)
    with pytest.raises(TypeError, match="'expire'"):
        cache.put("k", 1, expire=5)


# -- opened once


@pytest.mark.parametrize("kind", ["memory", "file", "dbm", "sqlite"])
def test_a_namespace_that_is_no_text_counts_by_its_text(
    kind: str, tmp_path: Path
) -> None:
    Cache(5, type=kind, data_dir=str(tmp_path)).put("k", 1)  # type: ignore[arg-type]  # what programs do

    assert Cache("5", type=kind, data_dir=str(tmp_path)).get("k") == 1


def test_equal_options_open_one_cache() -> None:
    manager = CacheManager(type="memory", expire=60)

    first = manager.get_cache("things")

    assert manager.get_cache("things") is first
    assert Cache._get_cache("things", {"type": "memory", "expire": 60}) is first
    assert manager.get_cache("things", expire=5) is not first
    assert manager.get_cache("others") is not first


def test_a_program_may_forget_all_caches() -> None:
    manager = CacheManager(type="memory")
    first = manager.get_cache("things")
    assert list(cache_managers.values()) == [first]

    cache_managers.clear()

    assert manager.get_cache("things") is not first


def test_a_cache_for_each_user_costs_no_memory_for_ever(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr(beaker.cache, "MAX_OPEN", 10)
    manager = CacheManager(type="file", data_dir=str(tmp_path))

    for number in range(30):
        manager.get_cache(f"user {number}")["k"] = number

    assert len(cache_managers) == 10
    assert [manager.get_cache(f"user {n}")["k"] for n in range(30)] == list(range(30))


# -- managers and regions


def test_a_manager_tells_its_options_and_regions() -> None:
    config = {
        "beaker.cache.type": "memory",
        "beaker.cache.expire": "60",
        "beaker.cache.regions": "short, long",
        "beaker.cache.long.expire": "3600",
        "beaker.session.type": "file",
    }

    manager = CacheManager(**parse_cache_config_options(config))

    assert (manager.kwargs["type"], manager.kwargs["expire"]) == ("memory", 60)
    assert set(manager.regions) == {"short", "long"}
    assert manager.regions["short"]["expire"] == 60
    assert manager.regions["long"]["expire"] == 3600
    assert beaker.cache.cache_regions == manager.regions


def test_a_region_wins_over_what_is_given_for_one_cache(tmp_path: Path) -> None:
    # Template languages give a directory of theirs to every cache they open.
    regions = {"short": {"type": "memory", "expire": 60}}
    manager = CacheManager(cache_regions=regions)

    cache = manager.get_cache_region(
        "template", "short", data_dir=str(tmp_path), expire=5
    )

    assert cache.expiretime == 60
    assert cache.nsargs["data_dir"] == str(tmp_path)


def test_a_region_of_the_program_is_known_to_every_manager() -> None:
    manager = CacheManager()
    beaker.cache.cache_regions["late"] = {"type": "memory", "expire": 7}

    assert manager.get_cache_region("things", "late").expiretime == 7


def test_a_region_that_nobody_configured_is_told_with_those_there_are() -> None:
    manager = CacheManager(cache_regions={"short": {}, "long": {}})

    with pytest.raises(RegionNotConfiguredError) as caught:
        manager.get_cache_region("things", "shrot")

    assert str(caught.value) == (
        "Cache region not configured: 'shrot'; configured regions: long, short"
    )
    assert isinstance(caught.value, BeakerException | KeyError)


def test_a_region_that_is_off_keeps_nothing(calls: Calls) -> None:
    manager = CacheManager(cache_regions={"off": {"enabled": "no", "type": "memory"}})
    cache = manager.get_cache_region("things", "off")

    found = [cache.get("k", createfunc=calls) for _ in range(2)]

    assert found == ["value 1", "value 2"]


# -- options for one call


def test_the_options_for_one_call_complete_those_of_the_cache(
    tmp_path: Path, clock: Clock
) -> None:
    cache = Cache("things", data_dir=str(tmp_path), expire=60)

    with pytest.deprecated_call():
        cache.put("k", "in a file", type="file", expiretime=5)
    with pytest.deprecated_call():
        assert cache.get("k", type="file") == "in a file"
    clock.advance(5)
    with pytest.deprecated_call():
        found = cache.get("k", type="file", createfunc=lambda: "anew")

    assert found == "anew"
    assert "k" not in cache


# -- subclasses of 1.x


def test_a_subclass_may_have_a_creation_function_of_its_own() -> None:
    class Making(Cache):
        def _get_value(self, key: str, **kw: Any) -> Value:
            kw.setdefault("createfunc", lambda: f"{key}, made")
            return super()._get_value(key, **kw)

    cache = Making("things")

    assert cache.get("tea") == "tea, made"
    assert cache.get("coffee", createfunc=lambda: "given") == "given"


def test_a_subclass_that_makes_its_values_is_asked() -> None:
    class Shouting(Value):
        def get_value(self) -> Any:
            return super().get_value().upper()

    class Loud(Cache):
        def _get_value(self, key: str, **kw: Any) -> Value:
            kw.setdefault("expiretime", self.expiretime)
            return Shouting(key, self.namespace, starttime=self.starttime, **kw)

    cache = Loud("things")
    cache["k"] = "quiet"

    assert (cache["k"], cache.get("k")) == ("QUIET", "QUIET")
    assert cache.get_value("l", createfunc=lambda: "made") == "MADE"
    assert "k" in cache
    del cache["k"]
    assert "k" not in cache


def test_a_subclass_is_what_its_registry_opens() -> None:
    class Own(Cache):
        pass

    assert type(Own._get_cache("things", {"type": "memory"})) is Own
