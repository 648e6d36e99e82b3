"""The record of one session in its store, and how it changes there."""

from __future__ import annotations

from collections.abc import Iterable
from contextlib import suppress
from typing import Any

from beaker._sessions.codec import SessionCodec
from beaker._sessions.envelopes import laid_in, taken_from
from beaker._sessions.format import PAYLOAD
from beaker._sessions.lifetime import AHEAD, Lifetime
from beaker._sessions.markers import MARKED_FOR, Markers, marker
from beaker._sessions.merging import Changes, changes
from beaker._sessions.records import SessionRecord, Stored, removed_at
from beaker.exceptions import CorruptRecordError
from beaker.listeners import listens, tell
from beaker.stores import Store

__all__ = ["StoredSession", "first_there"]

#: No change.
_NOTHING = Changes({}, frozenset())

_KEY = "session"


class StoredSession:
    """What a store holds of a session, as it was when we last looked.

    Args:
        id: The session's id, the namespace of its record.
        store: That namespace, opened.
        codec: What reads and writes the record.
        lifetime: How long the store is to keep it.
        markers: What cleans up after removed sessions; None: there is no need.

    Attributes:
        record: What was found, or written since; None: nothing.
        first: What was found at first; None: nothing.
        accessed: When it was last used, as far as the store knows.
        is_removed: Whether a session was here and was removed a moment ago.
    """

    __slots__ = (
        "_codec",
        "_kept",
        "_lifetime",
        "_markers",
        "_nearest",
        "accessed",
        "first",
        "id",
        "is_removed",
        "record",
        "store",
    )

    def __init__(
        self,
        id: str,
        store: Store,
        codec: SessionCodec,
        lifetime: Lifetime,
        markers: Markers | None = None,
    ) -> None:
        self.id, self.store, self._nearest = id, store, store.nearest
        self._codec, self._lifetime, self._markers = codec, lifetime, markers
        self._kept: Any = None
        self.record: SessionRecord | None = None
        self.first: SessionRecord | None = None
        self.accessed, self.is_removed = 0.0, False

    def load(self, now: float) -> SessionRecord | None:
        """Fetch the record and return it; None: there is none.

        Args:
            now: The present.

        Raises:
            CorruptRecordError: It is not one we believe.
        """
        found = self._nearest.fetch_accessed(_KEY)
        if found is None:
            return None
        self._kept, touched = found
        session = taken_from(self.store, self._kept)
        since = removed_at(session)
        if since is not None:
            self.is_removed = now - since < MARKED_FOR
            if not self.is_removed and self._markers is not None:
                self.store.discard(_KEY)
                self._kept = None
            return None
        record = self.record = self.first = self._codec.read(self.id, session)
        if "former_session_met" in listens:
            kind = self._codec.former_kind(record)
            if kind is not None:
                tell("former_session_met", kind=kind, session_id=self.id)
        self.accessed = record.accessed
        if touched is not None and touched > record.accessed:
            self.accessed = touched
        return record

    def data(self) -> dict[str, Any]:
        """Return the data that were found, or written since: a copy.

        Raises:
            CorruptRecordError: They cannot be read, or may not.
        """
        return self._codec.data(self.record) if self.record else {}

    def first_data(self) -> dict[str, Any]:
        """Return the data that were found at first, whatever was written since."""
        return self._codec.data(self.first) if self.first else {}

    def save(self, data: dict[str, Any], created: float, now: float) -> Changes | None:
        """Write what a request made of the data; if it changed nothing, that it is used.

        What others have written meanwhile stays, key by key, unless the request
        changed the same key.

        Args:
            data: All that the session is to hold.
            created: When it began, if it is not stored yet.
            now: When it is used.

        Returns:
            In what other than `data` the session now differs from them, for others
            changed it; None, if they removed it: then nothing was saved.
        """
        found = self.record
        created = found.created if found else created
        session, record = self._written(data, created, now)
        if found and found.is_current and self._is_same(found, record, data):
            return _NOTHING if self.touch(now) else None
        if self._put(self._kept, session, record):
            return _NOTHING
        return self._carry_over(data, created, now)

    def reseal(self, now: float) -> None:
        """Write the record as new ones are written, unless others changed it."""
        if self.record is not None:
            self._put(self._kept, *self._written(self.data(), self.record.created, now))

    def touch(self, now: float) -> bool:
        """Mark the record as used now, and return whether it is there."""
        self.accessed, found, latest = now, self.record, now + AHEAD
        begun = found.created if found else now
        is_ahead = begun > latest or (found is not None and found.accessed > latest)
        if not (is_ahead or self.store.is_legacy or self._codec.serves_former):
            return self._nearest.touch(_KEY, self._lifetime.ttl(begun, now), now)
        # A store of 1.x has no other place for the time, a process no other sight.
        data = self.data()
        return (
            self._put(self._kept, *self._written(data, begun, now))
            or self._carry_over(data, begun, now) is not None
        )

    def remove(self, now: float, *, leave_marker: bool) -> None:
        """Remove the record, whatever it is by now."""
        # Processes of 1.x could not read a marker.
        if leave_marker and not self._codec.serves_former:
            self.store.store(_KEY, marker(self.store, now), MARKED_FOR)
            self._note_marker()
        else:
            self.store.discard(_KEY)
        self._kept = self.record = None

    def move_to(self, other: StoredSession, now: float, *, leave_marker: bool) -> bool:
        """Write the record under another id, then remove it here.

        Returns:
            Whether it was still here; if not, it is not there either.
        """
        kept, current = self._kept, self.record
        left = marker(self.store, now)
        while current is not None:
            data = self._codec.data(current)
            other._put(other._kept, *other._written(data, current.created, now))
            if self.store.replace(_KEY, kept, left, MARKED_FOR):
                if leave_marker and not self._codec.serves_former:
                    self._note_marker()
                else:
                    self.store.discard(_KEY)
                other.first = self.first
                return True
            kept, current = self._look_again()
        other.store.discard(_KEY)
        return False

    def _note_marker(self) -> None:
        if self._markers is not None:
            self._markers.left(self.id)

    def _written(
        self, data: dict[str, Any], created: float, now: float
    ) -> tuple[Stored, SessionRecord]:
        return self._codec.write(self.id, data, min(created, now), now)

    def _is_same(
        self, found: SessionRecord, written: SessionRecord, data: dict[str, Any]
    ) -> bool:
        if PAYLOAD in (written.serializer, found.serializer):
            # The times of a payload are within its data.
            return not changes(self.data(), data, self._codec.serializer)
        return (written.serializer, written.data) == (found.serializer, found.data)

    def _put(self, kept: Any, session: Stored, record: SessionRecord) -> bool:
        created, now = record.created, record.accessed
        new = laid_in(self.store, session, now)
        ttl = self._lifetime.ttl(created, now)
        if not self._nearest.replace(_KEY, kept, new, ttl):
            return False
        self._kept, self.record, self.accessed = new, record, now
        return True

    def _carry_over(
        self, data: dict[str, Any], created: float, now: float
    ) -> Changes | None:
        """Make the changes of this request in what others have written; see `save`."""
        found, before, serializer = self.record, self.data(), self._codec.serializer
        made = changes(before, data, serializer)
        while True:
            kept, current = self._look_again()
            if current is None and found is not None:
                return None
            stored = self._codec.data(current) if current else {}
            merged = made.applied_to(stored)
            begun = current.created if current else created
            if self._put(kept, *self._written(merged, begun, now)):
                return changes(data, merged, serializer)

    def _look_again(self) -> tuple[Any, SessionRecord | None]:
        kept = self.store.fetch(_KEY)
        if kept is None:
            return None, None
        session = taken_from(self.store, kept)
        if removed_at(session) is not None:
            return kept, None
        return kept, self._codec.read(self.id, session)


def first_there(several: Iterable[StoredSession], now: float) -> str:
    """Return the id of the first that is in its store; of the first if none is.

    A cookie of the parent domain, or of another path, may stand in front of ours.
    """
    ids = []
    for one in several:
        ids.append(one.id)
        with suppress(CorruptRecordError):
            if one.load(now) is not None:
                return one.id
    return ids[0]
