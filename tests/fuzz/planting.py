"""The forms in which a pickle may be put where a session belongs, or into a cookie."""

from __future__ import annotations

import pickle
import struct
from base64 import b64encode, urlsafe_b64encode

from beaker.records import HEADER, MAGIC, checked

__all__ = ["in_cookie", "in_store"]

#: Shapes of what protects a record, and of what stands behind its data.
_PROTECTIONS = {
    "unsigned": (0, b""),
    "said to be signed": (1, b"s" * 32),
    "said to be encrypted": (2, b"t" * 16),
    "removed": (3, b""),
    "of the future": (9, b""),
}


def _record(data: bytes, serializer: int, key: int, protection: int) -> bytes:
    head = HEADER.pack(MAGIC, serializer, key, protection, 1.8e9, -1.0)
    return head + struct.pack(">d", 1.8e9) + data


def records(data: bytes) -> dict[str, bytes]:
    """Return records of 2.x around a pickle."""
    found = {}
    for name, (protection, rest) in _PROTECTIONS.items():
        for serializer in (0, 1, 255):
            made = _record(data, serializer, int(protection > 0), protection)
            whole = made + rest if protection else checked(made)
            found[f"record {name}, serializer {serializer}"] = whole
    return found


def in_store(data: bytes) -> dict[str, bytes]:
    """Return what may lie in a store for a session, by what it looks like."""
    payload = b64encode(data)
    text = urlsafe_b64encode(checked(_record(data, 0, 0, 0))).decode()
    return {
        **records(data),
        "the bytes alone": data,
        "payload of 1.x, bare": payload,
        "payload of 1.x, pickled": pickle.dumps(payload.decode(), 2),
        "payload of 1.x, in a namespace": pickle.dumps(
            {"session": payload.decode()}, 2
        ),
        "payload of 1.x, encrypted": b"n" * 24 + payload,
        "record as text": pickle.dumps(text, 2),
        "record as text in a namespace": pickle.dumps({"session": text}, 2),
    }


def in_cookie(data: bytes) -> dict[str, str]:
    """Return what a browser may send, by what it looks like."""
    payload = b64encode(data).decode()
    found = {
        name: urlsafe_b64encode(record).decode().rstrip("=")
        for name, record in records(data).items()
    }
    return {
        **found,
        "the bytes alone": data.decode("latin-1"),
        "payload of 1.x": payload,
        "payload of 1.x, said to be signed": "0" * 40 + payload,
        "payload of 1.x, said to be encrypted": "0" * 40 + "n" * 24 + payload,
        "said to be a signed id": f"{payload}.{'0' * 64}",
    }
