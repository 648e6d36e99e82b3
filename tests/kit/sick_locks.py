"""Locks with one fault each, and the test that catches it."""

from __future__ import annotations

import fcntl
import os
from collections.abc import Callable
from pathlib import Path
from typing import IO, Any, NamedTuple

from beaker.protocols import Synchronizer
from beaker.synchronization import NameLock, mutex_synchronizer, null_synchronizer

__all__ = ["SICK_LOCKS", "SickLock"]


class SickLock(NamedTuple):
    """What makes a lock of a name in a directory, and the test that finds it out."""

    open: Callable[[Path, str], Synchronizer]
    caught_by: str


class ReadersExclude(Synchronizer):
    """Reading is writing."""

    def __init__(self, directory: Path, name: str) -> None:
        self._lock = NameLock((directory, name), reentrant=True)

    def acquire_read_lock(self, wait: bool = True) -> bool:
        return self._lock.acquire(wait)

    def release_read_lock(self) -> None:
        self._lock.release()

    acquire_write_lock = acquire_read_lock
    release_write_lock = release_read_lock


class ChildrenKeepTheFile(Synchronizer):
    """A forked child has the file open, and the lock on it is its own, too."""

    files: dict[str, IO[Any]] = {}  # noqa: RUF012 - that is the fault

    def __init__(self, directory: Path, name: str) -> None:
        path = os.path.join(directory, name)
        self._held = 0
        self._file = self.files.setdefault(path, open(path, "w"))  # noqa: SIM115

    def acquire_read_lock(self, wait: bool = True) -> bool:
        try:
            fcntl.flock(self._file, fcntl.LOCK_EX | (0 if wait else fcntl.LOCK_NB))
        except BlockingIOError:
            return False
        return True

    def release_read_lock(self) -> None:
        fcntl.flock(self._file, fcntl.LOCK_UN)

    acquire_write_lock = acquire_read_lock
    release_write_lock = release_read_lock


def excludes_nobody(directory: Path, name: str) -> Synchronizer:
    """Return one that is always free."""
    del directory, name
    return null_synchronizer()


def excludes_threads_only(directory: Path, name: str) -> Synchronizer:
    """Return one that other processes know nothing of."""
    return mutex_synchronizer((directory, name))


def excludes_everybody(directory: Path, name: str) -> Synchronizer:
    """Return the same one, whatever the name."""
    del name
    return mutex_synchronizer(directory)


SICK_LOCKS = [
    SickLock(excludes_nobody, "test_a_writer_keeps_all_others_out"),
    SickLock(excludes_nobody, "test_threads_never_write_at_once"),
    SickLock(excludes_threads_only, "test_a_writer_here_keeps_everybody_elsewhere_out"),
    SickLock(excludes_threads_only, "test_processes_never_write_at_once"),
    SickLock(excludes_everybody, "test_another_name_is_another_lock"),
    SickLock(ReadersExclude, "test_readers_read_together_and_keep_writers_out"),
    SickLock(ChildrenKeepTheFile, "test_a_forked_child_cannot_release"),
]
