"""What is laid into a store for a session, and what is made of what lies there."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any, Protocol

from beaker._sessions.format import (
    PAYLOAD,
    TIMES,
    SessionFormat,
    as_dictionary,
    of_payload,
)
from beaker._sessions.formerpayloads import FormerPayloads
from beaker._sessions.records import SessionRecord, Stored, is_record, place_of
from beaker.exceptions import CorruptRecordError

__all__ = [
    "OwnCodec",
    "SessionCodec",
    "StoreCodec",
    "decoded",
    "with_times",
    "without_times",
]


class SessionCodec(Protocol):
    """What turns a session into what lies in its store, and back."""

    #: What it sees as the same value is the same.
    serializer: Any
    #: Whether it writes for processes of 1.x too, which find the time of access and
    #: the end of a session in the record alone.
    serves_former: bool

    def read(self, id: str, session: Any) -> SessionRecord:
        """Return what a store was given to keep, be it a payload of 1.x.

        Raises:
            CorruptRecordError: It is no session, or not to be believed.
        """
        ...

    def former_kind(self, record: SessionRecord) -> str | None:
        """Return what the hook `former_session_met` calls a record; None: nothing."""
        ...

    def data(self, record: SessionRecord) -> dict[str, Any]:
        """Return the data of a record: with each call a dictionary of its own.

        Raises:
            CorruptRecordError: They cannot be read, or may not.
        """
        ...

    def write(
        self, id: str, data: dict[str, Any], created: float, now: float
    ) -> tuple[Stored, SessionRecord]:
        """Return what a store is given, and the record that it is.

        Raises:
            UnserializableValueError: The serializer does not take a value.
            ForbiddenClassError: It could not be believed when it is read again.
        """
        ...


class StoreCodec:
    """Writes records of 2.x, or payloads of 1.x, and reads both.

    Args:
        format: How records of 2.x are made.
        payloads: How payloads of 1.x are made.
        former_serializer: What serializes those.
        is_private: Whether only we can write in this store.
        keeps_records: Whether the store keeps a record as it is.
        serves_former: Whether payloads are written rather than records.
    """

    __slots__ = (
        "_format",
        "_former_kind",
        "_from_payload",
        "_is_bound",
        "_keeps_records",
        "_to_payload",
        "serializer",
        "serves_former",
    )

    def __init__(
        self,
        format: SessionFormat,
        payloads: FormerPayloads,
        former_serializer: Any,
        *,
        is_private: bool,
        keeps_records: bool,
        serves_former: bool,
    ) -> None:
        self._format, self._is_bound = format, format.records.protects
        self._former_kind, self._keeps_records = payloads.kind, keeps_records
        self.serializer = format.serializer
        self._from_payload = partial(
            payloads.decode, serializer=former_serializer, is_trusted=is_private
        )
        self._to_payload = partial(payloads.encode, serializer=former_serializer)
        self.serves_former = serves_former

    def read(self, id: str, session: Any) -> SessionRecord:
        """See `SessionCodec.read`."""
        if session.__class__ is SessionRecord:
            return session
        if isinstance(session, bytes) and is_record(session):
            return self._format.read(self._place(id), session)
        self._format.check_former("a session of Beaker 1.x")
        return of_payload(session, self._from_payload(session))

    def former_kind(self, record: SessionRecord) -> str | None:
        """See `SessionCodec.former_kind`."""
        if record.serializer == PAYLOAD:
            return self._former_kind
        return "unsigned" if self._is_bound and not record.is_authentic else None

    def data(self, record: SessionRecord) -> dict[str, Any]:
        """See `SessionCodec.data`."""
        if record.serializer != PAYLOAD:
            return self._format.data(record)
        return without_times(self._from_payload(record.data))

    def write(
        self, id: str, data: dict[str, Any], created: float, now: float
    ) -> tuple[Stored, SessionRecord]:
        """See `SessionCodec.write`."""
        if self._keeps_records:
            record = self._format.record(data, created, now)
            return record, record
        if not self.serves_former:
            return self._format.write(self._place(id), data, created, now)
        data = with_times(data, created, now)
        payload = self._to_payload(data)
        return payload, of_payload(payload, data)

    def _place(self, id: str) -> bytes:
        if not self._is_bound:
            return b""
        return place_of(b"session\0" + id.encode("utf-8", "surrogatepass"))


class OwnCodec:
    """Lets a subclass of `Session` write and read in its own way.

    Args:
        session: It overrides `_encrypt_data`, `_decrypt_data` or `_set_serializer`.
    """

    __slots__ = ("_session", "serializer")

    serves_former = False

    def __init__(self, session: Any) -> None:
        self._session, self.serializer = session, session.serializer

    def read(self, id: str, session: Any) -> SessionRecord:
        """See `SessionCodec.read`."""
        del id
        return of_payload(session, self._decoded(session))

    def former_kind(self, record: SessionRecord) -> str | None:
        """Return None: what it wrote is always as it is now."""
        del record
        return None

    def data(self, record: SessionRecord) -> dict[str, Any]:
        """See `SessionCodec.data`."""
        return without_times(self._decoded(record.data))

    def write(
        self, id: str, data: dict[str, Any], created: float, now: float
    ) -> tuple[Stored, SessionRecord]:
        """See `SessionCodec.write`."""
        del id
        data = with_times(data, created, now)
        payload = self._session._encrypt_data(data)  # noqa: SLF001  # where subclasses come in
        return payload, of_payload(payload, data)

    def _decoded(self, payload: Any) -> Any:
        return decoded(self._session._decrypt_data, payload)  # noqa: SLF001  # where subclasses come in


def with_times(data: dict[str, Any], created: float, now: float) -> dict[str, Any]:
    """Return data as 1.x kept them, with the times of the session."""
    return {**data, **dict(zip(TIMES, (created, now), strict=True))}


def without_times(data: Any) -> dict[str, Any]:
    """Return data as 2.x keeps them.

    Raises:
        CorruptRecordError: They are no data of a session.
    """
    kept = as_dictionary(data)
    return {key: value for key, value in kept.items() if key not in TIMES}


def decoded(decrypt: Callable[[Any], Any], payload: Any) -> Any:
    """Return what a subclass makes of a payload.

    Raises:
        CorruptRecordError: It raised anything.
    """
    try:
        return decrypt(payload)
    except CorruptRecordError:
        raise
    # Nobody told subclasses what to raise.
    except Exception as e:
        raise CorruptRecordError(repr(e)) from e
