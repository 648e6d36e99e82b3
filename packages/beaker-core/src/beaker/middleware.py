"""The doors of a WSGI application: a session and a cache for each request."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterable, Iterator, Mapping
from types import GeneratorType
from typing import Any

from beaker._sessions.settings import SessionSettings
from beaker.cache import CacheManager
from beaker.configuration import cache_options, session_options
from beaker.exceptions import StoreUnavailableError
from beaker.listeners import load_listeners
from beaker.session import Session, SessionObject

__all__ = [
    "CacheMiddleware",
    "SessionMiddleware",
    "session_filter_app_factory",
    "session_filter_factory",
]

Environ = dict[str, Any]
Headers = list[tuple[str, str]]
StartResponse = Callable[..., Any]
Application = Callable[[Environ, StartResponse], Iterable[bytes]]

_log = logging.getLogger("beaker.session")

# With another value these say how one session is made, not what all share.
_OF_ONE_SESSION = {"id": None, "use_cookies": True}


class _PasteProxy:
    """Paste's proxy for the object of the current request; None without Paste."""

    def __init__(self, name: str) -> None:
        self._name, self._proxy = name, None

    def __get__(self, instance: object, owner: type | None = None) -> Any:
        if self._proxy is None:
            try:
                from paste.registry import StackedObjectProxy
            except ImportError:
                return None
            self._proxy = StackedObjectProxy(name=self._name)
        return self._proxy


class SessionMiddleware:
    """Gives each request a session, and each response its cookie.

    The session stands in the environ, and is loaded when it is first used. What is
    to be saved is saved when the application starts its response; after an error,
    that is with a status of 500 or more, it is not. While the store of the sessions
    is away, the answer is 503.

    Args:
        wrap_app: The application.
        config: The options of the program; those that begin with ``session.`` or
            ``beaker.session.`` count, or all of them if none does.
        environ_key: Where in the environ the session stands.
        kwargs: Options of sessions, which win over those in `config`.

    Raises:
        InvalidOptionError: An option has a value that it does not take.
        InvalidCacheBackendError: No store answers to ``type``.
        MissingCacheParameter: The store needs an option that is not given.
    """

    session = _PasteProxy("Beaker Session")

    def __init__(
        self,
        wrap_app: Application,
        config: Mapping[str, Any] | None = None,
        environ_key: str = "beaker.session",
        **kwargs: Any,
    ) -> None:
        self.options = session_options(config, kwargs)
        self.wrap_app = self.app = wrap_app
        self.environ_key = environ_key
        self._settings = None
        # A class of the program knows itself which options it takes.
        if not self.options.get("session_class"):
            settings, usual = _ready(self.options), _OF_ONE_SESSION.items()
            if all(self.options.get(name, value) == value for name, value in usual):
                self._settings = settings
        self._webtest_name = self.options.get("webtest_varname")
        self._new_session = self._get_session
        load_listeners()

    def __call__(
        self, environ: Environ, start_response: StartResponse
    ) -> Iterable[bytes]:
        """Answer a request."""
        session = SessionObject.prepared(environ, self.options, self._settings)
        environ[self.environ_key] = session
        environ["beaker.get_session"] = self._new_session
        if "paste.registry" in environ:
            _register(environ, self.session, session)
        if self._webtest_name and "paste.testing_variables" in environ:
            environ["paste.testing_variables"][self._webtest_name] = session

        def session_start_response(
            status: str, headers: Headers, exc_info: Any = None
        ) -> Any:
            state = session.__dict__
            if state["_sess"] is not None:
                _finish(session, status, headers, exc_info)
            state["_answered"] = True
            return start_response(status, headers, exc_info)

        try:
            body = self.wrap_app(environ, session_start_response)
        except StoreUnavailableError as e:
            return _instead(e, session, start_response)
        if type(body) is GeneratorType:
            # Such an application begins when its first bytes are asked for.
            return _guarded(body, session, start_response)
        return body

    def _get_session(self) -> Session:
        """Return a new session that no cookie leads to."""
        return Session({}, **{**self.options, "use_cookies": False})


