"""What is laid into a store for a session, and what is made of what lies there."""

from __future__ import annotations

from functools import partial
from typing import Any

from beaker.exceptions import CorruptRecordError
from beaker.formerpayloads import FormerPayloads
from beaker.sessionformat import SessionFormat, Snapshot, of_payload, with_times

__all__ = ["OwnCodec", "StoreCodec"]


class StoreCodec:
    """Writes records of 2.x, or payloads of 1.x, and reads both.

    Args:
        format: How records of 2.x are made.
        payloads: How payloads of 1.x are made.
        former_serializer: What serializes those.
        is_private: Whether only we can write in this store.
        writes_former: Whether payloads are written rather than records.
    """

    __slots__ = ("_format", "_from_payload", "_is_private", "_to_payload", "serializer")

    def __init__(
        self,
        format: SessionFormat,
        payloads: FormerPayloads,
        former_serializer: Any,
        *,
        is_private: bool,
        writes_former: bool,
    ) -> None:
        self._format, self._is_private = format, is_private
        self.serializer = format.serializer
        self._from_payload = partial(
            payloads.decode, serializer=former_serializer, is_trusted=is_private
        )
        self._to_payload = None
        if writes_former:
            self._to_payload = partial(payloads.encode, serializer=former_serializer)

    def read(self, id: str, session: Any) -> Snapshot:
        """Return what a record's bytes, or a payload of 1.x, mean.

        Raises:
            CorruptRecordError: They are neither, or not to be believed.
        """
        return self._format.read(
            _place(id),
            session,
            is_private=self._is_private,
            from_payload=self._from_payload,
        )

    def write(
        self, id: str, data: dict[str, Any], created: float, now: float
    ) -> bytes | str:
        """Return the bytes of a record, or a payload.

        Raises:
            UnserializableValueError: The serializer does not take a value.
            ForbiddenClassError: It could not be believed when it is read again.
        """
        if self._to_payload is not None:
            return self._to_payload(with_times(data, created, now))
        return self._format.write(
            _place(id), data, created, now, is_private=self._is_private
        )


class OwnCodec:
    """Lets a subclass of `Session` write and read in its own way.

    Args:
        session: It overrides `_encrypt_data`, `_decrypt_data` or `_set_serializer`.
    """

    __slots__ = ("_session", "serializer")

    def __init__(self, session: Any) -> None:
        self._session, self.serializer = session, session.serializer

    def read(self, id: str, session: Any) -> Snapshot:
        """Return what the subclass makes of what it wrote.

        Raises:
            CorruptRecordError: It makes nothing of it.
        """
        del id
        return of_payload(session, self._decoded)

    def write(
        self, id: str, data: dict[str, Any], created: float, now: float
    ) -> bytes | str:
        """Return what the subclass makes of the data."""
        del id
        encrypt = self._session._encrypt_data  # noqa: SLF001  # where subclasses come in
        return encrypt(with_times(data, created, now))  # type: ignore[no-any-return]  # what it returns

    def _decoded(self, payload: Any) -> Any:
        try:
            return self._session._decrypt_data(payload)  # noqa: SLF001  # where subclasses come in
        except CorruptRecordError:
            raise
        # Nobody told subclasses what to raise.
        except Exception as e:
            raise CorruptRecordError(repr(e)) from e


def _place(id: str) -> bytes:
    return b"session\0" + id.encode("utf-8", "surrogatepass")
