"""What every session has: its settings, its special keys, and its cookie."""

from __future__ import annotations

import os
from collections.abc import Iterable
from functools import cached_property
from typing import TYPE_CHECKING, Any

from beaker._sessions.cookieheaders import (
    COOKIE_LIMIT,
    attributes,
    cookie_values,
    expiry,
    serialize_cookie_date,
    set_cookie,
    shown_attributes,
)
from beaker._sessions.format import TIMES
from beaker._sessions.settings import SessionSettings, settings_of
from beaker.exceptions import InvalidOptionError, OversizedCookieError
from beaker.listeners import listens, tell

if TYPE_CHECKING:
    from beaker.cookie import SimpleCookie

__all__ = ["ConfigurableSession", "FromOptions", "session_id"]

#: How many ids of one request are looked for, each at the price of a fetch.
_TRIED = 4

#: In the past everywhere.
_GONE = "Thu, 01-Jan-1970 00:00:00 GMT"


def session_id() -> str:
    """Return a new id: 128 random bits in 32 hex digits."""
    return os.urandom(16).hex()


class FromOptions:
    """An attribute that has the value of an option until it is set to another."""

    def __init__(self, option: str) -> None:
        self._option = option

    def __get__(self, session: Any, owner: type) -> Any:
        return self if session is None else session._settings.options[self._option]  # noqa: SLF001  # its own


class _Secure(FromOptions):
    """Whether the cookie is for https only."""

    def __get__(self, session: Any, owner: type) -> Any:
        secure = super().__get__(session, owner)
        if secure != "auto":
            return secure
        # Browsers drop such cookies elsewhere anyway.
        bound = session.key.startswith(("__Host-", "__Secure-"))
        return bound or session.samesite == "None" or bool(session.request.get("https"))


