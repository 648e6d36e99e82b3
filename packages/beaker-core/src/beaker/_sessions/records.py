"""The bytes of a session: its times, its data, and the seal around both."""

from __future__ import annotations

import hmac
import struct
from math import inf
from typing import Any, NamedTuple

from beaker.exceptions import CorruptRecordError
from beaker.protocols import CryptoProvider
from beaker.records import CHECK, HEADER, MAGIC, checked, is_whole
from beaker.signing import KeyRing

__all__ = [
    "SessionRecord",
    "SessionRecords",
    "Stored",
    "is_record",
    "place_of",
    "removed",
    "removed_at",
]

#: The header of every record, its last field unused, and the time of last access.
_HEAD = struct.Struct(HEADER.format + "d")
_UNUSED = -1.0
_MAC = 32

# The reserved byte of the header says what protects a session's record.
_NOTHING, _SIGNATURE, _CIPHER, _REMOVED = range(4)

_new_tuple = tuple.__new__


class SessionRecord(NamedTuple):
    """A session as it was written.

    Attributes:
        created: When the session began, in seconds since 1970.
        accessed: When it was last written.
        serializer: The number of the serializer that made the data.
        data: The serialized dictionary.
        is_authentic: Whether nobody without our keys can have written it.
        is_current: Whether it is protected by the key that protects new ones.
    """

    created: float
    accessed: float
    serializer: int
    data: Any
    is_authentic: bool
    is_current: bool


#: What a store is given of a session: the bytes of a record, or a payload of 1.x; by a
#: store that keeps objects, the record itself.
Stored = bytes | str | SessionRecord


class SessionRecords:
    """Turns sessions into bytes that only we can have written, and back.

    Args:
        signing: The keys to sign with; None: records are not signed.
        encrypting: The keys to encrypt with, which takes the place of signing.
        cipher: What to encrypt with.

    Attributes:
        protects: Whether what is written can be told from what others wrote.
    """

    __slots__ = ("_cipher", "_encrypting", "_signing", "protects")

    def __init__(
        self,
        signing: KeyRing | None = None,
        encrypting: KeyRing | None = None,
        cipher: CryptoProvider | None = None,
    ) -> None:
        self._signing, self._encrypting, self._cipher = signing, encrypting, cipher
        self.protects = signing is not None or encrypting is not None

    def encode(
        self, place: bytes, record: SessionRecord, accessed: float | None = None
    ) -> bytes:
        """Return the bytes of a session.

        Args:
            place: Where they will be, as `place_of` tells it; read from another
                place they are refused.
            record: The session; how it was protected before does not matter.
            accessed: When it is used, if not when the record says.
        """
        serializer = record.serializer
        data: bytes = record.data
        used = record.accessed if accessed is None else accessed
        times = (record.created, _UNUSED, used)
        if self._encrypting is not None and self._cipher is not None:
            key = self._encrypting.first
            head = _HEAD.pack(MAGIC, serializer, key.id, _CIPHER, *times)
            return head + self._cipher.seal(key.value, data, place + head)
        if self._signing is not None:
            key = self._signing.first
            head = _HEAD.pack(MAGIC, serializer, key.id, _SIGNATURE, *times)
            signed = head + data
            return signed + key.sign(place + signed)
        return checked(_HEAD.pack(MAGIC, serializer, 0, _NOTHING, *times) + data)

    def decode(self, place: bytes, stored: bytes) -> SessionRecord:
        """Return the session that these bytes are; only its seal was looked at.

        Raises:
            CorruptRecordError: They are cut off or changed, were written elsewhere,
                or under a key that is not ours.
        """
        try:
            head = _HEAD.unpack_from(stored)
        except struct.error as e:
            raise CorruptRecordError(f"{len(stored)} bytes are no header") from e
        magic, serializer, key_id, protection, created, _, accessed = head
        if magic != MAGIC or not (0 <= created < inf and 0 <= accessed < inf):
            raise CorruptRecordError(f"unknown format {bytes(stored[:3])!r}")
        if protection == _NOTHING and self._encrypting is not None:
            # 1.x with a key did not read such a record either.
            raise CorruptRecordError("it is not encrypted, and encrypt_key is set")
        if protection == _NOTHING:
            if not is_whole(stored):
                raise CorruptRecordError("damaged: its checksum is another")
            data, current = stored[_HEAD.size : -CHECK], not self.protects
        else:
            data, current = self._opened(place, stored, key_id, protection)
        is_ours = protection != _NOTHING
        # As SessionRecord(...) does, in half the time.
        fields = created, accessed, serializer, data, is_ours, current
        return _new_tuple(SessionRecord, fields)

    def _opened(
        self, place: bytes, stored: bytes, key_id: int, protection: int
    ) -> tuple[bytes, bool]:
        if protection == _SIGNATURE and self._signing is not None:
            return self._verified(self._signing, place, stored, key_id)
        if protection == _CIPHER and self._encrypting is not None:
            return self._decrypted(self._encrypting, place, stored, key_id)
        names = {_SIGNATURE: "signed", _CIPHER: "encrypted"}
        raise CorruptRecordError(
            f"it is {names.get(protection, 'protected in an unknown way')}, and no "
            f"key for that is set: give the options of whoever wrote it"
        )

    def _verified(
        self, ring: KeyRing, place: bytes, stored: bytes, key_id: int
    ) -> tuple[bytes, bool]:
        signed, mac = place + stored[:-_MAC], stored[-_MAC:]
        for key in ring.with_id(key_id):
            if hmac.compare_digest(key.sign(signed), mac):
                current = key is ring.first and self._encrypting is None
                return stored[_HEAD.size : -_MAC], current
        raise CorruptRecordError("its signature is not ours, or of another place")

    def _decrypted(
        self, ring: KeyRing, place: bytes, stored: bytes, key_id: int
    ) -> tuple[bytes, bool]:
        head, sealed = stored[: _HEAD.size], stored[_HEAD.size :]
        for key in ring.with_id(key_id):
            try:
                data = self._cipher.open(key.value, sealed, place + head)  # type: ignore[union-attr]  # comes with its keys
            except ValueError:
                continue
            return data, key is ring.first
        raise CorruptRecordError("it was not encrypted by us, or for another place")


def is_record(stored: bytes) -> bool:
    """Return whether bytes begin as a record of 2.x does."""
    return stored[:3] == MAGIC


def place_of(name: bytes) -> bytes:
    """Return what binds a session to where it lies."""
    # With its length in front, no name can run into what follows it.
    return len(name).to_bytes(4, "big") + name


def removed(now: float) -> bytes:
    """Return what stands for a while where a session was removed."""
    return _HEAD.pack(MAGIC, 0, 0, _REMOVED, now, _UNUSED, now)


def removed_at(stored: Stored) -> float | None:
    """Return when the session that stood here was removed; None: it was not."""
    if stored.__class__ is SessionRecord or len(stored) != _HEAD.size:
        return None
    if not isinstance(stored, bytes):
        return None
    magic, _, _, protection, since, _, _ = _HEAD.unpack(stored)
    return since if magic == MAGIC and protection == _REMOVED else None
