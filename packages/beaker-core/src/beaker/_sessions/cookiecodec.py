"""What is written into the cookie of a session, and what is read out of it."""

from __future__ import annotations

import hmac
from binascii import a2b_base64, b2a_base64
from collections.abc import Callable, Sequence
from typing import Any

from beaker._sessions.codec import with_times, without_times
from beaker._sessions.format import PAYLOAD, SessionFormat, of_payload
from beaker._sessions.records import SessionRecord, is_record, place_of
from beaker.exceptions import CorruptRecordError
from beaker.signing import former_signature

__all__ = ["CookieCodec"]

_FORMER_SIGNATURE = 40

# Base64 whose characters a cookie may hold unquoted. What base64 writes otherwise is
# not from us, so that it is made what base64 does not know.
_TO_COOKIE = bytes.maketrans(b"+/", b"-_")
_FROM_COOKIE = bytes.maketrans(b"-_+/=", b"+/???")


class CookieCodec:
    """Writes records of 2.x, or signed payloads of 1.x, as text, and reads both.

    Args:
        name: The cookie; what was written for another is refused.
        format: How records of 2.x are made.
        secrets: What payloads of 1.x are signed with.
        to_payload: Makes a payload of data.
        from_payload: Makes data of a payload.
        writes_payloads: Whether payloads are written rather than records.
        reads_records: Whether records are read beside payloads.
    """

    __slots__ = (
        "_format",
        "_from_payload",
        "_place",
        "_reads_records",
        "_secrets",
        "_to_payload",
        "_writes_payloads",
    )

    def __init__(
        self,
        name: str,
        format: SessionFormat,
        secrets: Sequence[bytes],
        to_payload: Callable[[dict[str, Any]], str],
        from_payload: Callable[[str], Any],
        *,
        writes_payloads: bool = False,
        reads_records: bool = True,
    ) -> None:
        self._place, self._format = place_of(f"cookie\0{name}".encode()), format
        self._secrets = secrets
        self._to_payload, self._from_payload = to_payload, from_payload
        self._writes_payloads = writes_payloads
        self._reads_records = reads_records

    def read(self, text: str) -> SessionRecord:
        """Return the session that a cookie holds.

        Raises:
            CorruptRecordError: It is not one that we wrote.
        """
        record = _unbased(text) if self._reads_records else b""
        if is_record(record):
            found = self._format.read(self._place, record)
            # In a store it may date from before there was a secret; here, from nobody.
            if not found.is_authentic:
                raise CorruptRecordError("the cookie is not signed")
            return found
        self._format.check_former("a cookie of Beaker 1.x")
        payload = self._verified(text)
        return of_payload(payload, self._from_payload(payload))

    def data(self, record: SessionRecord) -> dict[str, Any]:
        """Return the data of a record: with each call a dictionary of its own.

        Raises:
            CorruptRecordError: They cannot be read.
        """
        if record.serializer != PAYLOAD:
            return self._format.data(record)
        return without_times(self._from_payload(record.data))

    def write(self, data: dict[str, Any], created: float, now: float) -> str:
        """Return the text that stands for a session.

        Raises:
            UnserializableValueError: The serializer does not take a value.
        """
        if self._writes_payloads:
            payload = self._to_payload(with_times(data, created, now))
            return former_signature(self._secrets[0], payload) + payload
        return _based(self._format.write(self._place, data, created, now)[0])

    def rewrite(self, record: SessionRecord, now: float) -> str:
        """Return the text that stands for a session that was only used."""
        if self._writes_payloads or record.serializer == PAYLOAD:
            return self.write(self.data(record), record.created, now)
        return _based(self._format.rewrite(self._place, record, now))

    def _verified(self, text: str) -> str:
        signature, payload = text[:_FORMER_SIGNATURE], text[_FORMER_SIGNATURE:]
        if text.isascii():
            for secret in self._secrets:
                if hmac.compare_digest(former_signature(secret, payload), signature):
                    return payload
        raise CorruptRecordError("the cookie's signature is not ours")


def _based(record: bytes) -> str:
    text = b2a_base64(record, newline=False).translate(_TO_COOKIE)
    return text.rstrip(b"=").decode()


def _unbased(text: str) -> bytes:
    try:
        digits = text.encode("ascii").translate(_FROM_COOKIE)
        padded = digits + b"=" * (-len(digits) % 4)
        record = a2b_base64(padded, strict_mode=True)
    except ValueError:
        return b""
    # The last digit has bits to spare: a second text for a record is not from us.
    return record if b2a_base64(record, newline=False) == padded else b""