class CacheMiddleware:
    """Puts a `CacheManager` into the environ of each request.

    Args:
        app: The application.
        config: The options of the program; those that begin with ``cache.`` or
            ``beaker.cache.`` count, or all of them if none does.
        environ_key: Where in the environ the manager stands.
        kwargs: Options of caches, which win over those in `config`.

    Raises:
        InvalidOptionError: An option has a value that it does not take.
    """

    cache = _PasteProxy("Cache Manager")

    def __init__(
        self,
        app: Application,
        config: Mapping[str, Any] | None = None,
        environ_key: str = "beaker.cache",
        **kwargs: Any,
    ) -> None:
        self.app = app
        self.options = cache_options(config, kwargs)
        self.cache_manager = CacheManager(**self.options)
        self.environ_key = environ_key

    def __call__(
        self, environ: Environ, start_response: StartResponse
    ) -> Iterable[bytes]:
        """Answer a request."""
        if "paste.registry" in environ:
            _register(environ, self.cache, self.cache_manager)
        environ[self.environ_key] = self.cache_manager
        return self.app(environ, start_response)


def session_filter_factory(
    global_conf: Mapping[str, Any], **kwargs: Any
) -> Callable[[Application], SessionMiddleware]:
    """Return what wraps an application, for a filter section of Paste."""

    def wrap(app: Application) -> SessionMiddleware:
        return session_filter_app_factory(app, global_conf, **kwargs)

    return wrap


def session_filter_app_factory(
    app: Application, global_conf: Mapping[str, Any], **kwargs: Any
) -> SessionMiddleware:
    """Return the wrapped application, for a filter-app section of Paste."""
    # The rest of the global section is for other programs.
    ours = ("session.", "beaker.session.")
    config = {k: v for k, v in (global_conf or {}).items() if k.startswith(ours)}
    return SessionMiddleware(app, config, **kwargs)


def __getattr__(name: str) -> Any:
    # Paste is imported where it is used.
    if name == "beaker_session":
        return SessionMiddleware.session
    if name == "beaker_cache":
        return CacheMiddleware.cache
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


def _ready(options: dict[str, Any]) -> SessionSettings:
    """Return settings that hold all that a request will need."""
    settings = SessionSettings(options)
    if settings.in_cookie:
        _ = settings.cookie_format
    elif not settings.opener.is_legacy:
        # A missing url or directory is told now, not by the first visitor; a class of
        # 1.x would connect.
        settings.opener.open("")
    return settings


def _register(environ: Environ, proxy: Any, served: object) -> None:
    registry = environ["paste.registry"]
    if proxy is not None and registry and registry.reglist:
        registry.register(proxy, served)


def _finish(
    session: SessionObject, status: str, headers: Headers, exc_info: Any
) -> None:
    """Save what is to be saved, and add the headers that a session needs."""
    # An error leaves the session as it was; what took place at once stays done.
    if exc_info is None and not status.startswith("5"):
        session.persist()
    sent = session.__dict__["_headers"]
    if sent.get("set_cookie") and sent.get("cookie_out"):
        headers.append(("Set-Cookie", sent["cookie_out"]))
    for at, (name, value) in enumerate(headers):
        if name.lower() == "vary":
            if "cookie" not in value.lower() and value.strip() != "*":
                headers[at] = (name, f"{value}, Cookie")
            return
    headers.append(("Vary", "Cookie"))


def _guarded(
    body: Iterable[bytes], session: SessionObject, start_response: StartResponse
) -> Iterator[bytes]:
    try:
        yield from body
    except StoreUnavailableError as e:
        yield from _instead(e, session, start_response)


def _instead(
    error: StoreUnavailableError, session: SessionObject, start_response: StartResponse
) -> Iterable[bytes]:
    if "_answered" in session.__dict__:
        raise error
    _log.error("answered 503: %s", error)
    return _unavailable(start_response)


def _unavailable(start_response: StartResponse) -> Iterable[bytes]:
    body = b"The sessions of this site cannot be reached. Please try again soon.\n"
    headers = [
        ("Content-Type", "text/plain; charset=utf-8"),
        ("Content-Length", str(len(body))),
        ("Retry-After", "1"),
    ]
    start_response("503 Service Unavailable", headers)
    return [body]
