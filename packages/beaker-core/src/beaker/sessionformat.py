"""What a session is written as, and which of what is found is believed."""

from __future__ import annotations

import time
from collections.abc import Callable, Collection
from functools import partial
from math import inf
from typing import Any, NamedTuple

from beaker.exceptions import CorruptRecordError
from beaker.plaindata import DECODED_LIMIT, load_plain
from beaker.serializers import JSON, PICKLE, dump, identifier_of, load
from beaker.sessionrecords import SessionRecord, SessionRecords, is_record

__all__ = ["TIMES", "SessionFormat", "Snapshot", "of_payload", "with_times"]

#: The keys under which 1.x kept the times of a session, and programs read them.
TIMES = ("_creation_time", "_accessed_time")


class Snapshot(NamedTuple):
    """A session as it was found.

    Attributes:
        created: When it began, in seconds since 1970.
        accessed: When it was last written.
        is_current: Whether it is protected as new ones are.
        serialized: Its data as `SessionFormat.rewrite` takes them; None if they were
            serialized in another way than new ones are.
        data: Returns its data: with each call a dictionary of its own.
    """

    created: float
    accessed: float
    is_current: bool
    serialized: bytes | None
    data: Callable[[], dict[str, Any]]


class SessionFormat:
    """Turns data into the bytes of a session and back.

    Args:
        records: What protects them.
        serializer: What writes the data.
        allowed: The classes that unsigned bytes may hold beside plain data.
        former_until: Seconds since 1970 when what 1.x wrote, and what is not
            protected although new sessions are, ends to be accepted; None: never.
    """

    __slots__ = ("_allowed", "_former_until", "_identifier", "records", "serializer")

    def __init__(
        self,
        records: SessionRecords,
        serializer: Any = PICKLE,
        *,
        allowed: Collection[str] = (),
        former_until: float | None = None,
    ) -> None:
        self.records, self.serializer = records, serializer
        self._identifier = identifier_of(serializer)
        self._allowed, self._former_until = frozenset(allowed), former_until

    def write(
        self,
        place: bytes,
        data: dict[str, Any],
        created: float,
        accessed: float,
        *,
        is_private: bool,
    ) -> bytes:
        """Return the bytes of a session.

        Args:
            place: Where they will be.
            data: What the session holds.
            created: When it began.
            accessed: Now.
            is_private: Whether only we can write there.

        Raises:
            UnserializableValueError: The serializer does not take a value.
            ForbiddenClassError: It could not be read again, since nothing shows
                that these bytes are ours.
        """
        serialized = dump(self.serializer, data)
        if not is_private and not self.records.protects:
            self._load(self._identifier, serialized, is_trusted=False)
        return self.rewrite(place, serialized, created, accessed)

    def rewrite(
        self, place: bytes, serialized: bytes, created: float, accessed: float
    ) -> bytes:
        """Return the bytes of a session whose data were serialized before."""
        return self.records.encode(
            place, created, accessed, self._identifier, serialized
        )

    def read(
        self,
        place: bytes,
        found: Any,
        *,
        is_private: bool,
        from_payload: Callable[[Any], Any],
    ) -> Snapshot:
        """Return what a session's bytes mean, if they may be believed.

        Args:
            place: Where they were.
            found: A record of 2.x, or a payload of 1.x.
            is_private: Whether only we can write there.
            from_payload: What makes a dictionary of a payload of 1.x.

        Raises:
            CorruptRecordError: They are not a session, or not one we believe.
        """
        if isinstance(found, bytes) and is_record(found):
            record = self.records.decode(place, found)
            return self._snapshot(record, is_private=is_private)
        self.check_former("a session of Beaker 1.x")
        return of_payload(found, from_payload)

    def check_former(self, what: str) -> None:
        """Pass if what is not protected is still accepted.

        Raises:
            CorruptRecordError: It is not.
        """
        if self._former_until is not None and time.time() >= self._former_until:
            raise CorruptRecordError(f"{what} is no longer accepted")

    def _snapshot(self, record: SessionRecord, *, is_private: bool) -> Snapshot:
        if self.records.protects and not record.is_authentic:
            self.check_former("an unsigned session")
        load_data = partial(
            self._load,
            record.serializer,
            record.data,
            is_trusted=record.is_authentic or is_private,
        )
        same = record.serializer == self._identifier
        return Snapshot(
            record.created,
            record.accessed,
            record.is_current,
            record.data if same else None,
            load_data,
        )

    def _load(
        self, identifier: int, data: bytes, *, is_trusted: bool
    ) -> dict[str, Any]:
        if not is_trusted and len(data) > DECODED_LIMIT:
            raise CorruptRecordError(f"{len(data)} bytes that are not signed")
        if identifier == JSON.identifier:
            return _checked(load(JSON, data))
        if identifier != PICKLE.identifier:
            if identifier != self._identifier:
                raise CorruptRecordError(f"written with serializer {identifier}")
            return _checked(load(self.serializer, data))
        # Whoever chose JSON does not want a pickle to run anything.
        if is_trusted and self._identifier == PICKLE.identifier:
            return _checked(load(PICKLE, data))
        return _checked(load_plain(data, self._allowed))


def of_payload(payload: Any, from_payload: Callable[[Any], Any]) -> Snapshot:
    """Return what a payload of 1.x means.

    Raises:
        CorruptRecordError: It is not one.
    """
    data = _checked(from_payload(payload))
    created, accessed = map(_time, (data.get(key) for key in TIMES))
    again = partial(_without_times, payload, from_payload)
    # It stays as it is until it is saved: processes of 1.x may want it too.
    return Snapshot(created or accessed, accessed or created, True, None, again)


def with_times(data: dict[str, Any], created: float, now: float) -> dict[str, Any]:
    """Return data as 1.x kept them: with the times of the session."""
    return {**data, **dict(zip(TIMES, (created, now), strict=True))}


def _without_times(payload: Any, from_payload: Callable[[Any], Any]) -> dict[str, Any]:
    data = _checked(from_payload(payload))
    return {key: value for key, value in data.items() if key not in TIMES}


def _time(value: Any) -> float:
    # What stood in a payload that nobody signed.
    usable = isinstance(value, int | float) and 0 <= value < inf
    return float(value) if usable else 0.0


def _checked(data: Any) -> dict[str, Any]:
    if isinstance(data, dict):
        return data
    raise CorruptRecordError(f"a {type(data).__name__} where a dictionary belongs")
