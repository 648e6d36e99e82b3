"""The ids under which a namespace keeps its documents."""

from __future__ import annotations

import re
import time
from collections.abc import Mapping
from hashlib import sha1, sha256
from typing import Any

__all__ = ["Names", "is_session_of", "ranges_of_sessions", "session_id"]

#: Bytes of the longest part of an id that is written as it is; others are hashed.
LONGEST = 500

#: The longest id that 1.x wrote as it was; it hashed the key of a longer one.
LONGEST_OF_1X = 1024

#: What keeps the documents for one purpose apart from those for another.
_LETTERS = {"cache": "c", "session": "s", "lock": "l"}


_SESSION = re.compile(r"s\d+\.\d+:(.*)", re.DOTALL)


class Names:
    """Turns keys into ids: different keys into different ids.

    An id begins with its namespace, and that with the lengths of its parts, so that
    no text in one part can be taken for another. What is long, or cannot be written
    in UTF-8, is there by its SHA-256.

    Attributes:
        namespace: What the field `namespace` of all documents of a cache holds; None
            for a session or a lock, which is a single one.
    """

    __slots__ = ("_former", "_head", "_is_session", "_told", "namespace")

    def __init__(self, namespace: str, prefix: str, purpose: str) -> None:
        letter = _LETTERS[purpose]
        parts = f"{len(prefix)}.{len(namespace)}:{prefix}{namespace}"
        self._head = letter + (parts if _is_plain(parts) else f"#{_digest(parts)}")
        self.namespace = self._head if purpose == "cache" else None
        self._is_session = purpose == "session"
        # A digest does not tell whose session it is.
        is_told = not self._is_session or _is_plain(parts)
        self._told = {} if is_told else {"prefix": _encoded(prefix)}
        # 1.x had no prefix: where there is one, the sessions are of another program.
        is_former = self._is_session and not prefix and _is_text(namespace)
        self._former = namespace if is_former else None

    def id(self, key: str) -> str:
        """Return the id of a key's document."""
        if _is_plain(key):
            return f"{self._head}:{key}"
        return f"{self._head}#{_digest(key)}"

    def fields(self, key: str) -> dict[str, Any]:
        """Return what a key's document holds, beside its id, to be found again."""
        fields: dict[str, Any] = {}
        if self._is_session:
            fields |= {"accessed": time.time(), **self._told}
        if self.namespace is not None:
            fields["namespace"] = self.namespace
            if not _is_plain(key):
                fields["key"] = _encoded(key)
        return fields

    def key_of(self, document: Mapping[str, Any]) -> str:
        """Return the key of a document that has the id and fields of these names."""
        if "key" in document:
            return bytes(document["key"]).decode("utf-8", "surrogatepass")
        name: str = document["_id"]
        return name[len(self._head) + 1 :]

    def former(self, key: str) -> str | None:
        """Return the id that 1.x gave to a session's document; None for a cache."""
        if self._former is None:
            return None
        if len(key) > LONGEST_OF_1X - len(self._former) - 1:
            key = sha1(_encoded(key), usedforsecurity=False).hexdigest()
        return f"{self._former}:{key}"


def ranges_of_sessions(prefix: str) -> list[tuple[str, str]]:
    """Return what the ids of all sessions with such a prefix are between."""
    # The character after the point is the slash, the one after # is $.
    return [(f"s{len(prefix)}.", f"s{len(prefix)}/"), ("s#", "s$")]


def is_session_of(document: Mapping[str, Any], prefix: str) -> bool:
    """Return whether a document from between those is a session with this prefix."""
    if "prefix" in document:
        return bytes(document["prefix"]) == _encoded(prefix)
    found = _SESSION.fullmatch(document["_id"])
    return found is not None and found[1].startswith(prefix)


def session_id(name: str, prefix: str) -> str | None:
    """Return the id of a session from that of its document; None: it is not told."""
    found = _SESSION.fullmatch(name)
    if found is None:
        return None
    return found[1].removeprefix(prefix).removesuffix(":session")


def _is_plain(part: str) -> bool:
    return _is_text(part) and len(part.encode()) <= LONGEST


def _is_text(part: str) -> bool:
    # What a file system gives may hold halves of surrogate pairs; BSON takes none.
    try:
        part.encode()
    except UnicodeEncodeError:
        return False
    return True


def _digest(part: str) -> str:
    return sha256(_encoded(part)).hexdigest()


def _encoded(part: str) -> bytes:
    return part.encode("utf-8", "surrogatepass")