class ConfigurableSession(dict[str, Any]):
    """A dictionary with a cookie.

    Subclasses of Beaker 1.x set only what they need and call `__init__` of this
    class alone: everything else has a default.

    Args:
        cookie_domain: The domain of the cookie; None: the host that set it.
        cookie_path: The path of the cookie.
    """

    key = FromOptions("key")
    timeout = FromOptions("timeout")
    save_atime = FromOptions("save_accessed_time")
    cookie_expires = FromOptions("cookie_expires")
    httponly = FromOptions("httponly")
    samesite = FromOptions("samesite")
    secure = _Secure("secure")
    secret = FromOptions("secret")
    encrypt_key = FromOptions("encrypt_key")
    validate_key = FromOptions("validate_key")
    data_serializer = FromOptions("data_serializer")

    id: str
    request: dict[str, Any]
    is_new: bool
    use_cookies = True
    last_accessed: float | None = None
    _cookie_is_due = False
    _written: tuple[str, str | None, str] | None = None

    def __init__(
        self, cookie_domain: str | None = None, cookie_path: str | None = "/"
    ) -> None:
        super().__init__()
        self._config = {"_domain": cookie_domain, "_path": cookie_path}

    def clear(self) -> None:
        """Remove all data; the cookie keeps its domain and its path."""
        super().clear()
        self.update(self._config)

    def has_key(self, name: str) -> bool:
        """Return whether there is such a key."""
        return name in self

    @property
    def created(self) -> float:
        """When the session began, in seconds since 1970."""
        return float(self["_creation_time"])

    @property
    def is_blank(self) -> bool:
        """Whether it is new and nothing was put into it."""
        return self.is_new and not self._live_data().keys() - {"_id"}

    @property
    def domain(self) -> str | None:
        """The domain of the cookie; None: the host that set it.

        A session remembers what it is set to, and its cookie is sent again.
        """
        return self.get("_domain")

    @domain.setter
    def domain(self, domain: str | None) -> None:
        self._configure("_domain", domain)

    @property
    def path(self) -> str:
        """The path of the cookie; set it as `domain`."""
        return self.get("_path") or "/"

    @path.setter
    def path(self, path: str) -> None:
        self._configure("_path", path)

    @cached_property
    def cookie(self) -> SimpleCookie:
        """The cookies of the request, and the session's own as it will be sent."""
        cookies = self._cookies_of_request()
        if self._written is not None:
            _show(cookies, self.key, *self._written)
        return cookies

    @staticmethod
    def serialize_cookie_date(v: Any) -> str:
        """Return a time in UTC as a cookie says it."""
        return serialize_cookie_date(v)

    # -- for subclasses

    @cached_property
    def _settings(self) -> SessionSettings:
        return settings_of({})

    def _cookie_value(self) -> str:
        """Return what the cookie is to say."""
        raise NotImplementedError

    def _cookie_changed(self) -> None:
        """Note that an attribute of the cookie was set."""
        raise NotImplementedError

    def _ids_in_cookie(self) -> list[str]:
        """Return the ids that the request's cookies of our name say, if believed."""
        if not self.use_cookies:
            return []
        said = cookie_values(self.request.get("cookie"), self.key)
        if len(said) == 1 and not listens:
            # The way of every request, written out.
            only = self._settings.cookie_ids.believed(said[0])
            if only is not None:
                self._cookie_is_due = not only[1]
                return [only[0]]
        believed = [self._settings.cookie_ids.believed(value) for value in said]
        found = [each for each in believed if each is not None]
        if "former_session_met" in listens:
            self._tell_former(zip(said, believed, strict=True))
        if found:
            self._cookie_is_due = not all(is_current for _, is_current in found)
        elif any(said):
            tell("session_rejected", session_id=None, reason="its cookie is not ours")
        return [one for one, _ in found[:_TRIED]]

    def _tell_former(self, cookies: Iterable[tuple[str, Any]]) -> None:
        for value, believed in cookies:
            if believed is not None and self._settings.cookie_ids.is_former(value):
                tell("former_session_met", kind="cookie", session_id=believed[0])

    def _live_data(self) -> dict[str, Any]:
        """Return what is to be stored: what differs from the configuration."""
        live = dict(self)
        for key in TIMES:
            live.pop(key, None)
        for key, configured in self._config.items():
            if key in live and live[key] == configured:
                del live[key]
        return live

    def _configure(self, key: str, value: str | None) -> None:
        before = self.get(key)
        self[key] = value
        try:
            self._attributes()
        except InvalidOptionError:
            self[key] = before
            raise
        self._cookie_changed()

    def _cookies_of_request(self) -> SimpleCookie:
        from beaker.cookie import SimpleCookie

        return SimpleCookie(self.request.get("cookie") or "")

    def _set_cookie_expires(self, expires: Any) -> Any:
        """Set when the cookie ends; None: as it was."""
        self.cookie_expires = self.cookie_expires if expires is None else expires
        said = expiry(self.cookie_expires)
        return True if said is None else said

    def _set_cookie_values(self, expires: Any = None) -> None:
        """Bring the cookie that programs can look at up to date."""
        ends = expiry(self.cookie_expires if expires is None else expires)
        _show(self.cookie, self.key, self._cookie_value(), ends, self._attributes())

    def _update_cookie_out(self, set_cookie: bool = True) -> None:
        """Write the header, and whether it is to be sent."""
        self._write_cookie(self._cookie_value(), expiry(self.cookie_expires))
        self.request["set_cookie"] = set_cookie

    def _delete_cookie(self) -> None:
        """Tell the browser to forget the cookie."""
        self._write_cookie("", _GONE)
        self.request["set_cookie"] = True

    def _write_cookie(self, value: str, expires: str | None) -> None:
        size = len(self.key) + len(value)
        if size > COOKIE_LIMIT:
            raise OversizedCookieError(self.key, size, COOKIE_LIMIT, self._largest())
        said = self._attributes()
        self.request["cookie_out"] = set_cookie(self.key, value, expires, said)
        self._written = value, expires, said
        if "cookie" in self.__dict__:
            _show(self.cookie, self.key, *self._written)

    def _largest(self) -> list[tuple[str, int]]:
        """Return the keys that take the most room in the cookie, and how much."""
        return []

    def _attributes(self) -> str:
        return attributes(
            self.key,
            self.domain,
            self.path,
            secure=bool(self.secure),
            httponly=bool(self.httponly),
            samesite=self.samesite or None,
        )


def _show(
    cookies: SimpleCookie, name: str, value: str, expires: str | None, said: str
) -> None:
    cookies[name] = value
    morsel = cookies[name]
    morsel.set(name, value, value)
    for attribute, shown in shown_attributes(said, expires):
        morsel[attribute] = shown
