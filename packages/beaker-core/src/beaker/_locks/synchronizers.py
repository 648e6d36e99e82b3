"""Locks for many readers or one writer, in one process or among all of a machine."""

from __future__ import annotations

import os
import sys
import threading
from collections.abc import Callable, Hashable

from beaker._locks.filelock import FileLock
from beaker._locks.waiting import Patience
from beaker.exceptions import LockError
from beaker.perprocess import PerProcess
from beaker.protocols import Synchronizer

__all__ = [
    "ConditionSynchronizer",
    "FileSynchronizer",
    "SynchronizerImpl",
    "null_synchronizer",
]

#: Seconds for which a reader lets waiting writers go first. Not for ever: those
#: who read now may be waiting for this very reader.
COURTESY = 0.05


class SynchronizerImpl(Synchronizer):
    """A lock that its holder, a thread or a task of asyncio, may take repeatedly.

    Inherit from it and write the four methods `do_acquire_read_lock`,
    `do_acquire_write_lock` (each takes `wait`, and returns whether the lock is
    taken), `do_release_read_lock` and `do_release_write_lock`.
    """

    def __init__(self) -> None:
        self._holds: PerProcess[dict[Hashable, _Hold]] = PerProcess(dict)

    def acquire_read_lock(self, wait: bool = True) -> bool:
        """Begin to read; see `Synchronizer.acquire_read_lock`.

        Raises:
            LockError: The holder is writing.
        """
        return self._acquire("reading", self.do_acquire_read_lock, wait)

    def release_read_lock(self) -> None:
        """End reading.

        Raises:
            LockError: The caller is not reading.
        """
        self._release("reading", self.do_release_read_lock)

    def acquire_write_lock(self, wait: bool = True) -> bool:
        """Begin to write; see `Synchronizer.acquire_write_lock`.

        Raises:
            LockError: The holder is reading; it has to end that first.
        """
        return self._acquire("writing", self.do_acquire_write_lock, wait)

    def release_write_lock(self) -> None:
        """End writing.

        Raises:
            LockError: The caller is not writing.
        """
        self._release("writing", self.do_release_write_lock)

    def do_acquire_read_lock(self, wait: bool) -> bool | None:
        """Take the lock to read."""
        raise NotImplementedError

    def do_release_read_lock(self) -> None:
        """Free the lock that was taken to read."""
        raise NotImplementedError

    def do_acquire_write_lock(self, wait: bool) -> bool | None:
        """Take the lock to write."""
        raise NotImplementedError

    def do_release_write_lock(self) -> None:
        """Free the lock that was taken to write."""
        raise NotImplementedError

    def _acquire(
        self, doing: str, take: Callable[[bool], bool | None], wait: bool
    ) -> bool:
        holds, holder = self._holds(), current_holder()
        hold = holds.get(holder)
        if hold is None:
            # Those of 1.x that wait need not answer.
            if not take(wait) and not wait:
                return False
            holds[holder] = _Hold(doing)
        elif hold.doing == doing:
            hold.times += 1
        else:
            raise LockError(f"lock is in {hold.doing} state: release it first")
        return True

    def _release(self, doing: str, free: Callable[[], None]) -> None:
        holds, holder = self._holds(), current_holder()
        hold = holds.get(holder)
        if hold is not None and hold.doing == doing:
            hold.times -= 1
            if not hold.times:
                del holds[holder]
                free()
        elif hold is not None:
            raise LockError(f"lock is in {hold.doing} state, not in {doing} state")
        # What a forked child inherited is not its own, and is not wrong to release.
        elif not any(holder in parents for parents in self._holds.inherited()):
            raise LockError(f"lock is not in {doing} state: acquire it first")


