"""The locks on files that operating systems offer, behind one small interface.

All of them end with the process that holds them, and all of them exclude two open
descriptors of one process from each other.
"""

# ruff: noqa: ARG002 - one interface for all

from __future__ import annotations

import functools
import os
import struct
import sys
from abc import ABC, abstractmethod
from contextlib import suppress
from hashlib import blake2b

from beaker._locks.waiting import pause

__all__ = ["KernelLocks", "available_locks"]


class KernelLocks(ABC):
    """One way to lock a name in a directory by an open file descriptor."""

    @abstractmethod
    def path(self, directory: str, name: str) -> str:
        """Return the file to open for a name."""

    @abstractmethod
    def lock(self, descriptor: int, name: str, *, shared: bool, wait: bool) -> bool:
        """Lock a name, and return whether it is locked now; always with `wait`."""

    @abstractmethod
    def unlock(self, descriptor: int, path: str) -> None:
        """Free what is locked, close the descriptor, leave no file behind."""


class ByteRangeLocks(KernelLocks):
    """Linux: each name is one byte, far out in the one file of its directory.

    The lock belongs to the open file description, so that, unlike older POSIX
    locks, it is not lost when someone in this process closes the same file.
    """

    def path(self, directory: str, name: str) -> str:
        """Return the file that all names of this directory share."""
        return os.path.join(directory, "beaker.lock")

    def lock(self, descriptor: int, name: str, *, shared: bool, wait: bool) -> bool:
        """Lock the byte that stands for this name."""
        import fcntl

        kind = fcntl.F_RDLCK if shared else fcntl.F_WRLCK
        command = fcntl.F_OFD_SETLKW if wait else fcntl.F_OFD_SETLK
        try:
            fcntl.fcntl(descriptor, command, _one_byte(kind, _digest(name) >> 2))
        except (BlockingIOError, PermissionError):
            return False
        return True

    def unlock(self, descriptor: int, path: str) -> None:
        """Close the descriptor, and with it the lock."""
        os.close(descriptor)


class WholeFileLocks(KernelLocks):
    """Other POSIX systems: `flock` on a file per name, removed after use."""

    def path(self, directory: str, name: str) -> str:
        """Return the file of this name."""
        return os.path.join(directory, f"{_digest(name):016x}.lock")

    def lock(self, descriptor: int, name: str, *, shared: bool, wait: bool) -> bool:
        """Lock the file."""
        import fcntl

        kind = fcntl.LOCK_SH if shared else fcntl.LOCK_EX
        try:
            fcntl.flock(descriptor, kind if wait else kind | fcntl.LOCK_NB)
        except BlockingIOError:
            return False
        return True

    def unlock(self, descriptor: int, path: str) -> None:
        """Remove the file if nobody else reads it, and close it."""
        import fcntl

        # Only who holds it alone may remove it, and only while it is the one that
        # newcomers will open; they look again after they have locked.
        with suppress(OSError):
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
            if leads_to(path, descriptor):
                os.unlink(path)
        os.close(descriptor)


class WindowsLocks(KernelLocks):
    """Windows: a file per name; readers exclude each other, for want of better."""

    def path(self, directory: str, name: str) -> str:
        """Return the file of this name."""
        return os.path.join(directory, f"{_digest(name):016x}.lock")

    def lock(self, descriptor: int, name: str, *, shared: bool, wait: bool) -> bool:
        """Lock the first byte of the file."""
        while not _lock_first_byte(descriptor):
            if not wait:
                return False
            pause()
        return True

    def unlock(self, descriptor: int, path: str) -> None:
        """Close the file, and remove it unless someone else has it open."""
        os.close(descriptor)
        with suppress(OSError):
            os.unlink(path)


def _lock_first_byte(descriptor: int) -> bool:
    import msvcrt

    try:
        # Typed on Windows only.
        msvcrt.locking(descriptor, msvcrt.LK_NBLCK, 1)  # type: ignore[attr-defined]
    except PermissionError:
        return False
    return True


def leads_to(path: str, descriptor: int) -> bool:
    """Return whether who opens this path now gets the file of this descriptor."""
    try:
        there = os.stat(path)
    except FileNotFoundError:
        return False
    return os.path.samestat(there, os.fstat(descriptor))


@functools.cache
def available_locks() -> KernelLocks:
    """Return the best locks that this system has."""
    if sys.platform == "win32":
        return WindowsLocks()
    return ByteRangeLocks() if _has_byte_range_locks() else WholeFileLocks()


def _has_byte_range_locks() -> bool:
    import fcntl

    # Elsewhere the structure that describes a lock looks different.
    if sys.platform != "linux" or not hasattr(fcntl, "F_OFD_GETLK"):
        return False
    descriptor = os.open(os.devnull, os.O_RDONLY)
    try:
        fcntl.fcntl(descriptor, fcntl.F_OFD_GETLK, _one_byte(fcntl.F_RDLCK, 0))
    except OSError:
        # Sandboxes that only look like Linux do without.
        return False
    finally:
        os.close(descriptor)
    return True


def _one_byte(kind: int, offset: int) -> bytes:
    # struct flock: kind, whence, start, length, and the process id, which is 0.
    return struct.pack("hhqqi0q", kind, os.SEEK_SET, offset, 1, 0)


def _digest(name: str) -> int:
    data = name.encode("utf-8", "surrogatepass")
    return int.from_bytes(blake2b(data, digest_size=8).digest(), "big")
