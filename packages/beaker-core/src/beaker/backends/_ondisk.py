"""What the stores have in common that keep each session in files of its own."""

from __future__ import annotations

import os
import time
from abc import abstractmethod
from collections.abc import Iterator
from contextlib import suppress
from functools import cached_property
from math import inf
from typing import ClassVar

from beaker._locks.filelock import FileLock
from beaker.backends._layouts import listed
from beaker.backends._places import DISK_REMEDY, LEFT_BEHIND, Place
from beaker.backends._private import PrivateFiles
from beaker.protocols import NamespaceManager, Purged

__all__ = ["OnDiskNamespaceManager", "modified"]


class OnDiskNamespaceManager(NamespaceManager):
    """Keeps records in files below a directory, under locks of this machine."""

    enumerable = True
    remedy = DISK_REMEDY
    first_wait = "as long as the disk"
    updates_atomically = True
    shared_between_processes = True
    durable = True

    #: The store's configured name.
    _kind: ClassVar[str]
    #: What the name of a session's file ends with, or of all its files begins with.
    _suffix: ClassVar[str]

    @cached_property
    def _files(self) -> PrivateFiles:
        # Siblings share it: what was checked once is not checked for each session.
        return PrivateFiles(Place(self._kind, self.settings))

    def purge_sessions(
        self, unused_for: float, *, dry_run: bool = False
    ) -> Iterator[Purged]:
        """Remove the files of sessions that were not changed or marked for so long.

        Nothing outside of the directory is touched, whatever links there are in it.
        """
        before = time.time() - unused_for
        examined = removed = 0
        with self._files:
            directories = self._directories()
            total = sum(len(_stems(directory)) for directory in directories)
            for directory in directories:
                for stem in _stems(directory):
                    examined += 1
                    path = f"{directory}/{stem}{self._suffix}"
                    removed += self._purge_session(path, before, dry_run=dry_run)
                if not dry_run:
                    _sweep(directory)
                yield Purged(examined, removed, max(total, examined))
        yield Purged(examined, removed, examined)

    def session_ids(self) -> Iterator[str]:
        """Yield what the files of sessions are called, which mostly are their ids."""
        with self._files:
            directories = self._directories()
        for directory in directories:
            # A digest tells nobody's id.
            yield from sorted(s for s in _stems(directory) if not s.startswith("~"))

    def ping(self) -> None:
        """Return if the directory answers, or is not there yet."""
        self._files.ping()

    def place(self) -> str:
        """Return the store's name and directory."""
        return str(self._files.place)

    @abstractmethod
    def _last_used(self, path: str) -> float:
        """Return when a session was changed or marked; one that is not there: never."""

    @abstractmethod
    def _remove_session(self, path: str) -> bool:
        """Remove a session, and return whether it was there; its lock is held."""

    def _purge_session(self, path: str, before: float, *, dry_run: bool) -> bool:
        if dry_run or self._last_used(path) >= before:
            return self._last_used(path) < before
        with self._lock(path):
            # It may have been used since we looked.
            return self._last_used(path) < before and self._remove_session(path)

    def _lock(self, path: str) -> FileLock:
        return FileLock(self._files.place.locks, f"{self._kind} {path}")

    def _directories(self) -> list[str]:
        # Those of sessions are named by the first character and by the first two.
        with suppress(FileNotFoundError):
            self._files.check()
        path = self._files.place.path
        return [
            f"{path}/{first}/{second}"
            for first in listed(path)
            if len(first) == 1 and _is_directory(f"{path}/{first}")
            for second in listed(f"{path}/{first}")
            if second[:1] == first and _is_directory(f"{path}/{first}/{second}")
        ]


def modified(path: str) -> float:
    """Return when a file was last changed or marked; one that is not there: never."""
    try:
        return os.lstat(path).st_mtime
    except FileNotFoundError:
        return inf


def _is_directory(path: str) -> bool:
    return os.path.isdir(path) and not os.path.islink(path)


def _stems(directory: str) -> set[str]:
    # No session's name has a dot in it: what follows one is a suffix.
    return {name.partition(".")[0] for name in listed(directory)} - {""}


def _sweep(directory: str) -> None:
    """Remove what was never put in place, and marks of leases, of dead processes."""
    oldest = time.time() - LEFT_BEHIND
    for name in listed(directory):
        if name.endswith((".tmp", ".lease")):
            path = f"{directory}/{name}"
            if modified(path) < oldest:
                with suppress(FileNotFoundError):
                    os.unlink(path)
