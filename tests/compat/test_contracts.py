"""What programs rely on beside names; each of these tests passes on 1.14.1 as well."""

from __future__ import annotations

import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

import beaker.cache
import beaker.container
import beaker.session
from beaker.cache import Cache, CacheManager, cache_region, region_invalidate
from beaker.container import MemoryNamespaceManager, Value
from beaker.middleware import CacheMiddleware, SessionMiddleware
from beaker.session import CookieSession, Session, SessionObject
from beaker.util import (
    coerce_cache_params,
    coerce_session_params,
    func_namespace,
    has_self_arg,
    parse_cache_config_options,
)


@pytest.fixture(autouse=True)
def fresh(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Begin without regions, caches and values, as the tests of programs do."""
    monkeypatch.setattr(beaker.cache, "cache_regions", {})
    beaker.cache.cache_managers.clear()
    MemoryNamespaceManager.namespaces.clear()
    yield
    beaker.cache.cache_managers.clear()
    MemoryNamespaceManager.namespaces.clear()


def counting() -> Any:
    made: list[Any] = []

    def make(*arguments: Any) -> int:
        made.append(arguments)
        return len(made)

    return make


# -- state in the modules, read when it is needed


def test_regions_may_be_bound_anew_after_a_function_was_decorated() -> None:
    make = counting()
    function = cache_region("short", "made")(make)

    beaker.cache.cache_regions = {"short": {"type": "memory", "expire": 60}}

    assert [function(1), function(1), function(2)] == [1, 1, 2]


def test_emptying_the_memory_forgets_all_values() -> None:
    cache, make = CacheManager(type="memory").get_cache("things"), counting()
    assert cache.get("k", createfunc=make) == 1

    MemoryNamespaceManager.namespaces.clear()
    beaker.cache.cache_managers.clear()

    again = CacheManager(type="memory").get_cache("things")
    assert again.get("k", createfunc=make) == 2


def test_the_open_caches_can_be_gone_through_and_forgotten() -> None:
    Cache._get_cache("things", {"type": "memory"}).put("k", 1)

    for cache in beaker.cache.cache_managers.values():
        cache.clear()

    assert not Cache._get_cache("things", {"type": "memory"}).has_key("k")


def test_a_clock_in_place_of_the_module_time_moves_expiry(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    class Clock:
        now = 0.0

        def time(self) -> float:
            return self.now

    clock, make = Clock(), counting()
    monkeypatch.setattr(beaker.container, "time", clock)
    cache = CacheManager(type="memory").get_cache("things", expire=10)
    assert cache.get("k", createfunc=make) == 1

    clock.now = 9
    assert cache.get("k", createfunc=make) == 1
    clock.now = 11
    assert cache.get("k", createfunc=make) == 2


def test_a_class_of_the_program_may_take_the_place_of_a_session(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    class Own(Session):
        pass

    monkeypatch.setattr(beaker.session, "Session", Own)

    assert isinstance(SessionObject({}, type="memory")._session(), Own)


# -- caches


def test_a_decorated_function_tells_its_namespace_and_region() -> None:
    beaker.cache.cache_regions = {"short": {"type": "memory"}}

    @cache_region("short")
    def function() -> int:
        return 1

    assert function._arg_namespace == func_namespace(function.__wrapped__)  # type: ignore[attr-defined]  # as programs ask
    assert function._arg_region == "short"  # type: ignore[attr-defined]  # likewise


def test_a_region_is_invalidated_by_the_function() -> None:
    beaker.cache.cache_regions = {"short": {"type": "memory"}}
    make = counting()
    function = cache_region("short", "made")(make)
    assert function(1) == 1

    region_invalidate(function, None, "made", 1)

    assert function(1) == 2


def test_templates_ask_for_caches_with_options_of_their_own(tmp_path: Path) -> None:
    regions = {"short": {"type": "memory"}}
    manager, make = CacheManager(cache_regions=regions), counting()
    directory = {"data_dir": str(tmp_path)}

    cache = manager.get_cache("page", type="file", **directory)
    of_region = manager.get_cache_region("page", "short")

    asked = {"createfunc": make, "expiretime": 60, "starttime": 0}
    assert cache.get("k", **asked) == cache.get_value("k", **asked) == 1
    assert of_region.get("k", **asked) == 2
    cache.put("k", 7, expiretime=60)
    assert cache.get("k", **asked) == 7
    cache.remove_value("k", starttime=0, expiretime=60)
    assert cache.get("k", **asked) == 3


def test_a_cache_is_a_dictionary() -> None:
    cache = CacheManager(type="memory").get_cache("things")

    cache["k"] = 1

    assert cache["k"] == 1
    assert "k" in cache
    assert cache.has_key("k")
    del cache["k"]
    assert "k" not in cache


def test_a_subclass_of_cache_knows_its_values() -> None:
    class Own(Cache):
        def value(self, key: str, **kw: Any) -> Any:
            return self._get_value(key, **kw)

    cache = Own("things", type="memory", expire=5, starttime=1)
    value = cache.value("k", createfunc=counting())

    assert isinstance(value, Value)
    assert (value.expire_argument, value.starttime) == (5, 1)
    assert not value.has_value()
    value.set_value(3)
    assert value.has_value()
    assert value._get_value()[2] == 3
    assert not value._is_expired(1e12, 5)


def test_a_manager_keeps_its_options_and_regions() -> None:
    options = parse_cache_config_options(
        {
            "cache.regions": "short, long",
            "cache.type": "memory",
            "cache.short.expire": "5",
            "cache.long.expire": "50",
        }
    )
    manager = CacheManager(**options)

    assert manager.kwargs["type"] == "memory"
    assert set(manager.regions) == {"short", "long"}
    assert manager.regions["short"]["expire"] == 5


def test_helpers_of_decorators_are_there() -> None:
    class Page:
        def body(self) -> None: ...

    assert func_namespace(counting).endswith("counting")
    assert has_self_arg(Page.body)
    assert not has_self_arg(counting)


def test_options_are_coerced_in_place() -> None:
    of_session: dict[str, Any] = {"timeout": "60", "secure": "true"}
    of_cache: dict[str, Any] = {"expire": "60", "enabled": "false"}

    session = coerce_session_params(of_session)
    cache = coerce_cache_params(of_cache)

    assert (session["timeout"], session["secure"]) == (60, True)
    assert (cache["expire"], cache["enabled"]) == (60, False)


def test_the_middleware_of_caches_has_a_manager() -> None:
    door = CacheMiddleware(lambda *_: [], {"cache.type": "memory"})

    assert isinstance(door.cache_manager, CacheManager)
    assert door.environ_key == "beaker.cache"


# -- sessions


def test_a_session_object_keeps_its_state_under_names_of_its_own() -> None:
    environ: dict[str, Any] = {}
    session = SessionObject(environ, type="memory", key="shop")
    state = session.__dict__

    assert state["_params"]["key"] == "shop"
    assert state["_environ"] is environ
    assert not session.accessed()
    session["user"] = "ann"
    session.save()
    assert state["_dirty"]
    assert session.accessed()
    session.persist()
    assert state["_headers"]["set_cookie"]
    assert state["_headers"]["cookie_out"].strip().startswith("shop=")
    assert state["_sess"] is session._session()


def test_the_type_cookie_chooses_the_session_in_a_cookie() -> None:
    options = {"type": "cookie", "validate_key": "4f1d9c0b7a52e86318df0a94c6b2e75d"}

    assert isinstance(SessionObject({}, **options)._session(), CookieSession)


def test_an_id_of_the_program_may_hold_any_characters(tmp_path: Path) -> None:
    def opened() -> Session:
        where = {"type": "file", "data_dir": str(tmp_path)}
        return Session({}, id="sid.progress/é.key", use_cookies=False, **where)  # type: ignore[arg-type]  # by name

    session = opened()
    session["done"] = 5
    session.save()
    loaded = opened()
    loaded.load()

    assert (loaded["done"], loaded.id) == (5, "sid.progress/é.key")


def test_a_session_shows_its_cookie() -> None:
    session = SessionObject({}, type="memory", key="shop")
    session.save()
    session.persist()

    assert session.id in session.cookie[session.key].value


def test_a_subclass_of_the_middleware_finds_what_it_looks_for() -> None:
    class Own(SessionMiddleware):
        def __call__(self, environ: Any, start_response: Any) -> Any:
            assert isinstance(self._get_session(), Session)
            return super().__call__(environ, start_response)

    def application(environ: Any, start_response: Any) -> list[bytes]:
        start_response("200 OK", [])
        return [str("beaker.get_session" in environ).encode()]

    door = Own(application, {"session.type": "memory"}, environ_key="session")

    assert door.wrap_app is door.app is application
    assert door.options["type"] == "memory"
    assert door.environ_key == "session"
    assert door({}, lambda *_: None) == [b"True"]


# -- and there


def test_all_of_these_pass_on_1_14_1(former_python: str, tmp_path: Path) -> None:
    here = ["-c", "/dev/null", "--rootdir", str(tmp_path), "--noconftest"]

    done = subprocess.run(  # noqa: S603 - named by who runs the tests
        [former_python, "-m", "pytest", "-q", *here, "-k", "not 1_14_1", __file__],
        capture_output=True,
        check=False,
        cwd=tmp_path,
        text=True,
    )

    assert done.returncode == 0, done.stdout
