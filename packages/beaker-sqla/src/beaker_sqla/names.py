"""What rows are found by: digests for caches, ids for sessions."""

from __future__ import annotations

import re
from hashlib import sha256

__all__ = ["decoded", "digest_of", "encoded", "session_name", "space_of"]

#: What stands in front of the digest of an id, and of no id that is kept as it is.
_DIGEST_OF_ID = "2:"

# 1.x kept ids as they were, and issued none but these.
_PLAIN = re.compile(r"[!-~]{1,255}")
_CASELESS = re.compile(r"[!-@\[-~]{1,255}")


def space_of(namespace: str, prefix: str, purpose: str = "cache") -> bytes:
    """Return what all rows of one namespace have in common with no other."""
    return digest_of(f"{purpose}:{len(prefix)}:{prefix}{namespace}")


def digest_of(text: str) -> bytes:
    """Return 32 bytes that no other text has."""
    return sha256(encoded(text)).digest()


def encoded(text: str) -> bytes:
    """Return any text as bytes; what a file system gives may be no Unicode."""
    return text.encode("utf-8", "surrogatepass")


def decoded(data: bytes) -> str:
    """Return the text that `encoded` was given."""
    return data.decode("utf-8", "surrogatepass")


def session_name(id: str, prefix: str, *, is_caseless: bool) -> str:
    """Return the text in the column ``namespace`` of a session's row.

    It is the id, as in 1.x, unless the database might take it for another one.

    Args:
        id: The session's id: any text.
        prefix: What keeps two applications apart.
        is_caseless: Whether ``A`` and ``a`` are the same to the database.
    """
    name = prefix + id
    plain = _CASELESS if is_caseless else _PLAIN
    if plain.fullmatch(name) and not name.startswith(_DIGEST_OF_ID):
        return name
    return _DIGEST_OF_ID + digest_of(name).hex()
