"""What a session is written as, and which of what is found is believed."""

from __future__ import annotations

import time
from collections.abc import Collection
from math import inf
from typing import Any

from beaker._sessions.jsondata import tell_what_json_changes
from beaker._sessions.plaindata import DECODED_LIMIT, load_plain
from beaker._sessions.records import SessionRecord, SessionRecords
from beaker.exceptions import CorruptRecordError
from beaker.serializers import (
    JSON,
    PICKLE,
    dump_dictionary,
    identifier_of,
    load,
)

__all__ = ["PAYLOAD", "TIMES", "SessionFormat", "as_dictionary", "of_payload"]

#: The keys under which 1.x kept the times of a session, and programs read them.
TIMES = ("_creation_time", "_accessed_time")

#: The serializer of a record that is really a payload of 1.x.
PAYLOAD = -1


class SessionFormat:
    """Turns data into the bytes of a session and back.

    Args:
        records: What protects them.
        serializer: What writes the data.
        is_private: Whether only we can write where they lie.
        allowed: The classes that unsigned bytes may hold beside plain data.
        is_strict: Whether a value that comes back as another type is refused.
        former_until: Seconds since 1970 when what 1.x wrote, and what is not
            protected although new sessions are, ends to be accepted; None: never.
    """

    __slots__ = (
        "_allowed",
        "_former_until",
        "_identifier",
        "_is_private",
        "_is_strict",
        "records",
        "serializer",
    )

    def __init__(
        self,
        records: SessionRecords,
        serializer: Any = PICKLE,
        *,
        is_private: bool = False,
        allowed: Collection[str] = (),
        is_strict: bool = False,
        former_until: float | None = None,
    ) -> None:
        self.records, self.serializer = records, serializer
        self._identifier = identifier_of(serializer)
        self._is_private, self._allowed = is_private, frozenset(allowed)
        self._is_strict, self._former_until = is_strict, former_until

    def write(
        self, place: bytes, data: dict[str, Any], created: float, now: float
    ) -> tuple[bytes, SessionRecord]:
        """Return the bytes of a session, and the record that they are.

        Args:
            place: Where they will be, as `records.place_of` tells it.
            data: What the session holds.
            created: When it began.
            now: When it is used.

        Raises:
            UnserializableValueError: The serializer does not take a value.
            ForbiddenClassError: It could not be read again, since nothing shows
                that these bytes are ours.
        """
        record = self.record(data, created, now)
        return self.records.encode(place, record), record

    def record(self, data: dict[str, Any], created: float, now: float) -> SessionRecord:
        """Return the record of a session; see `write`."""
        serialized = dump_dictionary(self.serializer, data)
        if self.serializer is JSON:
            tell_what_json_changes(data, serialized, strict=self._is_strict)
        ours = True
        record = SessionRecord(created, now, self._identifier, serialized, ours, ours)
        if not (self._is_private or self.records.protects):
            self.data(record._replace(is_authentic=False))
        return record

    def rewrite(self, place: bytes, record: SessionRecord, now: float) -> bytes:
        """Return the bytes of a session that changed in nothing but its use.

        Raises:
            UnserializableValueError: It was written with another serializer than
                now, which does not take a value of it.
        """
        if record.serializer != self._identifier:
            return self.write(place, self.data(record), record.created, now)[0]
        return self.records.encode(place, record, now)

    def read(self, place: bytes, found: bytes) -> SessionRecord:
        """Return the record that bytes are, if they may be believed.

        Raises:
            CorruptRecordError: They are not a session, or not one we believe.
        """
        record = self.records.decode(place, found)
        if not record.is_authentic and self.records.protects:
            self.check_former("an unsigned session")
        return record

    def data(self, record: SessionRecord) -> dict[str, Any]:
        """Return the data of a record: with each call a dictionary of its own.

        Raises:
            CorruptRecordError: They cannot be read, or may not.
        """
        identifier, data = record.serializer, record.data
        is_trusted = record.is_authentic or self._is_private
        if not is_trusted and len(data) > DECODED_LIMIT:
            raise CorruptRecordError(f"{len(data)} bytes that are not signed")
        if identifier == PICKLE.identifier:
            # Whoever chose JSON does not want a pickle to run anything.
            if is_trusted and self._identifier == identifier:
                if self.records.protects and not record.is_authentic:
                    _refuse_more(data)
                return as_dictionary(load(PICKLE, data))
            return as_dictionary(load_plain(data, self._allowed))
        if identifier == JSON.identifier:
            return as_dictionary(load(JSON, data))
        if identifier != self._identifier:
            raise CorruptRecordError(f"written with serializer {identifier}")
        return as_dictionary(load(self.serializer, data))

    def check_former(self, what: str) -> None:
        """Pass if what is not protected as new sessions are is still accepted.

        Raises:
            CorruptRecordError: It is not.
        """
        if self._former_until is not None and time.time() >= self._former_until:
            raise CorruptRecordError(f"{what} is no longer accepted")


def _refuse_more(data: bytes) -> None:
    """Pass if a pickle is all there is.

    Raises:
        CorruptRecordError: It is not: a signature may follow, of a record that says
            since it was damaged that it has none.
    """
    from pickletools import genops

    try:
        *_, (_, _, end) = genops(data)
    except ValueError as e:
        raise CorruptRecordError(str(e)) from e
    if end != len(data) - 1:
        raise CorruptRecordError("more than an unsigned session")


def of_payload(payload: Any, data: Any) -> SessionRecord:
    """Return what stands for a payload of 1.x.

    Args:
        payload: The payload.
        data: What is in it.

    Raises:
        CorruptRecordError: That is not a session.
    """
    times = as_dictionary(data)
    created, accessed = (_time(times.get(key)) for key in TIMES)
    # It stays as it is until it is saved: processes of 1.x may want it too.
    return SessionRecord(
        created or accessed,
        accessed or created,
        PAYLOAD,
        payload,
        is_authentic=False,
        is_current=True,
    )


def as_dictionary(data: Any) -> dict[str, Any]:
    """Return data if they are what a session holds.

    Raises:
        CorruptRecordError: They are not.
    """
    if isinstance(data, dict):
        return data
    raise CorruptRecordError(f"a {type(data).__name__} where a dictionary belongs")


def _time(value: Any) -> float:
    # What stood in a payload that nobody signed.
    usable = isinstance(value, int | float) and 0 <= value < inf
    return float(value) if usable else 0.0
