"""Few bytes that would take gigabytes, or years, or the stack of the process."""

from __future__ import annotations

import pickle
import struct
import zlib
from decimal import Decimal
from fractions import Fraction

from tests.fuzz.exploits import Call

__all__ = ["BOMBS", "DEFLATED"]


def bomb(body: bytes) -> bytes:
    """Return a pickle of protocol 2."""
    return b"\x80\x02" + body + b"."


#: Few bytes that would take gigabytes, or years.
BOMBS: dict[str, bytes] = {
    "memo": bomb(b"Nr\xff\xff\xff\x7f"),
    "memo as text": bomb(b"Np2147483647\n"),
    "bytearray": bomb(b"cbuiltins\nbytearray\nJ\xff\xff\xff\x7f\x85R"),
    "bytes": bomb(b"cbuiltins\nbytes\nJ\xff\xff\xff\x7f\x85R"),
    "long announced bytes": b"\x80\x05\x8e" + struct.pack("<Q", 1 << 34) + b"x.",
    "long announced bytearray": b"\x80\x05\x96" + struct.pack("<Q", 1 << 34) + b"x.",
    "long announced text": b"\x80\x05\x8d" + struct.pack("<Q", 1 << 34) + b"x.",
    "long announced number": b"\x80\x05\x8b" + struct.pack("<i", (1 << 31) - 1) + b"x.",
    "fraction": pickle.dumps(Call(Fraction, "1e10000000000"), 2),
    "fraction of decimal": pickle.dumps(Call(Fraction, Decimal("1e99999999")), 2),
    "whole decimal": pickle.dumps(Call(int, Decimal("1e99999999")), 4),
    "many digits": pickle.dumps(Call(int, "9" * 500_000), 4),
    "digits in ascii": bomb(b"L" + b"9" * 500_000 + b"L\n"),
    "deep tuple as key": bomb(b"})" + b"\x85" * 900_000 + b"Ns"),
    "wide tuple as key": bomb(b"})" + b"2\x86" * 60 + b"Ns"),
    "wide tuple by memo": bomb(
        b"})" + b"".join(b"q%ch%c\x86" % (n, n) for n in range(60)) + b"Ns"
    ),
    "deep list": bomb(b"]" * 400_000 + b"a" * 399_999),
}

#: Bytes of which each becomes a thousand.
DEFLATED = {
    "small": zlib.compress(b"[" * 100_000, 9)[:120],
    "of a cookie": zlib.compress(b"[" * 2_800_000, 9),
    "of a record": zlib.compress(b"[" * 200_000_000, 9),
}