class ConditionSynchronizer(SynchronizerImpl):
    """A lock within one process.

    Writers go before readers that come later, as long as that holds nobody up.

    Args:
        identifier: Its name, for `mutex_synchronizer`; two objects are two locks.
    """

    def __init__(self, identifier: Hashable) -> None:
        super().__init__()
        self.identifier = identifier
        self._room = PerProcess(_Room)

    def do_acquire_read_lock(self, wait: bool = True) -> bool:
        """Take the lock to read."""
        room, courtesy = self._room(), Patience(timeout=COURTESY)
        with room.changed:
            while room.is_written or (room.waiting_writers and not courtesy.is_over()):
                if not wait:
                    return False
                room.changed.wait(None if room.is_written else courtesy.left())
            room.readers += 1
        return True

    def do_release_read_lock(self) -> None:
        """Free the lock that was taken to read."""
        room = self._room()
        with room.changed:
            room.readers -= 1
            room.changed.notify_all()

    def do_acquire_write_lock(self, wait: bool = True) -> bool:
        """Take the lock to write."""
        room = self._room()
        with room.changed:
            room.waiting_writers += 1
            try:
                while room.is_written or room.readers:
                    if not wait:
                        return False
                    room.changed.wait()
                room.is_written = True
            finally:
                room.waiting_writers -= 1
                room.changed.notify_all()
        return True

    def do_release_write_lock(self) -> None:
        """Free the lock that was taken to write."""
        room = self._room()
        with room.changed:
            room.is_written = False
            room.changed.notify_all()


class FileSynchronizer(SynchronizerImpl):
    """A lock among the processes of one machine, freed when its holder dies.

    Args:
        identifier: Its name.
        lock_dir: Directory of the lock files, made if missing; None: one of this
            user in the system's directory for temporary files.
    """

    def __init__(self, identifier: Hashable, lock_dir: str | None) -> None:
        super().__init__()
        self.identifier = identifier
        self.lock_dir = _temporary_directory() if lock_dir is None else lock_dir
        self._locks: PerProcess[dict[Hashable, FileLock]] = PerProcess(dict)

    def do_acquire_read_lock(self, wait: bool = True) -> bool:
        """Take the lock to read."""
        return self._lock(shared=True, wait=wait)

    def do_release_read_lock(self) -> None:
        """Free the lock that was taken to read."""
        self._locks().pop(current_holder()).release()

    def do_acquire_write_lock(self, wait: bool = True) -> bool:
        """Take the lock to write."""
        return self._lock(shared=False, wait=wait)

    def do_release_write_lock(self) -> None:
        """Free the lock that was taken to write."""
        self._locks().pop(current_holder()).release()

    def _lock(self, *, shared: bool, wait: bool) -> bool:
        lock = FileLock(self.lock_dir, f"synchronizer:{self.identifier}")
        if not lock.acquire(shared=shared, wait=wait):
            return False
        self._locks()[current_holder()] = lock
        return True


class null_synchronizer(Synchronizer):  # noqa: N801 - its 1.x name
    """A lock that everybody gets at once."""

    def acquire_read_lock(self, wait: bool = True) -> bool:  # noqa: ARG002
        """Begin to read."""
        return True

    def release_read_lock(self) -> None:
        """End reading."""

    def acquire_write_lock(self, wait: bool = True) -> bool:  # noqa: ARG002
        """Begin to write."""
        return True

    def release_write_lock(self) -> None:
        """End writing."""


class _Hold:
    """What one holder does under the lock, and how many times over."""

    __slots__ = ("doing", "times")

    def __init__(self, doing: str) -> None:
        self.doing, self.times = doing, 1


class _Room:
    """Who is in and who waits, of one lock in one process."""

    def __init__(self) -> None:
        self.changed = threading.Condition()
        self.readers = self.waiting_writers = 0
        self.is_written = False


def current_holder() -> Hashable:
    """Return what tells the running thread, or task of asyncio, from all others."""
    # No task runs where asyncio was never imported, and importing it is slow.
    asyncio = sys.modules.get("asyncio")
    if asyncio is not None:
        try:
            task: Hashable = asyncio.current_task()
        except (RuntimeError, AttributeError):
            # No event loop runs in this thread, or asyncio is just being imported.
            task = None
        if task is not None:
            return task
    return threading.get_ident()


def _temporary_directory() -> str:
    from tempfile import gettempdir

    user = os.getuid() if hasattr(os, "getuid") else "all"
    return os.path.join(gettempdir(), f"beaker-locks-{user}")
