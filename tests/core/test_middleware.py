"""The doors of a WSGI application."""

from __future__ import annotations

import sys
import types
import warnings
from collections.abc import Iterable, Iterator
from typing import Any

import pytest

import beaker.middleware
from beaker.cache import CacheManager
from beaker.exceptions import (
    BeakerWarning,
    InvalidOptionError,
    StoreUnavailableError,
    UnknownBackendError,
    UnknownOptionError,
)
from beaker.hookspecs import hookimpl
from beaker.listeners import register, unregister
from beaker.middleware import (
    CacheMiddleware,
    SessionMiddleware,
    session_filter_app_factory,
    session_filter_factory,
)
from beaker.protocols import Lease, NamespaceManager
from beaker.session import Session
from tests.core.sessions import (
    KEY,
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
        SessionMiddleware(echo, htponly=True, mode="strict", secret="s" * 20)


def test_an_unknown_store_is_told_at_once() -> None:
    with pytest.raises(UnknownBackendError, match="did you mean 'memory'"):
        SessionMiddleware(echo, type="memroy")


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


# -- a store that is away


class Switchable(NamespaceManager):
    """A store of one process that can be taken away."""

    shared_between_hosts = True
    expires_natively = True
    is_away: bool
    kept: Options

    def _check(self) -> None:
        if type(self).is_away:
            raise OSError("connection refused")

    def fetch(self, key: str) -> bytes | None:
        """Return what is kept."""
        self._check()
        return self.kept.get(self.namespace + key)

    def store(self, key: str, data: bytes, ttl: float | None) -> None:
        """Keep."""
        del ttl
        self._check()
        self.kept[self.namespace + key] = data

    def discard(self, key: str) -> bool:
        """Remove."""
        self._check()
        return self.kept.pop(self.namespace + key, None) is not None

    def replace(
        self, key: str, expected: bytes | None, data: bytes, ttl: float | None
    ) -> bool:
        """Compare and set."""
        if self.fetch(key) != expected:
            return False
        self.store(key, data, ttl)
        return True

    def lease(self, key: str) -> Lease:
        """Refuse: not needed here."""
        raise NotImplementedError(key)


@pytest.fixture
def server() -> Iterator[type[Switchable]]:
    """A store of this test's own, which is there."""

    class Ours(Switchable):
        is_away = False
        kept: Options = {}  # noqa: RUF012 - shared by all, as a server is

    yield Ours
    Ours.is_away = False


@pytest.fixture
def away(server: type[Switchable]) -> Visit:
    """A visit with a session in a store that has gone away."""
    visit = Visit(namespace_class=server)
    visit.request(setting(user="ann"))
    server.is_away = True
    return visit


def test_an_unreachable_store_is_answered_503_and_costs_no_session(
    away: Visit,
) -> None:
    before = dict(away.browser.cookies)

    responses = [away.request(act) for act in (contents, setting(user="eve"))]

    for response in responses:
        assert response.status == "503 Service Unavailable"
        assert response.all("Retry-After") == ["1"]
        assert response.cookie == ""
    assert away.browser.cookies == before


def test_an_unreachable_store_is_never_a_new_session(
    away: Visit, server: type[Switchable]
) -> None:
    cookie = f"{KEY}={away.browser.cookies[KEY]}"

    with pytest.raises(StoreUnavailableError, match="connection refused"):
        Session(
            {"cookie": cookie},
            invalidate_corrupt=True,
            key=KEY,
            namespace_class=server,
        )


def test_requests_without_a_session_do_not_notice(away: Visit) -> None:
    assert away.request(lambda _session: "fine").body == "fine"


# -- who listens


class Listener:
    """Notes what it is told."""

    def __init__(self) -> None:
        self.heard: list[tuple[str, Any]] = []

    @hookimpl
    def session_loaded(self, session_id: str) -> None:
        """Note."""
        self.heard.append(("loaded", session_id))

    @hookimpl
    def session_saved(self, session_id: str) -> None:
        """Note."""
        self.heard.append(("saved", session_id))

    @hookimpl
    def session_rotated(self, session_id: str, former_id: str) -> None:
        """Note."""
        self.heard.append(("rotated", (former_id, session_id)))

    @hookimpl
    def session_deleted(self, session_id: str) -> None:
        """Note."""
        self.heard.append(("deleted", session_id))

    @hookimpl
    def session_rejected(self, session_id: str | None, reason: str) -> None:
        """Note."""
        del session_id
        self.heard.append(("rejected", reason))


@pytest.fixture
def listener() -> Iterator[Listener]:
    """A listener that hears everything."""
    hearing = Listener()
    register(hearing)
    yield hearing
    unregister(hearing)


@pytest.mark.parametrize(
    "options", [{"type": "memory"}, {"type": "cookie", "validate_key": "v" * 20}]
)
def test_listeners_hear_the_life_of_a_session(
    listener: Listener, options: Options
) -> None:
    visit = Visit(**options)

    visit.request(setting(n=1))
    first = listener.heard[-1][1]
    visit.request(lambda session: session.regenerate_id())
    visit.request(lambda session: session.delete())
    visit.browser.cookies[KEY] = "forged"
    visit.request(contents)

    kinds = [kind for kind, _ in listener.heard]
    assert kinds == ["saved", "loaded", "rotated", "loaded", "deleted", "rejected"]
    rotated = dict(listener.heard)["rotated"]
    assert rotated[0] == first != rotated[1]


def test_listeners_hear_of_what_was_not_saved(listener: Listener) -> None:
    visit = Visit(type="memory")
    visit.request(setting(n=1))

    def act(session: Any) -> None:
        session.get_by_id(session.id).delete()
        session["n"] = 2
        session.save()

    visit.request(act)

    assert listener.heard[-1][0] == "rejected"
    assert "not saved" in listener.heard[-1][1]


def test_the_application_that_is_wrapped_may_be_anything_callable() -> None:
    assert Browser(SessionMiddleware(Application(), type="memory")).get().body == "None"
