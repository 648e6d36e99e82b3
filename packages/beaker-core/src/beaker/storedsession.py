"""The record of one session in its store, and how it changes there."""

from __future__ import annotations

import time
from functools import partial
from typing import Any, Protocol

from beaker.envelopes import laid_in, taken_from
from beaker.merging import Changes, changes
from beaker.sessionformat import Snapshot
from beaker.sessionlifetime import Lifetime
from beaker.sessionrecords import removed, removed_at
from beaker.stores import Store

__all__ = ["NOTHING", "SessionCodec", "StoredSession"]

#: No change.
NOTHING = Changes({}, frozenset())

_KEY = "session"

#: Seconds in which a request that still has a removed id cannot save under it.
_MARKED_FOR = 60.0


class SessionCodec(Protocol):
    """What turns a session into what lies in its store, and back."""

    #: As what it sees values, they are the same or not.
    serializer: Any

    def read(self, id: str, session: Any) -> Snapshot:
        """Return what a record's bytes, or a payload of 1.x, mean."""
        ...

    def write(
        self, id: str, data: dict[str, Any], created: float, now: float
    ) -> bytes | str:
        """Return such bytes, or such a payload."""
        ...


class StoredSession:
    """What a store holds of a session, as it was when we last looked.

    Args:
        id: The session's id, the namespace of its record.
        store: That namespace, opened.
        codec: What reads and writes the record.
        lifetime: How long the store is to keep it.

    Attributes:
        snapshot: What was found, or written since; None: nothing.
        accessed: When it was last used, as far as the store knows.
        is_removed: Whether a session was here and was removed a moment ago.
    """

    __slots__ = (
        "_codec",
        "_kept",
        "_lifetime",
        "accessed",
        "id",
        "is_removed",
        "snapshot",
        "store",
    )

    def __init__(
        self, id: str, store: Store, codec: SessionCodec, lifetime: Lifetime
    ) -> None:
        self.id, self.store = id, store
        self._codec, self._lifetime = codec, lifetime
        self._kept: Any = None
        self.snapshot: Snapshot | None = None
        self.accessed, self.is_removed = 0.0, False

    def load(self) -> Snapshot | None:
        """Fetch the record and return what it means; None: there is none.

        Raises:
            CorruptRecordError: It is not one we believe.
        """
        found = self.store.fetch_accessed(_KEY)
        if found is None:
            return None
        self._kept, touched = found
        session = taken_from(self.store, self._kept)
        since = removed_at(session) if isinstance(session, bytes) else None
        if since is not None:
            self.is_removed = time.time() - since < _MARKED_FOR
            return None
        snapshot = self.snapshot = self._codec.read(self.id, session)
        self.accessed = max(snapshot.accessed, touched or 0.0)
        return snapshot

    def save(self, made: Changes, created: float, now: float) -> Changes | None:
        """Carry changes over to what is stored now.

        Returns:
            What others have changed since we looked; None, if they removed the
            session: then nothing was saved.
        """
        found, kept, current = self.snapshot, self._kept, self.snapshot
        while True:
            stored = current.data() if current else {}
            data = made.applied_to(stored)
            begun = current.created if current else created
            session = self._codec.write(self.id, data, begun, now)
            if self._put(kept, session, begun, now):
                break
            kept, current = self._look_again()
            if current is None and found is not None:
                return None
        if current is found:
            return NOTHING
        before = found.data() if found else {}
        return changes(before, stored, self._codec.serializer)

    def reseal(self, now: float) -> None:
        """Write the record as new ones are written, unless others changed it."""
        if self.snapshot is not None:
            data, created = self.snapshot.data(), self.snapshot.created
            session = self._codec.write(self.id, data, created, now)
            self._put(self._kept, session, created, now)

    def touch(self, now: float) -> bool:
        """Mark the record as used now, and return whether it is there."""
        self.accessed = now
        if not self.store.is_legacy:
            begun = self.snapshot.created if self.snapshot else now
            return self.store.touch(_KEY, self._lifetime.ttl(begun, now), now)
        # A store of 1.x has no other place for the time than the record.
        return self.save(NOTHING, now, now) is not None

    def remove(self, now: float, *, leave_marker: bool) -> None:
        """Remove the record, whatever it is by now."""
        if leave_marker and self._forgets:
            marker = laid_in(self.store, removed(now), now)
            self.store.store(_KEY, marker, _MARKED_FOR)
        else:
            self.store.discard(_KEY)
        self._kept = self.snapshot = None

    def move_to(self, other: StoredSession, now: float) -> bool:
        """Write the record under another id, then remove it here.

        Returns:
            Whether it was still here; if not, it is not there either.
        """
        kept, current = self._kept, self.snapshot
        marker = laid_in(self.store, removed(now), now)
        while current is not None:
            data, created = current.data(), current.created
            session = other._codec.write(other.id, data, created, now)
            other._put(other._kept, session, created, now)
            if self.store.replace(_KEY, kept, marker, _MARKED_FOR):
                if not self._forgets:
                    self.store.discard(_KEY)
                return True
            kept, current = self._look_again()
        other.store.discard(_KEY)
        return False

    @property
    def _forgets(self) -> bool:
        # Where nothing is forgotten, markers would heap up.
        return bool(self.store.manager.expires_natively)

    def _put(self, kept: Any, session: bytes | str, created: float, now: float) -> bool:
        ttl = self._lifetime.ttl(created, now)
        new = laid_in(self.store, session, created)
        if not self.store.replace(_KEY, kept, new, ttl):
            return False
        again = partial(self._data_again, session)
        self._kept, self.accessed = new, now
        self.snapshot = Snapshot(created, now, True, None, again)
        return True

    def _data_again(self, session: bytes | str) -> dict[str, Any]:
        return self._codec.read(self.id, session).data()

    def _look_again(self) -> tuple[Any, Snapshot | None]:
        kept = self.store.fetch(_KEY)
        if kept is None:
            return None, None
        session = taken_from(self.store, kept)
        if isinstance(session, bytes) and removed_at(session) is not None:
            return kept, None
        return kept, self._codec.read(self.id, session)
