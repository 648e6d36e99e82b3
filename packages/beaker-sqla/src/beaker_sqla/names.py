"""What rows are found by: digests for caches, ids for sessions."""

from __future__ import annotations

import re
from hashlib import sha256

__all__ = ["decoded", "digest_of", "encoded", "head_of", "session_name", "space_of"]

#: What stands in front of the digest of an id: without a prefix, and with one.
_DIGESTS = ("2:", "3:")

# What no id without a prefix may begin with, to be kept as it is.
_OTHERS = re.compile(r"[23]:|p\d+:")

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
    name = head_of(prefix) + id
    plain = _CASELESS if is_caseless else _PLAIN
    if plain.fullmatch(name) and (prefix or not _OTHERS.match(id)):
        return name
    return _DIGESTS[bool(prefix)] + digest_of(name).hex()


def head_of(prefix: str) -> str:
    """Return what the names begin with that are kept as they are.

    With its length before it, no prefix can run into an id.
    """
    return f"p{len(prefix)}:{prefix}" if prefix else ""
