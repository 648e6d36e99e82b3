"""The rows of a dbm that make up a record.

The data are under the key's own name, as in 1.x. Beside them are a token, a deadline
and an access time, under names that begin with a zero byte; a key that begins so, or
is empty, gets two more of them.
"""

from __future__ import annotations

import time
from math import inf
from typing import Any

__all__ = [
    "accessed_row",
    "break_lease",
    "deadline",
    "keep_until",
    "put",
    "record_keys",
    "record_row",
    "take_out",
    "token_row",
]

_RESERVED = b"\0"
_KEY = b"\0\0"


def record_row(key: str) -> bytes:
    """Return the name of the row with the data."""
    # Some modules refuse an empty name.
    name = _encoded(key)
    return name if name and name[:1] != _RESERVED else _KEY + name


def token_row(key: str) -> bytes:
    """Return the name of the row with the token of a lease."""
    return b"\0token:" + _encoded(key)


def accessed_row(key: str) -> bytes:
    """Return the name of the row with the access time."""
    return b"\0accessed:" + _encoded(key)


def record_keys(rows: Any) -> list[str]:
    """Return the keys of all records, even those past their deadline."""
    # Not all modules let one iterate over the rows themselves.
    names = [name for name in list(rows.keys()) if _is_record(name)]
    return [n.removeprefix(_KEY).decode("utf-8", "surrogatepass") for n in names]


def deadline(rows: Any, key: str) -> float:
    """Return when a record may be forgotten, in seconds since 1970."""
    return float(rows.get(_deadline_row(key)) or inf)


def put(rows: Any, key: str, data: bytes, ttl: float | None) -> None:
    """Write a record and break the lease on its key."""
    rows[record_row(key)] = data
    keep_until(rows, key, ttl)
    break_lease(rows, key)


def keep_until(rows: Any, key: str, ttl: float | None) -> None:
    """Write the deadline of a record."""
    if ttl is None:
        _remove(rows, _deadline_row(key))
    else:
        rows[_deadline_row(key)] = repr(time.time() + ttl).encode()


def take_out(rows: Any, key: str) -> bool:
    """Remove a record and return whether there was one; its lease goes on."""
    _remove(rows, _deadline_row(key))
    _remove(rows, accessed_row(key))
    return _remove(rows, record_row(key))


def break_lease(rows: Any, key: str) -> None:
    """Remove the token of a lease."""
    _remove(rows, token_row(key))


def _deadline_row(key: str) -> bytes:
    return b"\0until:" + _encoded(key)


def _encoded(key: str) -> bytes:
    return key.encode("utf-8", "surrogatepass")


def _is_record(name: bytes) -> bool:
    return name[:1] != _RESERVED or name[:2] == _KEY


def _remove(rows: Any, name: bytes) -> bool:
    if name not in rows:
        return False
    del rows[name]
    return True
