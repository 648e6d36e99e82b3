"""The doors of a WSGI application."""

from __future__ import annotations

import sys
import types
import warnings
from collections.abc import Iterable
from typing import Any

import pytest

import beaker.middleware
from beaker.cache import CacheManager
from beaker.exceptions import (
    BeakerWarning,
    InvalidOptionError,
    MissingCacheParameter,
    UnknownBackendError,
    UnknownOptionError,
)
from beaker.middleware import (
    CacheMiddleware,
    SessionMiddleware,
    session_filter_app_factory,
    session_filter_factory,
)
from beaker.session import Session
from tests.core.sessions import (
    STRONG,
    Application,
    Browser,
    Visit,
    contents,
    setting,
)

Options = dict[str, Any]


def echo(environ: Options, start_response: Any) -> Iterable[bytes]:
    """Answer without a look at the session."""
    del environ
    start_response("200 OK", [])
    return [b"ok"]


# -- options


@pytest.mark.parametrize("prefix", ["session.", "beaker.session."])
def test_options_are_taken_by_their_prefix(prefix: str) -> None:
    config = {f"{prefix}key": "mine", "other.key": "theirs", "debug": "true"}

    assert SessionMiddleware(echo, config).options["key"] == "mine"


def test_without_any_prefix_all_options_are_meant() -> None:
    assert SessionMiddleware(echo, {"key": "mine"}).options["key"] == "mine"


def test_keywords_win_over_the_configuration() -> None:
    door = SessionMiddleware(echo, {"session.key": "configured"}, key="keyword")

    assert door.options["key"] == "keyword"


def test_text_from_a_file_is_brought_to_its_type() -> None:
    options = SessionMiddleware(
        echo,
        {"session.timeout": "300", "session.auto": "yes", "session.httponly": "off"},
    ).options

    assert (options["timeout"], options["auto"]) == (300, True)
    assert options["httponly"] is False


@pytest.mark.parametrize(
    ("option", "value"),
    [
        ("timeout", "soon"),
        ("auto", "perhaps"),
        ("cookie_expires", "tomorrow"),
        ("samesite", "Loose"),
        ("type", ""),
        ("key", ""),
        ("secret", ""),
        ("encrypt_nonce_bits", 8),
        ("data_serializer", "yaml"),
    ],
)
def test_a_wrong_value_is_told_by_its_option(option: str, value: object) -> None:
    with pytest.raises(InvalidOptionError, match=option):
        SessionMiddleware(echo, {f"session.{option}": value})


def test_a_slip_in_an_options_name_is_told() -> None:
    with pytest.warns(BeakerWarning, match="'htponly'; did you mean 'httponly'"):
        SessionMiddleware(echo, {"session.htponly": True})


def test_strict_mode_refuses_a_slip() -> None:
    with pytest.raises(UnknownOptionError, match="httponly"):
        SessionMiddleware(echo, htponly=True, mode="strict", secret=STRONG)


def test_an_unknown_store_is_told_at_once() -> None:
    with pytest.raises(UnknownBackendError, match="did you mean 'memory'"):
        SessionMiddleware(echo, type="memroy")


@pytest.mark.parametrize("kind", ["file", "dbm", "sqlite"])
def test_what_a_store_lacks_is_told_at_once(kind: str) -> None:
    with pytest.raises(MissingCacheParameter, match="'data_dir'"):
        SessionMiddleware(echo, {"session.type": kind})


def test_a_type_that_is_no_name_is_told_at_once() -> None:
    with pytest.raises(InvalidOptionError, match="option 'type'"):
        SessionMiddleware(echo, {"session.type": 5})


def test_without_cookies_no_cookie_is_read_or_sent() -> None:
    visit = Visit(type="memory", use_cookies="false")

    answer = visit.request(setting(n=1))

    assert not answer.cookie


def test_no_type_means_files_in_a_directory_or_memory(tmp_path: Any) -> None:
    assert Visit(data_dir=str(tmp_path)).read(lambda s: s.namespace_class.__name__) == (
        "FileNamespaceManager"
    )
    assert Visit().read(lambda s: s.namespace_class.__name__) == (
        "MemoryNamespaceManager"
    )


# -- what stands in the environ


def test_the_session_stands_where_it_was_asked_for() -> None:
    seen: Options = {}

    def application(environ: Options, start_response: Any) -> Iterable[bytes]:
        seen.update(environ)
        return echo(environ, start_response)

    Browser(SessionMiddleware(application, environ_key="here", type="memory")).get()

    assert "beaker.session" not in seen
    assert not seen["here"].accessed()
    new = seen["beaker.get_session"]()
    assert isinstance(new, Session)
    assert not new.use_cookies


def test_webtest_is_shown_the_session() -> None:
    shown: Options = {}
    environ: Options = {"paste.testing_variables": shown}
    door = SessionMiddleware(echo, webtest_varname="session", type="memory")

    Browser(door).get(**environ)

    assert shown["session"].accessed() is False


