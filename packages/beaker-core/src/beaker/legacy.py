"""Runs a store class written for Beaker 1.x behind today's contract.

Such a class holds objects under 1.x keys, pickles for itself, may lack methods, and
answers a missing key with KeyError, None or worse. Its creations are not fenced, and
its sessions merge only among the threads of one process.
"""

from __future__ import annotations

import logging
import pickle
import threading
from collections.abc import Callable, Iterable
from math import ceil
from typing import Any

from beaker.exceptions import (
    BeakerException,
    CorruptRecordError,
    UnsupportedOperationError,
)
from beaker.perprocess import PerProcess
from beaker.protocols import Lease, NamespaceManager
from beaker.records import Record, record_of
from beaker.registry import WeakValuedRegistry

__all__ = ["LegacyStore", "LegacyStoreError", "is_legacy"]

_log = logging.getLogger("beaker.store")

#: What a plugin raises by mistake rather than because its store is away.
_MISTAKES = (
    ArithmeticError,
    AssertionError,
    AttributeError,
    BeakerException,
    ImportError,
    LookupError,
    NameError,
    NotImplementedError,
    TypeError,
    ValueError,
)

#: What reading raises where the bytes that a plugin unpickles are damaged.
_DAMAGES = (
    AttributeError,
    EOFError,
    ImportError,
    IndexError,
    ValueError,
    pickle.UnpicklingError,
)

#: What 1.x calls on a store and 2.x does not.
_DICTIONARY_FACE = {"__contains__", "__getitem__", "__setitem__", "set_value"}

_write_locks = WeakValuedRegistry()


def is_legacy(manager: type) -> bool:
    """Return whether a class was written for Beaker 1.x.

    It moves no bytes, or changes what a store of 2.x does as a dictionary, which
    would not be noticed otherwise.
    """
    for kind in getattr(manager, "__mro__", ()):
        if kind is NamespaceManager:
            break
        if "fetch" in vars(kind):
            return False
        if _DICTIONARY_FACE & vars(kind).keys():
            break
    return True


class LegacyStoreError(OSError):
    """A 1.x store failed: nobody knows its client's errors, so any may mean away."""


