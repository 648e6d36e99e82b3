"""A value with its times, and the bytes it becomes in a store."""

from __future__ import annotations

import struct
from collections.abc import Callable
from math import inf
from typing import Any, NamedTuple
from zlib import crc32

from beaker.exceptions import CorruptRecordError
from beaker.serializers import PICKLE, dump, identifier_of, load

__all__ = [
    "CHECK",
    "HEADER",
    "MAGIC",
    "OBJECTS",
    "ObjectCodec",
    "Record",
    "RecordCodec",
    "checked",
    "is_whole",
    "record_of",
]

#: No pickle, no base64 and no JSON starts so: records of 1.x and of 2.x differ
#: by their first bytes.
MAGIC = b"\xbeK\x02"

#: Magic, serializer, id of the key it is sealed with (0: not sealed), reserved,
#: stored, expire.
HEADER = struct.Struct(">3sBBBdd")
_NEVER = -1.0

#: Bytes of the CRC-32 at a record's end, which tells damage from data: a changed
#: letter in a text would be served otherwise. It keeps nobody from forging one.
CHECK = 4
#: What `crc32` returns for all that ends with its own CRC-32, little-endian.
_RESIDUE = 0x2144DF1C

_new_tuple = tuple.__new__


class Record(NamedTuple):
    """What a store holds under one key, decoded.

    Attributes:
        stored: When it was stored, in seconds since the epoch.
        expire: Seconds it stays fresh from then on; None: for ever.
        value: The value itself.
        fresh_until: `stored + expire`, kept because every hit compares with it.
    """

    stored: float
    expire: float | None
    value: Any
    fresh_until: float


def record_of(value: Any, expire: float | None, stored: float) -> Record:
    """Return the record of a value that was stored then."""
    # As Record(...) does, in half the time.
    until = inf if expire is None else stored + expire
    return _new_tuple(Record, (stored, expire, value, until))


def checked(data: bytes) -> bytes:
    """Return data with the checksum that they end with in a store."""
    return data + crc32(data).to_bytes(CHECK, "little")


def is_whole(data: bytes) -> bool:
    """Return whether data end with their checksum."""
    return crc32(data) == _RESIDUE


class RecordCodec:
    """Records to bytes and back: a header of fixed size, the value, a checksum."""

    __slots__ = ("_identifier", "serializer")

    def __init__(self, serializer: Any = PICKLE) -> None:
        self.serializer = serializer
        self._identifier = identifier_of(serializer)

    def encode(self, value: Any, expire: float | None, stored: float) -> bytes:
        """Return the bytes of the record of a value that was stored then.

        Raises:
            UnserializableValueError: The serializer does not take the value.
        """
        expire = _NEVER if expire is None else max(expire, 0.0)
        header = HEADER.pack(MAGIC, self._identifier, 0, 0, stored, expire)
        return checked(header + dump(self.serializer, value))

    def decode(self, data: bytes) -> Record:
        """Return the record that these bytes are.

        Raises:
            CorruptRecordError: They are damaged, or of another format, or were
                written with another serializer.
        """
        try:
            magic, identifier, key, reserved, stored, expire = HEADER.unpack_from(data)
        except (struct.error, TypeError) as e:
            raise CorruptRecordError(f"{len(data)} bytes are no header") from e
        if magic != MAGIC:
            raise CorruptRecordError(f"unknown format {bytes(data[:3])!r}")
        if key or reserved:
            raise CorruptRecordError(f"sealed with key {key}, or of a newer format")
        if not is_whole(data):
            raise CorruptRecordError("damaged: its checksum is another")
        if identifier != self._identifier:
            raise CorruptRecordError(f"written with serializer {identifier}")
        # Written so that NaN fails, too.
        if not (stored < inf and _NEVER <= expire < inf):
            raise CorruptRecordError(f"stored at {stored} for {expire} seconds")
        value = load(self.serializer, data[HEADER.size : -CHECK])
        return record_of(value, None if expire < 0 else expire, stored)


class ObjectCodec:
    """For stores that hold objects: the record itself is what they hold."""

    __slots__ = ()

    #: Returns the record itself.
    encode: Callable[[Any, float | None, float], Any] = staticmethod(record_of)

    def decode(self, data: Any) -> Record:
        """Return the record."""
        return data  # type: ignore[no-any-return]  # objects in, objects out


OBJECTS = ObjectCodec()
