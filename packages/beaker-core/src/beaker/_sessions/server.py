"""The session whose data are in a store."""

from __future__ import annotations

import logging
import time
from functools import cached_property
from typing import Any

from beaker._sessions.base import FromOptions, session_id
from beaker._sessions.codec import OwnCodec
from beaker._sessions.format import TIMES
from beaker._sessions.ownbytes import PayloadSession
from beaker._sessions.records import SessionRecord
from beaker._sessions.settings import SessionSettings
from beaker._sessions.stored import StoredSession, first_there
from beaker.exceptions import CorruptRecordError
from beaker.listeners import listens, tell
from beaker.protocols import Lease, NamespaceManager
from beaker.stores import Store

__all__ = ["Session"]

_log = logging.getLogger("beaker.session")


class _Type(FromOptions):
    """The store by name, or its class; what is meant if nothing is said."""

    def __get__(self, session: Any, owner: type) -> Any:
        return self if session is None else session._settings.type  # noqa: SLF001  # its own


class Session(PayloadSession):
    """A dictionary that a visitor finds again with his next request.

    It is loaded when it is made, and written by `save`. Saving carries over what
    was changed, key by key, to what other requests have stored meanwhile.

    Args:
        request: Its ``cookie`` is the Cookie header of the request; ``https`` tells
            whether that came by https. ``cookie_out`` becomes the Set-Cookie
            header, ``set_cookie`` whether to send it.
        id: The id to load; it is kept whatever it is. None: the one in the cookie,
            or a new one.
        invalidate_corrupt: Whether a session that cannot be read is replaced by a
            new one rather than raised as an error.
        use_cookies: Whether the id travels in a cookie; without, whoever makes the
            session knows its id.
        options: The options of a session, and those of its store, as they are
            described in the guide, without prefix.

    Attributes:
        id: Its id.
        is_new: Whether it was not found in the store but began with this request.
        last_accessed: When it was used before this request, in seconds since 1970;
            None if it is new.
        was_invalidated: Whether what this request found was invalidated.

    Raises:
        CorruptRecordError: What was found is not a session we believe.
        StoreUnavailableError: The store does not answer.
        InvalidOptionError: An option has a value that it does not take.
    """

    type = _Type("type")
    data_dir = FromOptions("data_dir")
    invalidate_corrupt = FromOptions("invalidate_corrupt")

    was_invalidated = False
    _is_dead = False
    _lock: tuple[Store, Lease] | None = None
    _keeps_id: bool
    _stored: StoredSession

    def __init__(
        self,
        request: dict[str, Any],
        id: str | None = None,
        invalidate_corrupt: bool = False,
        use_cookies: bool = True,
        **options: Any,
    ) -> None:
        options["invalidate_corrupt"] = invalidate_corrupt
        self._begin(request, self._settings_for(options), id, use_cookies=use_cookies)

    @classmethod
    def opened(cls, request: dict[str, Any], settings: SessionSettings) -> Session:
        """Return the session of a request, with settings that were made before."""
        session = cls.__new__(cls)
        session._begin(request, settings)  # noqa: SLF001  # our own constructor
        return session

    def load(self) -> None:
        """Load the data from the store; a session that is not there is new.

        Raises:
            CorruptRecordError: What is there is not a session we believe.
        """
        now, stored = time.time(), self._at(self.id)
        self._stored, found = stored, stored.load(now)
        if found is None:
            self._is_dead = stored.is_removed and not self._keeps_id
            self._begin_new(now)
        elif reason := self._settings.lifetime.ended(
            found.created, stored.accessed, now
        ):
            stored.remove(now, leave_marker=False)
            tell("session_rejected", session_id=self.id, reason=reason)
            self.was_invalidated = True
            self._begin_new(now)
        else:
            self._adopt(found, stored.data(), stored.accessed, now)

    def save(self, accessed_only: bool = False) -> None:
        """Write what this request changed; without changes, only that it was used.

        Args:
            accessed_only: Whether to write only that the session was used.

        Raises:
            UnserializableValueError: A value cannot be written; nothing was.
        """
        if not accessed_only:
            self._save()
        elif not self.is_new and not self._is_dead:
            self._mark_accessed()

    def revert(self) -> None:
        """Return to the data as this request found them, whatever it saved since."""
        times = {key: self[key] for key in TIMES if key in self}
        self.clear()
        self.update(self.accessed_dict)
        self.update(times)

    def delete(self) -> None:
        """Remove the session from the store, and its cookie from the browser."""
        if self.use_cookies:
            self._delete_cookie()
        self._remove()
        self._is_dead = self.use_cookies
        self.clear()

    def invalidate(self) -> None:
        """Remove the session from the store, and begin a new one."""
        was_stored = self._stored.record is not None
        self._remove()
        self.was_invalidated, self._is_dead, self._keeps_id = True, False, False
        self._begin_new(time.time())
        if was_stored and self.use_cookies:
            # Until a record is there to follow, the browser forgets the old id.
            self._delete_cookie()

    def regenerate_id(self) -> None:
        """Move the session to a new id; the old one is dead on return.

        Do so whenever a visitor gains rights: who knew the old id shall not.
        """
        former = self._stored
        if former.record is None:
            self._create_id()
            return
        now = time.time()
        moved = self._at(session_id())
        if not former.move_to(moved, now, leave_marker=self.use_cookies):
            self._drop("another request removed it")
            return
        self._stored, self.id, self._keeps_id = moved, moved.id, True
        tell("session_rotated", session_id=moved.id, former_id=former.id)
        if self.use_cookies:
            self._update_cookie_out()

    def lock(self) -> None:
        """Exclude others who lock this session; saving needs no lock."""
        # Beside the record, so that saving it does not break the lease.
        store = self._settings.opener.open(f"{self.id}.lock")
        lease = store.lease("session")
        store.acquire(lease, wait=True, timeout=None)
        self._lock = store, lease

    def unlock(self) -> None:
        """Let others lock this session."""
        if self._lock is not None:
            store, lease = self._lock
            self._lock = None
            store.release(lease)

    # -- what programs of 1.x look at

    @property
    def accessed_dict(self) -> dict[str, Any]:
        """The data as this request found them: a copy."""
        return self._stored.first_data()

    @property
    def namespace(self) -> NamespaceManager:
        """The session's namespace in its store."""
        return self._stored.store.manager

    @cached_property
    def namespace_class(self) -> Any:
        """The class of the store."""
        return self._settings.namespace_class

    @cached_property
    def namespace_args(self) -> dict[str, Any]:
        """The options that are for the store."""
        return dict(self._settings.namespace_args)

    def _create_id(self, set_new: bool = True) -> None:
        """Take a new id."""
        self.id, self._keeps_id = session_id(), True
        self._stored = self._at(self.id)
        if set_new:
            self.is_new, self.last_accessed = True, None
        if self.use_cookies:
            self._update_cookie_out(set_cookie=not set_new)

    # -- loading

    def _begin(
        self,
        request: dict[str, Any],
        settings: SessionSettings,
        id: str | None = None,
        *,
        use_cookies: bool = True,
    ) -> None:
        self._settings, self.request = settings, request
        self._config, self.use_cookies = settings.cookie_config, use_cookies
        if self._writes_own_bytes:
            self._set_serializer(settings.options["data_serializer"])
        self._keeps_id = id is not None
        now, known = time.time(), self._ids_in_cookie() if id is None else [id]
        if not known:
            self._begin_new(now)
            return
        several = len(known) > 1
        self.id = first_there(map(self._at, known), now) if several else known[0]
        try:
            self.load()
        except CorruptRecordError as e:
            if not self.invalidate_corrupt:
                raise
            self._replace_corrupt(e)

    def _at(self, id: str) -> StoredSession:
        settings = self._settings
        codec = OwnCodec(self) if self._writes_own_bytes else settings.codec
        store = settings.opener.open(id)
        return StoredSession(id, store, codec, settings.lifetime, settings.markers)

    def _begin_new(self, now: float) -> None:
        # An id that we have not issued to this visitor is not his.
        if not self._keeps_id:
            self._create_id()
        self.clear()
        self.is_new, self.last_accessed = True, None
        self["_accessed_time"] = self["_creation_time"] = now

    def _adopt(
        self, found: SessionRecord, data: dict[str, Any], accessed: float, now: float
    ) -> None:
        # Every request that uses its session comes here: no detours.
        accessed = min(accessed, now)
        dict.clear(self)
        dict.update(self, self._config)
        dict.update(self, data)
        self["_creation_time"] = found.created or now
        self["_accessed_time"] = now if self._settings.saves_access else accessed
        self.is_new, self.last_accessed = False, accessed
        if "session_loaded" in listens:
            tell("session_loaded", session_id=self.id)

    def _replace_corrupt(self, error: CorruptRecordError) -> None:
        _log.warning("session %s is replaced by a new one: %s", self.id, error)
        tell("session_rejected", session_id=self.id, reason=str(error))
        self.was_invalidated, self._keeps_id = True, False
        self._begin_new(time.time())

    # -- writing

    def _save(self) -> None:
        live = self._live_data()
        if self._is_dead:
            if live:
                self._drop("it was removed")
            return
        if self._stored.id != self.id:
            self._stored = self._at(self.id)
        stored, now = self._stored, time.time()
        is_first, begun = stored.record is None, self.get("_creation_time") or now
        others = stored.save(live, float(begun), now)
        if others is None:
            self._drop("another request removed it")
            return
        # What the session shows is what is stored, or the next save would undo it.
        for key in others.gone:
            self.pop(key, None)
        self.update(others.set)
        self._was_saved(now, is_first=is_first)

    def _was_saved(self, now: float, *, is_first: bool) -> None:
        self["_accessed_time"] = now
        # The program may have given the cookie another end.
        is_due = is_first or self._cookie_is_due or "cookie_expires" in self.__dict__
        if self.use_cookies and is_due:
            self._update_cookie_out()
            self._cookie_is_due = False
        if "session_saved" in listens:
            tell("session_saved", session_id=self.id)

    def _mark_accessed(self) -> None:
        stored, settings, now = self._stored, self._settings, time.time()
        found = stored.record
        if found is not None and not found.is_current:
            stored.reseal(now)
        elif self.save_atime and settings.lifetime.is_due(stored.accessed, now):
            stored.touch(now)
        if self._cookie_is_due and self.use_cookies:
            self._update_cookie_out()
            self._cookie_is_due = False

    def _drop(self, reason: str) -> None:
        """Give up: what others removed is not brought back."""
        self._is_dead = True
        _log.info("session %s is not saved: %s", self.id, reason)
        tell("session_rejected", session_id=self.id, reason=f"not saved: {reason}")

    def _remove(self) -> None:
        stored = self._stored
        if stored.record is not None or not self.is_new:
            stored.remove(time.time(), leave_marker=self.use_cookies)
            tell("session_deleted", session_id=stored.id)

    def _cookie_value(self) -> str:
        return self._settings.cookie_ids.said(self.id)

    def _cookie_changed(self) -> None:
        # Before there is a record, there is nothing to lead to.
        if self.use_cookies:
            is_stored = not self._is_dead and self._stored.record is not None
            self._update_cookie_out(set_cookie=is_stored)