class LegacyStore(NamespaceManager):
    """A 1.x manager with the methods of a 2.x one.

    Args:
        manager: The instance to run.
        purpose: "cache" or "session": a session's record is what the session made
            of itself, a cache's is a tuple of two times and the value.
    """

    holds_objects = True
    unavailable = (LegacyStoreError,)
    first_wait = "as long as its client"

    def __init__(self, manager: NamespaceManager, purpose: str) -> None:
        self.manager, self.purpose = manager, purpose
        self.namespace = manager.namespace
        self._expires = True
        name = (type(manager), self.namespace)
        self._writing: PerProcess[Any] = _write_locks.get(
            name, PerProcess, threading.RLock
        )

    def fetch(self, key: str) -> Any:
        """Return the record that the 1.x object under this key means.

        Raises:
            CorruptRecordError: There is something else.
        """
        return _within(self._read, _old_key(key, self.purpose))

    def store(self, key: str, data: Any, ttl: float | None) -> None:
        """Store the record's 1.x object."""
        _within(self._write, _old_key(key, self.purpose), data, ttl)

    def replace(self, key: str, expected: Any, data: Any, ttl: float | None) -> bool:
        """Compare and set, atomically among the threads of this process only."""
        with self._writing():
            found = self.fetch(key)
            if (found is None) != (expected is None):
                return False
            if found is not None and not self._are_equal(found, expected):
                return False
            self.store(key, data, ttl)
            return True

    def discard(self, key: str) -> bool:
        """Remove the object."""
        return bool(_within(self._remove, _old_key(key, self.purpose)))

    def drop(self) -> None:
        """Remove what the manager's own `remove` removes."""
        _within(self.manager.remove)

    def lease(self, key: str) -> Lease:
        """Return the manager's own creation lock, or one of this process."""
        from beaker._locks.leases import LocalLease

        kind = type(self.manager)
        name = f"{kind.__module__}.{kind.__qualname__}/{self.namespace}/{key}"
        own = LocalLease(name, None, _no_mark, _no_mark)
        return _LegacyLease(self.manager, _old_key(key, self.purpose), own)

    def fill(
        self,
        key: str,
        data: Any,
        ttl: float | None,
        lease: Lease,  # noqa: ARG002 - nothing in the 1.x interface asks for it
    ) -> bool:
        """Store what was created; a 1.x store cannot tell whether it still may."""
        self.store(key, data, ttl)
        return True

    def fetch_accessed(self, key: str) -> tuple[Any, float | None] | None:
        """Return the record; its access time is kept within it, as in 1.x."""
        record = self.fetch(key)
        return None if record is None else (record, None)

    def touch(
        self,
        key: str,
        ttl: float | None,  # noqa: ARG002 - a 1.x store cannot
        accessed: float,  # noqa: ARG002
    ) -> bool:
        """Return whether there is such a record; a 1.x store cannot mark it."""
        return self.fetch(key) is not None

    def keys(self) -> Iterable[str]:
        """Return the manager's own keys, as text."""
        try:
            old_keys = _within(self.manager.keys)
        except NotImplementedError as e:
            place = self.place()
            raise UnsupportedOperationError(place, "list keys", "enumerable") from e
        return [_as_text(key) for key in old_keys]

    def place(self) -> str:
        """Return the class that it is."""
        return f"{type(self.manager).__module__}.{type(self.manager).__qualname__}"

    def _read(self, key: Any) -> Record | None:
        manager = self.manager
        manager.acquire_read_lock()
        try:
            # Some unpickle None when asked for what is missing: 1.x asked first.
            found = _item(manager, key) if key in manager else None
        except (KeyError, TypeError):
            return None
        finally:
            manager.release_read_lock()
        return None if found is None else self._record(found)

    def _record(self, found: Any) -> Record:
        if self.purpose == "session":
            return record_of(found, None, 0.0)
        # Before 1.1 there was no time of expiry between the two.
        try:
            stored, *expire, value = found
            (expire,) = expire or [None]
            return record_of(value, expire, float(stored))
        except (TypeError, ValueError) as e:
            raise CorruptRecordError(f"a {type(found).__name__}: {e}") from e

    def _are_equal(self, found: Record, expected: Record) -> bool:
        # A cached value may be of any kind, and some cannot be compared.
        if self.purpose == "cache":
            return found[:2] == expected[:2]
        return bool(found.value == expected.value)

    def _write(self, key: Any, record: Record, ttl: float | None) -> None:
        manager = self.manager
        if self.purpose == "session":
            manager.acquire_write_lock(replace=True)
        else:
            manager.acquire_write_lock()
        try:
            if self.purpose == "session":
                manager[key] = record.value
            else:
                self._set(key, tuple(record[:3]), ttl)
        finally:
            manager.release_write_lock()

    def _set(self, key: Any, found: Any, ttl: float | None) -> None:
        if self._expires and ttl is not None:
            try:
                # Clients take whole seconds.
                return self.manager.set_value(key, found, expiretime=ceil(ttl))
            except TypeError as e:
                if "expiretime" not in str(e):
                    raise
                self._expires = False
        return self.manager.set_value(key, found)

    def _remove(self, key: Any) -> bool:
        manager = self.manager
        manager.acquire_write_lock()
        try:
            there = key in manager
            if there:
                del manager[key]
        except KeyError:
            return False
        finally:
            manager.release_write_lock()
        return bool(there)


class _LegacyLease(Lease):
    """A creation lock of a 1.x manager; where it has none, one of this process."""

    def __init__(self, manager: NamespaceManager, key: Any, own: Lease) -> None:
        self._manager, self._key, self._own = manager, key, own
        self._lock: Any = None
        self.token = ""

    def acquire(
        self,
        wait: bool = True,
        timeout: float | None = None,  # noqa: ARG002 - no 1.x lock knows of it
    ) -> bool:
        return bool(_within(self._take, wait))

    def release(self) -> None:
        lock, self._lock = self._lock, None
        if lock is None:
            return
        try:
            lock.release()
        except Exception as e:  # noqa: BLE001 - whatever its client raises
            # The value is made, and its caller shall have it.
            _log.warning("creation lock of %r is not given back: %s", self._key, e)

    def _take(self, wait: bool) -> bool:
        try:
            lock = self._manager.get_creation_lock(self._key)
        except NotImplementedError:
            lock = self._own
        if lock.acquire(wait=wait) is not False:
            self._lock = lock
        return self._lock is not None


def _within(operation: Callable[..., Any], *arguments: Any) -> Any:
    try:
        return operation(*arguments)
    except _MISTAKES:
        raise
    except Exception as e:
        raise LegacyStoreError(str(e) or repr(e)) from e


def _item(manager: NamespaceManager, key: Any) -> Any:
    try:
        return manager[key]
    except (BeakerException, KeyError):
        raise
    except _DAMAGES as e:
        raise CorruptRecordError(repr(e)) from e


def _old_key(key: Any, purpose: str) -> Any:
    if purpose == "session" or not isinstance(key, str):
        return key
    return key.encode("ascii", "backslashreplace")


def _as_text(key: Any) -> str:
    return key.decode("ascii") if isinstance(key, bytes) else str(key)


def _no_mark(token: str) -> None:
    pass