def test_paste_registers_the_session_and_the_cache(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    class Registry:
        reglist = (1,)

        def __init__(self) -> None:
            self.registered: list[Any] = []

        def register(self, proxy: object, served: object) -> None:
            self.registered.append((proxy, served))

    class Proxy:
        def __init__(self, name: str) -> None:
            self.name = name

    paste = types.ModuleType("paste.registry")
    paste.__dict__["StackedObjectProxy"] = Proxy
    monkeypatch.setitem(sys.modules, "paste", types.ModuleType("paste"))
    monkeypatch.setitem(sys.modules, "paste.registry", paste)
    registry = Registry()
    environ: Options = {"paste.registry": registry}

    inner = SessionMiddleware(echo, type="memory")
    Browser(CacheMiddleware(inner)).get(**environ)

    (cache, manager), (session, _) = registry.registered
    assert (cache.name, session.name) == ("Cache Manager", "Beaker Session")
    assert isinstance(manager, CacheManager)
    assert beaker.middleware.beaker_session is session
    assert beaker.middleware.beaker_cache is cache


def test_paste_makes_filters_of_its_sections() -> None:
    global_conf = {"debug": "true", "here": "/", "smtp": "x", "session.key": "mine"}

    with warnings.catch_warnings():
        warnings.simplefilter("error")
        wrapped = session_filter_factory(global_conf, type="memory")(echo)
        direct = session_filter_app_factory(echo, global_conf, type="memory")

    assert wrapped.options["key"] == direct.options["key"] == "mine"
    assert (wrapped.app, wrapped.wrap_app) == (echo, echo)


def test_the_cache_stands_in_the_environ() -> None:
    seen: Options = {}

    def application(environ: Options, start_response: Any) -> Iterable[bytes]:
        seen.update(environ)
        return echo(environ, start_response)

    config = {"cache.type": "memory", "cache.regions": "short", "cache.expire": "60"}
    Browser(CacheMiddleware(application, config)).get()

    manager = seen["beaker.cache"]
    assert isinstance(manager, CacheManager)
    assert manager.regions["short"]["expire"] == 60


# -- what is sent


def test_a_response_that_used_the_session_varies_by_cookie() -> None:
    visit = Visit(type="memory")

    assert visit.request(contents).all("Vary") == ["Cookie"]
    assert visit.request(lambda _session: None).all("Vary") == []


@pytest.mark.parametrize(
    ("vary", "expected"),
    [("Accept", "Accept, Cookie"), ("cookie", "cookie"), ("*", "*")],
)
def test_what_varies_already_varies_further(vary: str, expected: str) -> None:
    def application(environ: Options, start_response: Any) -> Iterable[bytes]:
        contents(environ["beaker.session"])
        start_response("200 OK", [("vary", vary)])
        return []

    response = Browser(SessionMiddleware(application, type="memory")).get()

    assert response.all("Vary") == [expected]


def test_an_application_that_fails_saves_nothing() -> None:
    visit = Visit(type="memory")
    visit.request(setting(n=1))

    visit.application.status = "500 Internal Server Error"
    response = visit.request(setting(n=2))
    visit.application.status = "200 OK"

    assert response.cookie == ""
    assert visit.read(contents) == "{'n': 1}"


def test_what_was_done_at_once_is_sent_even_then() -> None:
    visit = Visit(type="memory")
    visit.request(setting(n=1))

    visit.application.status = "503 Service Unavailable"
    visit.request(lambda session: session.regenerate_id())
    visit.application.status = "200 OK"

    assert visit.read(contents) == "{'n': 1}"


def test_two_doors_keep_two_sessions() -> None:
    def application(environ: Options, start_response: Any) -> Iterable[bytes]:
        environ["one"]["n"] = 1
        environ["one"].save()
        environ["two"]["n"] = 2
        environ["two"].save()
        start_response("200 OK", [])
        return []

    inner = SessionMiddleware(application, environ_key="two", key="b", type="memory")
    outer = SessionMiddleware(inner, environ_key="one", key="a", type="memory")
    response = Browser(outer).get()

    names = {cookie.partition("=")[0] for cookie in response.all("Set-Cookie")}
    assert names == {"a", "b"}


def test_the_application_that_is_wrapped_may_be_anything_callable() -> None:
    assert Browser(SessionMiddleware(Application(), type="memory")).get().body == "None"


def test_who_saves_too_late_is_told() -> None:
    def application(environ: Options, start_response: Any) -> Iterable[bytes]:
        response = echo(environ, start_response)
        environ["beaker.session"]["name"] = "Ann"
        with pytest.warns(BeakerWarning, match=r"call persist\(\)"):
            environ["beaker.session"].save()
        return response

    Browser(SessionMiddleware(application, type="memory")).get()
