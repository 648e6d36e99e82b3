"""The session whose data are in its cookie."""

from __future__ import annotations

import time
from functools import cached_property, partial
from typing import TYPE_CHECKING, Any

from beaker._sessions.base import session_id
from beaker._sessions.codec import decoded
from beaker._sessions.cookiecodec import CookieCodec
from beaker._sessions.cookieheaders import cookie_values, expiry
from beaker._sessions.format import PAYLOAD
from beaker._sessions.records import SessionRecord
from beaker._sessions.server import Session
from beaker._sessions.settings import SessionSettings
from beaker.exceptions import (
    CorruptRecordError,
    UnsupportedOperationError,
)
from beaker.listeners import listens, tell
from beaker.serializers import dump

if TYPE_CHECKING:
    from beaker.cookie import SimpleCookie

__all__ = ["CookieSession"]


class CookieSession(Session):
    """A session that no store knows: the browser keeps its data, signed by us.

    What a browser sends can be what it was sent long ago: logging out is not final
    here, and nothing merges. `absolute_timeout` bounds how long an old cookie lives.

    Args:
        request: As for `Session`.
        options: The options of a session; ``validate_key`` is needed.

    Raises:
        CorruptRecordError: The cookie is not one of ours.
        MissingSecretError: There is no ``validate_key``.
    """

    _payload_is_ours = True
    # A subclass may load by itself, and then has none of these.
    _codec: CookieCodec | None = None
    _record: SessionRecord | None = None

    def __init__(self, request: dict[str, Any], **options: Any) -> None:
        self._begin(request, self._settings_for(options))

    @property
    def id(self) -> str:  # type: ignore[override]  # a key here, not to be set
        """The session's id."""
        return str(self["_id"])

    @cached_property
    def accessed_dict(self) -> dict[str, Any]:
        """The data as they were found: a copy."""
        return self._found_data()

    def load(self) -> None:
        """Take the data out of the cookie.

        Raises:
            CorruptRecordError: There is a cookie, and it is not one of ours.
        """
        now, lifetime = time.time(), self._settings.lifetime
        self.__dict__.pop("accessed_dict", None)
        found = self._record = self._found()
        if found is None:
            self._begin_new(now)
        elif reason := lifetime.ended(found.created, found.accessed, now):
            tell("session_rejected", session_id=None, reason=reason)
            self._record, self.was_invalidated = None, True
            self._begin_new(now)
        else:
            if found.serializer == PAYLOAD and not self._writes_own_bytes:
                kind = "cipher" if self._settings.cipher else "cookie"
                tell("former_session_met", kind=kind, session_id=None)
            self._adopt(found, self._found_data(), found.accessed, now)
            if "_id" not in self:
                self["_id"] = session_id()

    def save(self, accessed_only: bool = False) -> None:
        """Write the cookie.

        Args:
            accessed_only: Whether to write the data as they came, with the time.

        Raises:
            OversizedCookieError: It would be larger than browsers keep.
            UnserializableValueError: A value cannot be written.
        """
        if self._is_dead:
            return
        if not accessed_only:
            self._create_cookie()
            if "session_saved" in listens:
                tell("session_saved", session_id=self.id)
        elif not self.is_new:
            self._mark_accessed()

    def delete(self) -> None:
        """Delete the cookie, and clear the session."""
        former = self.get("_id")
        self._delete_cookie()
        self.clear()
        self._is_dead = True
        tell("session_deleted", session_id=former)

    def invalidate(self) -> None:
        """Clear the contents and start a new session."""
        was_sent = self._record is not None
        self._record, self._is_dead, self.was_invalidated = None, False, True
        self._begin_new(time.time())
        if was_sent:
            self._delete_cookie()

    def regenerate_id(self) -> None:
        """Give the session a new id; who has the old cookie can still send it."""
        former, self["_id"] = self.id, session_id()
        if self._record is not None and self._codec is not None:
            data = {**self._found_data(), "_id": self.id}
            written = self._codec.write(data, self._record.created, time.time())
            self._send(written)
            self._record = self._codec.read(written)
        tell("session_rotated", session_id=self.id, former_id=former)

    def expire(self) -> None:
        """Delete the 'expires' attribute of this session, if any."""
        self.pop("_expires", None)

    def lock(self) -> None:
        """Refuse: each browser has its own copy.

        Raises:
            UnsupportedOperationError: Always.
        """
        raise UnsupportedOperationError("cookie", "lock a session", "shared")

    def _create_cookie(self) -> None:
        """Write the cookie with all that the session holds."""
        now = time.time()
        self.setdefault("_creation_time", now)
        if "_id" not in self:
            self["_id"] = session_id()
        self["_accessed_time"] = now
        self._send(self._cookie_value())

    # -- reading

    def _begin(
        self,
        request: dict[str, Any],
        settings: SessionSettings,
        id: str | None = None,
        *,
        use_cookies: bool = True,
    ) -> None:
        del id, use_cookies
        self._settings, self.request = settings, request
        self._config = settings.cookie_config
        self._codec = settings.cookie_codec
        request["set_cookie"] = False
        if self._writes_own_bytes:
            self._set_serializer(settings.options["data_serializer"])
            self._codec = self._own_codec()
        try:
            self.load()
        except CorruptRecordError as e:
            if not self.invalidate_corrupt:
                raise
            self._replace_corrupt(e)

    def _own_codec(self) -> CookieCodec:
        settings = self._settings
        return CookieCodec(
            settings.key,
            settings.cookie_format,
            settings.validate_keys,
            self._encrypt_data,
            partial(decoded, self._decrypt_data),
            writes_payloads=True,
            reads_records=False,
        )

    def _begin_new(self, now: float) -> None:
        self.clear()
        self.is_new, self.last_accessed = True, None
        self["_id"] = session_id()
        self["_accessed_time"] = self["_creation_time"] = now

    def _found(self) -> SessionRecord | None:
        failure = None
        for value in cookie_values(self.request.get("cookie"), self._settings.key):
            try:
                if value and self._codec is not None:
                    return self._codec.read(value)
            except CorruptRecordError as e:
                failure = e
        if failure is not None:
            raise failure
        return None

    def _found_data(self) -> dict[str, Any]:
        if self._record is None or self._codec is None:
            return {}
        return self._codec.data(self._record)

    def _replace_corrupt(self, error: CorruptRecordError) -> None:
        tell("session_rejected", session_id=None, reason=str(error))
        self._record, self.was_invalidated = None, True
        self._begin_new(time.time())

    # -- writing

    def _mark_accessed(self) -> None:
        now, found = time.time(), self._record
        if found is None or self._codec is None:
            if self.save_atime:
                self.clear()
                self.update(self.accessed_dict)
                self._create_cookie()
            return
        due = self.save_atime and self._settings.lifetime.is_due(found.accessed, now)
        if due or not found.is_current:
            used = now if self.save_atime else found.accessed
            self._send(self._codec.rewrite(found, used))

    def _cookie_value(self) -> str:
        if self._codec is None:
            # The cookies that the subclass chose do what signing there is.
            self.cookie[self.key] = self._encrypt_data()
            return self.cookie[self.key].coded_value
        created = float(self["_creation_time"])
        return self._codec.write(self._live_data(), created, self["_accessed_time"])

    def _cookies_of_request(self) -> SimpleCookie:
        from beaker.cookie import SignedCookie

        return SignedCookie(self._settings.validate_keys[0])

    def _cookie_changed(self) -> None:
        # The cookie is written when the session is saved.
        pass

    def _send(self, value: str) -> None:
        self._write_cookie(value, expiry(self.cookie_expires))
        self.request["set_cookie"] = True

    def _largest(self) -> list[tuple[str, int]]:
        serializer = self._settings.serializer
        live = self._live_data().items()
        sizes = [(key, len(dump(serializer, {key: value}))) for key, value in live]
        return sorted(sizes, key=lambda entry: -entry[1])[:3]
