"""The session whose data are in its cookie."""

from __future__ import annotations

import hmac
import time
from base64 import urlsafe_b64decode, urlsafe_b64encode
from functools import cached_property
from typing import TYPE_CHECKING, Any

from beaker.cookieheaders import COOKIE_LIMIT, cookie_values, expiry
from beaker.exceptions import (
    CorruptRecordError,
    OversizedCookieError,
    UnsupportedOperationError,
)
from beaker.listeners import listens, tell
from beaker.serializers import dump
from beaker.serversession import Session
from beaker.sessionbase import session_id
from beaker.sessionformat import Snapshot, of_payload
from beaker.sessionrecords import is_record
from beaker.sessionsettings import SessionSettings, settings_of
from beaker.signing import former_signature

if TYPE_CHECKING:
    from beaker.cookie import SimpleCookie

__all__ = ["CookieSession"]

_FORMER_SIGNATURE = 40


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
    _snapshot: Snapshot | None = None

    def __init__(self, request: dict[str, Any], **options: Any) -> None:
        self._begin(request, settings_of(options))

    @property
    def id(self) -> str:  # type: ignore[override]  # a key here, not to be set
        """The session's id."""
        return str(self["_id"])

    @cached_property
    def accessed_dict(self) -> dict[str, Any]:
        """The data as they were found: a copy."""
        return self._snapshot.data() if self._snapshot else {}

    def load(self) -> None:
        """Take the data out of the cookie.

        Raises:
            CorruptRecordError: There is a cookie, and it is not one of ours.
        """
        now = time.time()
        self.__dict__.pop("accessed_dict", None)
        found = self._snapshot = self._found()
        if found is None:
            self._begin_new(now)
        elif reason := self._settings.lifetime.ended(
            found.created, found.accessed, now
        ):
            tell("session_rejected", session_id=None, reason=reason)
            self._snapshot, self.was_invalidated = None, True
            self._begin_new(now)
        else:
            self._adopt(found, found.accessed, now)
            self.setdefault("_id", session_id())

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
        was_sent = self._snapshot is not None
        self._snapshot, self._is_dead, self.was_invalidated = None, False, True
        self._begin_new(time.time())
        if was_sent:
            self._delete_cookie()

    def regenerate_id(self) -> None:
        """Give the session a new id; who has the old cookie can still send it."""
        former, self["_id"] = self.id, session_id()
        if self._snapshot is not None:
            data = {**self._snapshot.data(), "_id": self.id}
            self._send(self._sealed(data, time.time()))
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
        self.setdefault("_id", session_id())
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
        self._format = settings.cookie_format
        self._place = f"cookie\0{self.key}".encode()
        self.request["set_cookie"] = False
        if self._writes_own_bytes:
            self._set_serializer(settings.options["data_serializer"])
        try:
            self.load()
        except CorruptRecordError as e:
            if not self.invalidate_corrupt:
                raise
            self._replace_corrupt(e)

    def _begin_new(self, now: float) -> None:
        self.clear()
        self.is_new, self.last_accessed = True, None
        self["_id"] = session_id()
        self["_accessed_time"] = self["_creation_time"] = now

    def _found(self) -> Snapshot | None:
        failure = None
        for value in cookie_values(self.request.get("cookie"), self.key):
            try:
                if value:
                    return self._read(value)
            except CorruptRecordError as e:
                failure = e
        if failure is not None:
            raise failure
        return None

    def _read(self, value: str) -> Snapshot:
        if not self._writes_own_bytes:
            try:
                record = urlsafe_b64decode(value + "=" * (-len(value) % 4))
            except ValueError:
                record = b""
            if is_record(record):
                return self._format.read(
                    self._place, record, is_private=False, from_payload=_no_payload
                )
            self._format.check_former("a cookie of Beaker 1.x")
        return of_payload(self._verified(value), self._decrypt_data)

    def _verified(self, value: str) -> str:
        signature, payload = value[:_FORMER_SIGNATURE], value[_FORMER_SIGNATURE:]
        for key in self._settings.validate_keys:
            expected = former_signature(key, payload).encode()
            if hmac.compare_digest(expected, signature.encode()):
                return payload
        raise CorruptRecordError("the cookie's signature is not ours")

    def _replace_corrupt(self, error: CorruptRecordError) -> None:
        tell("session_rejected", session_id=None, reason=str(error))
        self.was_invalidated = True
        self._begin_new(time.time())

    # -- writing

    def _mark_accessed(self) -> None:
        now, found = time.time(), self._snapshot
        if found is None:
            # A subclass that loads by itself.
            if self.save_atime:
                self.clear()
                self.update(self.accessed_dict)
                self._create_cookie()
            return
        due = self.save_atime and self._settings.lifetime.is_due(found.accessed, now)
        if due or not found.is_current:
            accessed = now if self.save_atime else found.accessed
            self._send(self._resealed(found, accessed))

    def _resealed(self, found: Snapshot, accessed: float) -> str:
        if found.serialized is None or self._in_former_ways:
            return self._sealed(found.data(), accessed)
        return _text(
            self._format.rewrite(self._place, found.serialized, found.created, accessed)
        )

    def _cookie_value(self) -> str:
        if self._in_former_ways:
            return self._signed(self._encrypt_data())
        return self._sealed(self._live_data(), self["_accessed_time"])

    def _sealed(self, data: dict[str, Any], accessed: float) -> str:
        created = self["_creation_time"]
        if self._in_former_ways:
            times = {"_creation_time": created, "_accessed_time": accessed}
            return self._signed(self._encrypt_data({**self._config, **data, **times}))
        record = self._format.write(
            self._place, data, created, accessed, is_private=False
        )
        return _text(record)

    def _signed(self, payload: Any) -> str:
        # The cookies that the program, or the subclass, chose do the signing.
        self.cookie[self.key] = payload
        return self.cookie[self.key].coded_value

    @property
    def _in_former_ways(self) -> bool:
        return self._writes_own_bytes or self._settings.mode == "compat"

    def _cookies_of_request(self) -> SimpleCookie:
        from beaker.cookie import SignedCookie

        return SignedCookie(self._settings.validate_keys[0])

    def _cookie_changed(self) -> None:
        # The cookie is written when the session is saved.
        pass

    def _send(self, value: str) -> None:
        size = len(self.key) + len(value)
        if size > COOKIE_LIMIT:
            raise OversizedCookieError(self.key, size, COOKIE_LIMIT, self._largest())
        self._write_cookie(value, expiry(self.cookie_expires))
        self.request["set_cookie"] = True

    def _largest(self) -> list[tuple[str, int]]:
        serializer = self._settings.serializer
        sizes = [
            (k, len(dump(serializer, {k: v}))) for k, v in self._live_data().items()
        ]
        return sorted(sizes, key=lambda entry: -entry[1])[:3]


def _text(record: bytes) -> str:
    return urlsafe_b64encode(record).decode().rstrip("=")


def _no_payload(payload: Any) -> Any:
    raise CorruptRecordError(f"{payload!r} is no record")
