"""What memcached keeps under the name of a cached record: a header and its bytes."""

from __future__ import annotations

import struct
import time
from math import ceil
from typing import NamedTuple

__all__ = ["NEVER", "PAST", "Item", "data_in", "expiry", "read"]

#: Format, generation, token of who creates it, when it ends, whether there is data.
_HEAD = struct.Struct("<B16s32sd?")
_FORMAT = 2
_FORMAT_BYTE = bytes([_FORMAT])
#: Bytes up to the end of the generation.
_TOLD = 17

#: An expiry that memcached reads as no expiry.
NEVER = 0
#: An expiry that has passed: beyond 30 days they count from 1970.
PAST = 30 * 86400 + 1
#: memcached keeps times in 32 bits.
_LATEST = 2**31 - 1


class Item(NamedTuple):
    """A record, or the place that is kept for one while it is being created.

    Attributes:
        generation: The token of the namespace when it was written; with another one
            there, it counts as absent.
        data: The record; None: there is none yet.
        ends: When it is to be forgotten, in seconds since 1970; 0: never.
        token: That of the lease under which the next record is made; empty: none.
    """

    generation: bytes
    data: bytes | None = None
    ends: float = 0.0
    token: str = ""

    def packed(self) -> bytes:
        """Return its bytes."""
        has_data, token = self.data is not None, self.token.encode()
        head = _HEAD.pack(_FORMAT, self.generation, token, self.ends, has_data)
        return head + (self.data or b"")


def read(stored: bytes | None) -> Item | None:
    """Return the item that these bytes are; None for what is not one of ours."""
    if stored is None or len(stored) < _HEAD.size or stored[0] != _FORMAT:
        return None
    _, generation, token, ends, has_data = _HEAD.unpack_from(stored)
    data = stored[_HEAD.size :] if has_data else None
    return Item(generation, data, ends, token.rstrip(b"\0").decode("latin-1"))


def data_in(stored: bytes | None, generation: bytes | None) -> bytes | None:
    """Return the record in these bytes, if it is of this generation."""
    if (
        stored is None
        or generation is None
        or stored[:_TOLD] != _FORMAT_BYTE + generation
        or stored[_HEAD.size - 1 : _HEAD.size] != b"\1"
    ):
        return None
    return stored[_HEAD.size :]


def expiry(ttl: float | None) -> int:
    """Return an expiry as memcached takes it, never sooner than in `ttl` seconds."""
    if ttl is None:
        return NEVER
    # Its clock ticks once a second: a second may be over at once.
    seconds = ceil(ttl) + 1
    if seconds < PAST:
        return seconds
    ends = int(time.time()) + seconds
    return ends if ends <= _LATEST else NEVER
