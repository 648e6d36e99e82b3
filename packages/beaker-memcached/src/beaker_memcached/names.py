"""The names under which memcached keeps records, and what belongs to them."""

from __future__ import annotations

import hashlib
from urllib.parse import quote

__all__ = ["MAX_KEY_LENGTH", "CacheNames", "SessionNames", "former_name"]

#: Bytes of the longest name that memcached takes.
MAX_KEY_LENGTH = 250

_LEASE, _ACCESSED = "#", "@"

#: What 1.x put in the place of a space.
_FOR_SPACE = "\u00c2\u00b7"


class CacheNames:
    """Turns the keys of a cache into names: different keys into different names.

    Names are digests: they have to be short, without spaces and control characters,
    and keys are any text.

    Attributes:
        generation: Name of the token that makes the records of this namespace valid.
    """

    __slots__ = ("_digest", "_head", "generation")

    def __init__(self, namespace: str, prefix: str) -> None:
        self._head = _plain(prefix) + "beaker_cache:2:"
        # With its length in front, no namespace can run into a key.
        self._digest = hashlib.sha256(_encoded(f"{len(namespace)}:{namespace}"))
        self.generation = self._head + self._digest.hexdigest()

    def record(self, key: str) -> str:
        """Return the name of a key's record."""
        digest = self._digest.copy()
        digest.update(b":" + _encoded(key))
        return self._head + digest.hexdigest()

    def lease(self, record: str) -> str:
        """Return the name of the lease on a record's creation."""
        return record + _LEASE

    def accessed(self, record: str) -> str:
        """Return the name of a record's access time."""
        return record + _ACCESSED


class SessionNames:
    """The place of a session, where Beaker 1.x had it wherever that is safe.

    1.x knew no prefix, and a prefix could run into an id. Names of 1.x end in ``_session`` or are 40 digits; all others of ours end in 64
    digits, or in what follows them.
    """

    __slots__ = ("_head", "_namespace", "_prefix")

    def __init__(self, namespace: str, prefix: str) -> None:
        self._namespace, self._prefix = namespace, _plain(prefix)
        self._head = self._prefix + "beaker_cache:2s:"

    def record(self, key: str) -> str:
        """Return the name of the session's record."""
        former = f"{self._namespace}_{key}"
        # An id that looks like the translation of another one had no place of its own.
        is_plain = _FOR_SPACE not in former and former.isprintable()
        if is_plain and not self._prefix:
            name = former_name(former)
            if len(_encoded(name)) <= MAX_KEY_LENGTH:
                return name
        return self._head + _digest(former)

    def lease(self, record: str) -> str:
        """Return the name of the lease on the session."""
        return self._head + _digest(record) + _LEASE

    def accessed(self, record: str) -> str:
        """Return the name of the session's access time."""
        return self._head + _digest(record) + _ACCESSED


def former_name(text: str) -> str:
    """Return the name that 1.x gave to a record, from its namespace and its key."""
    return _shortened(text.replace(" ", _FOR_SPACE))


def _plain(prefix: str) -> str:
    quoted = quote(_encoded(prefix), safe=":/-_.")
    # What is longer would leave no room for a session's id.
    return quoted if len(quoted) <= MAX_KEY_LENGTH // 2 else f"{_digest(prefix)}:"


def _shortened(name: str) -> str:
    if len(name) <= MAX_KEY_LENGTH:
        return name
    return hashlib.sha1(_encoded(name), usedforsecurity=False).hexdigest()


def _digest(name: str) -> str:
    return hashlib.sha256(_encoded(name)).hexdigest()


def _encoded(name: str) -> bytes:
    # Any text: what a file system gives may hold halves of surrogate pairs.
    return name.encode("utf-8", "surrogatepass")
