"""The two bases that stores written for Beaker 1.x inherit from."""

from __future__ import annotations

import threading
from collections.abc import Iterable
from typing import Any

from beaker.perprocess import PerProcess
from beaker.protocols import NamespaceManager, Synchronizer

__all__ = ["AbstractDictionaryNSManager", "OpenResourceNamespaceManager"]


class OpenResourceNamespaceManager(NamespaceManager):
    """A store whose records are at hand only while a resource is open.

    A subclass gives `get_access_lock`, `do_open`, `do_close` and the dictionary
    methods. Whoever reads or writes holds the access lock; the first to come opens
    the resource and the last to leave closes it.
    """

    def __init__(self, namespace: str) -> None:
        super().__init__(namespace)
        self.access_lock = self.get_access_lock()
        self.openers = 0
        self._mutex = PerProcess(threading.Lock)

    @property
    def mutex(self) -> threading.Lock:
        """The lock under which the resource is opened and closed."""
        return self._mutex()

    def get_access_lock(self) -> Synchronizer:
        """Return the lock that readers and writers of this namespace share."""
        raise NotImplementedError

    def do_open(self, flags: str, replace: bool) -> None:
        """Open the resource.

        Args:
            flags: "r" to read, "c" to write and to make it where it is missing.
            replace: The present content is about to be replaced as a whole.
        """
        raise NotImplementedError

    def do_close(self) -> None:
        """Close the resource."""
        raise NotImplementedError

    def acquire_read_lock(self) -> None:
        """Begin to read: the resource is open until the lock is released."""
        self.access_lock.acquire_read_lock()
        try:
            self.open("r", checkcount=True)
        except BaseException:
            self.access_lock.release_read_lock()
            raise

    def release_read_lock(self) -> None:
        """End reading."""
        try:
            self.close(checkcount=True)
        finally:
            self.access_lock.release_read_lock()

    def acquire_write_lock(self, wait: bool = True, replace: bool = False) -> bool:
        """Begin to write: the resource is open until the lock is released."""
        if not self.access_lock.acquire_write_lock(wait):
            return False
        try:
            self.open("c", checkcount=True, replace=replace)
        except BaseException:
            self.access_lock.release_write_lock()
            raise
        return True

    def release_write_lock(self) -> None:
        """End writing."""
        try:
            self.close(checkcount=True)
        finally:
            self.access_lock.release_write_lock()

    def open(self, flags: str, checkcount: bool = False, replace: bool = False) -> None:
        """Open the resource, or with `checkcount` only if nobody has."""
        with self.mutex:
            if not checkcount or self.openers == 0:
                self.do_open(flags, replace)
            self.openers = self.openers + 1 if checkcount else 1

    def close(self, checkcount: bool = False) -> None:
        """Close the resource, or with `checkcount` only if nobody else needs it."""
        with self.mutex:
            left = self.openers - 1 if checkcount else 0
            if self.openers > 0 and left <= 0:
                self.do_close()
            self.openers = max(left, 0)

    def remove(self) -> None:
        """Remove all records, when nobody reads or writes."""
        self.access_lock.acquire_write_lock()
        try:
            self.close(checkcount=False)
            self.do_remove()
        finally:
            self.access_lock.release_write_lock()


class AbstractDictionaryNSManager(NamespaceManager):
    """A store on an object that behaves like a dictionary, in this process.

    A subclass sets `dictionary`.
    """

    dictionary: Any

    def get_creation_lock(self, key: str) -> Any:
        """Return a lock within this process."""
        from beaker._locks.leases import LocalLease

        name = f"{type(self).__name__}/{self.namespace}/{key!r}"
        return LocalLease(name, None, _no_mark, _no_mark)

    def __getitem__(self, key: str) -> Any:
        return self.dictionary[key]

    def __contains__(self, key: object) -> bool:
        return key in self.dictionary

    def has_key(self, key: str) -> bool:
        """Return whether there is such a key."""
        return key in self.dictionary

    def __setitem__(self, key: str, value: Any) -> None:
        self.dictionary[key] = value

    def __delitem__(self, key: str) -> None:
        del self.dictionary[key]

    def do_remove(self) -> None:
        """Empty the dictionary."""
        self.dictionary.clear()

    def keys(self) -> Iterable[str]:
        """Return the dictionary's keys."""
        return self.dictionary.keys()  # type: ignore[no-any-return]  # any mapping


def _no_mark(token: str) -> None:
    # A dictionary has no place for the token of a lease: it is not fenced.
    pass
