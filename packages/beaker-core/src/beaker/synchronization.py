"""Locks by name: within a process, among the processes of a machine, among hosts."""

from __future__ import annotations

import threading as _threading
from collections.abc import Hashable
from typing import Any, ClassVar, TypeVar

from beaker._locks.filelock import FileLock
from beaker._locks.leases import Lease, LocalLease, RemoteLease
from beaker._locks.synchronizers import (
    ConditionSynchronizer,
    FileSynchronizer,
    SynchronizerImpl,
    null_synchronizer,
)
from beaker.perprocess import PerProcess
from beaker.protocols import Synchronizer
from beaker.registry import WeakValuedRegistry

try:
    import fcntl
except ImportError:
    has_flock = False
else:
    #: Whether this system has `flock`; `FileSynchronizer` works without, too.
    has_flock = hasattr(fcntl, "flock")

__all__ = [
    "DEADLINE",
    "ConditionSynchronizer",
    "FileLock",
    "FileSynchronizer",
    "Lease",
    "LocalLease",
    "NameLock",
    "RemoteLease",
    "Synchronizer",
    "SynchronizerImpl",
    "_threading",
    "file_synchronizer",
    "has_flock",
    "mutex_synchronizer",
    "null_synchronizer",
]

#: Seconds that a server may take to answer who wants a lock of it and nothing else.
#: Unlike a cache, he has no way around a server that is slow.
DEADLINE = 1.0

S = TypeVar("S", bound=SynchronizerImpl)

_synchronizers = WeakValuedRegistry()

#: Tells `file_synchronizer` without a lock_dir from one with None.
_NOT_GIVEN: Any = object()


class NameLock:
    """A lock within one process, the same one for all who know its name.

    Args:
        identifier: The name; None: a lock of its own.
        reentrant: Whether the thread that holds it may take it again. Who names a
            lock first decides for all, until it is forgotten.
    """

    #: The locks that somebody knows, by name.
    locks: ClassVar[WeakValuedRegistry] = WeakValuedRegistry()

    def __init__(
        self, identifier: Hashable | None = None, reentrant: bool = False
    ) -> None:
        make: Any = _threading.RLock if reentrant else _threading.Lock
        self._lock: PerProcess[Any] = (
            PerProcess(make)
            if identifier is None
            else self.locks.get(identifier, PerProcess, make)
        )

    def acquire(self, wait: bool = True) -> bool:
        """Take the lock, and return whether it is now ours; always with `wait`."""
        return bool(self._lock().acquire(wait))

    def release(self) -> None:
        """Free the lock.

        Raises:
            RuntimeError: It is not held, or, if reentrant, not by this thread.
        """
        self._lock().release()


def mutex_synchronizer(identifier: Hashable) -> ConditionSynchronizer:
    """Return this process's lock of this name, the same one while anyone holds it."""
    return _synchronizer(ConditionSynchronizer, identifier)


def file_synchronizer(
    identifier: Hashable, lock_dir: str | None = _NOT_GIVEN
) -> FileSynchronizer | ConditionSynchronizer:
    """Return this machine's lock of this name, the same one while anyone holds it.

    Args:
        identifier: The name.
        lock_dir: Directory of the lock files; None: one for this user among the
            system's temporary files; not given: a lock of this process alone.
    """
    if lock_dir is _NOT_GIVEN:
        return mutex_synchronizer(identifier)
    return _synchronizer(FileSynchronizer, identifier, lock_dir)


def _synchronizer(kind: type[S], *arguments: Any) -> S:
    made: S = _synchronizers.sync_get((kind, *arguments), kind, *arguments)
    return made
