"""The session of a request, made when it is first used."""

from __future__ import annotations

import warnings
from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any

from beaker._sessions.base import ConfigurableSession as _ConfigurableSession
from beaker._sessions.base import session_id as _session_id
from beaker._sessions.cookie import CookieSession
from beaker._sessions.cookieheaders import months, weekdays
from beaker._sessions.purging import purge_sessions
from beaker._sessions.server import Session
from beaker._sessions.settings import SessionSettings
from beaker.cache import clsmap
from beaker.exceptions import (
    BeakerWarning,
    InvalidOptionError,
    UnsupportedOperationError,
)

if TYPE_CHECKING:
    from beaker.cookie import InvalidSignature, SignedCookie, _InvalidSignatureType

__all__ = [
    "CookieSession",
    "InvalidSignature",
    "Session",
    "SessionObject",
    "SignedCookie",
    "_ConfigurableSession",
    "_InvalidSignatureType",
    "_session_id",
    "clsmap",
    "months",
    "purge_sessions",
    "weekdays",
]


# Programs put classes of their own in place of these two, here in this module.
_OURS = (Session, CookieSession)


class SessionObject:
    """Stands for a request's session, and makes it when it is first used.

    Everything that a `Session` has can be had here. `save` only notes that the
    session is to be written; `persist` writes it, at the latest when the
    application starts its response.

    Args:
        environ: The WSGI environment of the request.
        params: The options of the session, without prefix.
    """

    # Frameworks that inherit from this look into __dict__ for these names; other
    # attributes belong to the session.
    _settings: SessionSettings | None = None

    def __init__(self, environ: dict[str, Any], **params: Any) -> None:
        state = self.__dict__
        state["_params"] = params
        state["_environ"] = environ
        state["_sess"] = None
        state["_headers"] = {}

    @classmethod
    def prepared(
        cls,
        environ: dict[str, Any],
        params: Mapping[str, Any],
        settings: SessionSettings | None,
    ) -> SessionObject:
        """Return what stands for a session whose options were made ready before."""
        new = object.__new__(cls)
        state = new.__dict__
        state["_params"] = params
        state["_environ"] = environ
        state["_sess"] = None
        state["_headers"] = {}
        state["_settings"] = settings
        return new

    def _session(self) -> Session:
        """Return the session itself."""
        state = self.__dict__
        session: Session | None = state["_sess"]
        if session is None:
            session = state["_sess"] = self._made()
        return session

    def _made(self) -> Session:
        state, environ = self.__dict__, self.__dict__["_environ"]
        request = state["_headers"] = {
            "cookie": environ.get("HTTP_COOKIE"),
            "cookie_out": None,
            "set_cookie": False,
            "https": environ.get("wsgi.url_scheme") == "https",
        }
        settings = self._settings
        if settings is not None:
            usual: type[Session] = CookieSession if settings.in_cookie else Session
            if usual in _OURS:
                return usual.opened(request, settings)
        return self._class()(request, **state["_params"])

    def _class(self) -> type[Session]:
        params = self.__dict__["_params"]
        chosen = params.get("session_class")
        if chosen is None:
            return CookieSession if params.get("type") == "cookie" else Session
        if isinstance(chosen, type) and issubclass(chosen, Session):
            return chosen
        raise InvalidOptionError("session_class", chosen, "a subclass of Session")

    def __getattr__(self, attr: str) -> Any:
        return getattr(self._session(), attr)

    def __setattr__(self, attr: str, value: Any) -> None:
        setattr(self._session(), attr, value)

    def __delattr__(self, name: str) -> None:
        delattr(self._session(), name)

    def __getitem__(self, key: str) -> Any:
        return self._session()[key]

    def __setitem__(self, key: str, value: Any) -> None:
        self._session()[key] = value

    def __delitem__(self, key: str) -> None:
        del self._session()[key]

    def __repr__(self) -> str:
        return repr(self._session())

    def __iter__(self) -> Iterator[str]:
        return iter(self._session())

    def __contains__(self, key: object) -> bool:
        return key in self._session()

    def has_key(self, key: str) -> bool:
        """Return whether there is such a key."""
        return key in self._session()

    def get_by_id(self, id: str) -> Session | None:
        """Return the session of another id, or None if there is none.

        Raises:
            UnsupportedOperationError: Sessions are in cookies, so nobody else's is
                at hand.
        """
        chosen = self._class()
        if issubclass(chosen, CookieSession):
            raise UnsupportedOperationError("cookie", "find a session", "enumerable")
        params = {**self.__dict__["_params"], "use_cookies": False, "id": id}
        session = chosen({}, **params)
        return None if session.is_new else session

    def save(self) -> None:
        """Note that the session is to be written, when the response begins."""
        self.__dict__["_dirty"] = True
        if "_answered" in self.__dict__:
            warnings.warn(
                "save() after start_response writes nothing; "
                "call it before, or call persist()",
                BeakerWarning,
                stacklevel=2,
            )

    def delete(self) -> None:
        """Remove the session and its cookie."""
        self.__dict__["_dirty"] = True
        self._session().delete()

    def persist(self) -> None:
        """Write the session now.

        All that was changed is written if `save` or `delete` was called, or if the
        option ``auto`` is set; otherwise only that the session was used.
        """
        session, state = self._session(), self.__dict__
        is_changed = self.dirty()
        if not is_changed and state["_params"].get("auto"):
            # What was saved before and is empty now has to be saved as such.
            is_changed = bool(state.get("_saved")) or not session.is_blank
            state["_saved"] = is_changed
        session.save(accessed_only=not is_changed)

    def dirty(self) -> bool:
        """Return whether `save` or `delete` was called."""
        return bool(self.__dict__.get("_dirty", False))

    def accessed(self) -> bool:
        """Return whether the session was used."""
        return self.__dict__["_sess"] is not None


def __getattr__(name: str) -> Any:
    # For programs of 1.x alone, and what they need is slow to import.
    if name in ("InvalidSignature", "SignedCookie", "_InvalidSignatureType"):
        from beaker import cookie

        return getattr(cookie, name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
