"""The store in this process's memory: objects as they are, bounded, self-cleaning."""

from __future__ import annotations

import time
from collections.abc import Iterable, Iterator, Mapping
from itertools import count
from time import monotonic
from typing import Any, ClassVar

from beaker.backends._shelf import Shelf, ShelfLease, tidy
from beaker.bases import AbstractDictionaryNSManager
from beaker.exceptions import StoreRefusedError
from beaker.options import Coercer, whole_number
from beaker.protocols import Lease, NamespaceManager, Purged
from beaker.registry import SyncDict

__all__ = ["MemoryNamespaceManager"]

#: Records per namespace of a cache, and sessions in all, unless `max_entries` says.
MAX_ENTRIES = {"cache": 100_000, "session": 1_000_000}


#: After how many namespaces that nobody used the forgotten ones are looked for.
TIDY_EVERY = 1000

_taken_up = count(1)


class _Former(AbstractDictionaryNSManager):
    """What a subclass of 1.x had that put a dictionary of its own into `dictionary`.

    Such as one that is bounded, or one that keeps nothing.
    """

    def set_value(
        self,
        key: str,
        value: Any,
        expiretime: float | None = None,  # noqa: ARG002 - a dictionary cannot
    ) -> None:
        self[key] = value


class MemoryNamespaceManager(NamespaceManager):
    """Keeps records in a dictionary of this process, and gives out the very objects.

    Sessions are never evicted: at the bound a new one is refused.

    Attributes:
        dictionary: The records by key.
        namespaces: The dictionaries of all namespaces of this process.
    """

    options: ClassVar[Mapping[str, Coercer]] = {"max_entries": whole_number}
    unavailable: ClassVar[tuple[type[BaseException], ...]] = ()
    holds_objects = True
    enumerable = True
    expires_natively = True
    updates_atomically = True

    namespaces: ClassVar[SyncDict] = SyncDict()
    former = "dictionary", _Former
    dictionary: Shelf
    #: The name of the dictionary of all sessions, where this is one of them.
    _sessions: tuple[str, str] | None = None

    def prepare(self) -> None:
        """Find the dictionary of this namespace."""
        if self._sessions is not None:
            # A sibling: all sessions have one dictionary.
            self.dictionary = type(self).namespaces.get(self._sessions, Shelf)
            return
        settings = self.settings
        self._is_session = settings.purpose == "session"
        if self._is_session:
            # One of its own for each session would cost more than the session.
            self._sessions = _sessions(settings.prefix)
            self.dictionary = type(self).namespaces.get(self._sessions, Shelf)
            # Its siblings put sessions there, be it empty now.
            self.dictionary.users.add(self)
        else:
            self.dictionary = self._shelf(settings.prefix)
        limit = settings.own.get("max_entries") or MAX_ENTRIES[settings.purpose]
        self._limit, self._crowded = limit, limit * 3 // 4

    def fetch(self, key: str) -> Any:
        """Return the record."""
        shelf = self.dictionary
        if monotonic() >= shelf.next_sweep:
            shelf.sweep()
        name = (self.namespace, key) if self._is_session else key
        data = shelf.get(name)
        if data is not None and len(shelf) > self._crowded:
            shelf.read_since.add(name)
        return data

    def store(self, key: str, data: Any, ttl: float | None) -> None:
        """Keep the record."""
        shelf = self.dictionary
        name = (self.namespace, key) if self._is_session else key
        with shelf.lock:
            if self._is_session:
                self._admit(shelf, name)
            shelf.put(name, data, ttl, self._limit)

    def discard(self, key: str) -> bool:
        """Remove the record."""
        with self.dictionary.lock:
            return self.dictionary.take_out(self._name(key))

    def replace(self, key: str, expected: Any, data: Any, ttl: float | None) -> bool:
        """Keep the record if the one that is there is the very object expected."""
        shelf, name = self.dictionary, self._name(key)
        with shelf.lock:
            if shelf.get(name) is not expected:
                return False
            if self._is_session:
                self._admit(shelf, name)
            shelf.put(name, data, ttl, self._limit)
            return True

    def drop(self) -> None:
        """Empty the namespace."""
        if self._is_session:
            self.discard("session")
        else:
            self.dictionary.empty()

    def lease(self, key: str) -> Lease:
        """Return a lease within this process."""
        return ShelfLease(self.dictionary, self._name(key))

    def fill(self, key: str, data: Any, ttl: float | None, lease: Lease) -> bool:
        """Keep the record if the lease still holds."""
        shelf = self.dictionary
        name = (self.namespace, key) if self._is_session else key
        with shelf.lock:
            if shelf.leases.get(name) is not lease:
                return False
            if self._is_session:
                self._admit(shelf, name)
            shelf.put(name, data, ttl, self._limit)
            return True

    def fetch_accessed(self, key: str) -> tuple[Any, float | None] | None:
        """Return the record and when it was touched."""
        shelf = self.dictionary
        if monotonic() >= shelf.next_sweep:
            shelf.sweep()
        name = self._name(key)
        data = shelf.get(name)
        return None if data is None else (data, shelf.accessed.get(name))

    def touch(self, key: str, ttl: float | None, accessed: float) -> bool:
        """Mark the record and move its deadline."""
        shelf, name = self.dictionary, self._name(key)
        with shelf.lock:
            if name not in shelf:
                return False
            shelf.prolong(name, ttl)
            shelf.accessed[name] = accessed
            return True

    def keys(self) -> Iterable[str]:
        """Return all keys."""
        self.dictionary.sweep()
        if self._is_session:
            return ["session"] if self.fetch("session") is not None else []
        return list(self.dictionary)

    def purge(self) -> int:
        """Remove what is past its time."""
        return self.dictionary.sweep()

    def purge_sessions(
        self, unused_for: float, *, dry_run: bool = False
    ) -> Iterator[Purged]:
        """Remove the unused sessions of this process; no other's are in reach."""
        before = time.time() - unused_for
        shelf = type(self).namespaces.get(_sessions(self.settings.prefix), Shelf)
        if not dry_run:
            shelf.sweep()
        with shelf.lock:
            names = list(shelf)
            unused = [name for name in names if shelf.used(name) < before]
            for name in () if dry_run else unused:
                shelf.take_out(name)
        yield Purged(len(names), len(unused), len(names))

    def session_ids(self) -> Iterator[str]:
        """Return the ids of this process's sessions."""
        return iter([name[0] for name in list(self.dictionary)])

    def ping(self) -> None:
        """Return: memory is always there."""

    def place(self) -> str:
        """Return the store's name."""
        return "memory"

    def _shelf(self, prefix: str) -> Shelf:
        namespaces = type(self).namespaces
        name = ("cache", prefix, self.namespace) if prefix else self.namespace
        with namespaces.mutex:
            shelf: Shelf = namespaces.get(name, Shelf)
            if not shelf.users and not next(_taken_up) % TIDY_EVERY:
                tidy(namespaces.dict)
                # This one was empty and unused, too.
                namespaces[name] = shelf
            shelf.users.add(self)
            return shelf

    def _name(self, key: str) -> Any:
        return (self.namespace, key) if self._is_session else key

    def _admit(self, shelf: Shelf, name: Any) -> None:
        if len(shelf) >= self._limit and name not in shelf:
            shelf.sweep()
            if len(shelf) >= self._limit:
                raise StoreRefusedError(
                    "memory",
                    f"it holds {len(shelf)} sessions, as many as it may",
                    "set max_entries higher, a timeout, or a store on disk",
                )
        # What is stored now was used now.
        shelf.accessed.pop(name, None)


def _sessions(prefix: str) -> tuple[str, str]:
    return "session", prefix
