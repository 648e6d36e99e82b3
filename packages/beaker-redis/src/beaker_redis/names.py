"""The names under which a namespace keeps its records, and what belongs to them."""

from __future__ import annotations

import hashlib
import re

__all__ = ["Names", "accessed_of", "is_session", "session_id", "session_pattern"]

#: The longest name that 1.x wrote as it was; it hashed the key of a longer one.
MAX_KEY_LENGTH = 1024

_LEASE, _ACCESSED, _WAKE = b"#", b"@", b"!"

#: What keeps the names for one purpose apart from those for another.
_PARTS = {"cache": "2", "session": "2s", "lock": "2l"}


class Names:
    """Turns keys into names on the server: different keys into different names.

    All names of one namespace have one hash tag, the part between braces, so that a
    cluster keeps them on one node, where one script may work on them.

    Attributes:
        index: Name of the sorted set of all names in a cache; None for a session or
            a lock, which is a single one.
    """

    __slots__ = ("_head", "_is_legacy", "_namespace", "_wraps", "index")

    def __init__(self, namespace: str, prefix: str, purpose: str) -> None:
        self.index: bytes | None = None
        self._namespace = namespace
        # A brace in a session's id would move it away from what belongs to it. 1.x
        # issued none with braces, and no place of 1.x is needed for others.
        self._is_legacy = purpose == "session" and not {"{", "}"} & set(namespace)
        if self._is_legacy:
            self._head = _encoded(f"{prefix}beaker_cache:{namespace}:")
            self._wraps = "{" not in prefix
            return
        tag = f"{{{len(namespace)}:{namespace}}}"
        self._head = _encoded(f"{prefix}beaker_cache:{_PARTS[purpose]}:{tag}")
        if purpose == "cache":
            self.index = self._head

    def record(self, key: str) -> bytes:
        """Return the name of a key's record."""
        if self._is_legacy:
            return self._head + _encoded(_shortened(key, self._namespace))
        return self._head + b":" + _encoded(key)

    def lease(self, key: str) -> bytes:
        """Return the name of the lease on a key's creation."""
        return self._beside(key, _LEASE)

    def accessed(self, key: str) -> bytes:
        """Return the name of a record's access time."""
        return self._beside(key, _ACCESSED)

    def wake(self, key: str) -> bytes:
        """Return the name of the list on which those who wait are woken."""
        return self._beside(key, _WAKE)

    def key_of(self, record: bytes) -> str:
        """Return the key of a name that `record` made."""
        return record[len(self._head) + 1 :].decode("utf-8", "surrogatepass")

    def _beside(self, key: str, mark: bytes) -> bytes:
        if not self._is_legacy:
            return self._head + mark + _encoded(key)
        record = self.record(key)
        return b"{" + record + b"}" + mark if self._wraps else record + mark


def session_pattern(prefix: str) -> bytes:
    """Return the pattern of the names of all sessions, and of some others."""
    return re.sub(rb"([*?\[\]\\^])", rb"\\\1", _head(prefix)) + b"*:session"


def is_session(record: bytes, prefix: str) -> bool:
    """Return whether a name that the pattern found is that of a session."""
    # A cache may have such a key too.
    return not record.startswith(_head(prefix) + b"2:{")


def session_id(record: bytes, prefix: str) -> str | None:
    """Return the id of a session from the name of its record; None: it is not told."""
    told = record.removeprefix(_head(prefix)).removesuffix(b":session")
    # Those with braces in their ids are elsewhere.
    return None if b"{" in told else told.decode("utf-8", "surrogatepass")


def accessed_of(record: bytes, prefix: str) -> bytes:
    """Return the name of a session's access time, from that of its record."""
    if record.startswith(_head(prefix) + b"2s:{"):
        return record.removesuffix(b":session") + _ACCESSED + b"session"
    return (b"{" + record + b"}" if "{" not in prefix else record) + _ACCESSED


def _head(prefix: str) -> bytes:
    return _encoded(f"{prefix}beaker_cache:")


def _encoded(name: str) -> bytes:
    # Any text: what a file system gives may hold halves of surrogate pairs.
    return name.encode("utf-8", "surrogatepass")


def _shortened(key: str, namespace: str) -> str:
    if len(key) <= MAX_KEY_LENGTH - len(namespace) - len("beaker_cache:") - 1:
        return key
    return hashlib.sha1(key.encode(), usedforsecurity=False).hexdigest()
