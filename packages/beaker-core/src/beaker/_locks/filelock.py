"""A lock between processes of one machine that the kernel frees when they die."""

from __future__ import annotations

import errno
import functools
import os
import threading
import weakref
from contextlib import suppress
from types import TracebackType
from typing import Self

from beaker._locks.kernellocks import KernelLocks, available_locks, leads_to
from beaker._locks.waiting import Patience, pause
from beaker.directories import make_private
from beaker.exceptions import LockError, StoreRefusedError

__all__ = ["FileLock"]

_FLAGS = os.O_RDWR | getattr(os, "O_NOFOLLOW", 0)
#: How often the directory may vanish while we make the file in it.
_ATTEMPTS = 100
_TOO_MANY_FILES = (errno.EMFILE, errno.ENFILE)


class FileLock:
    """The right to use a name, alone or with others who share it.

    One object is one holder: it excludes every other object of the same directory
    and name, in this process and in others, and is not reentrant. Any thread may
    release it. It is free when the process dies, when the object is forgotten, and
    in a forked child.

    As a context manager it waits as long as it takes and holds the lock alone.

    Args:
        directory: Where the lock files are; made, for this user only, if missing.
        name: Any text.
    """

    __slots__ = ("__weakref__", "_descriptor", "_directory", "_locks", "_name", "_path")

    def __init__(self, directory: str, name: str) -> None:
        self._directory, self._name = directory, name
        self._locks: KernelLocks = available_locks()
        self._path = self._locks.path(directory, name)
        self._descriptor: int | None = None

    def acquire(
        self, *, shared: bool = False, wait: bool = True, timeout: float | None = None
    ) -> bool:
        """Take the lock.

        Args:
            shared: Whether others may hold it too who also share it.
            wait: Whether to wait while another holds it.
            timeout: Seconds to wait; None: as long as it takes.

        Returns:
            Whether it is now ours; always true with `wait` and no `timeout`.

        Raises:
            LockError: This object holds the lock already, or waits for it.
            StoreRefusedError: The directory does not let us make the lock file.
        """
        if self._descriptor is not None:
            raise LockError(f"lock {self._name!r} is held by this object already")
        patience = Patience(wait, timeout)
        try:
            while not self._try(shared, patience):
                if patience.is_over():
                    self.release()
                    return False
                pause(patience.left())
        except BaseException:
            self.release()
            raise
        return True

    def release(self) -> None:
        """Free the lock; does nothing where this object does not hold it."""
        with _open_locks().guard:
            descriptor, self._descriptor = self._descriptor, None
            if descriptor is not None:
                self._locks.unlock(descriptor, self._path)

    def _try(self, shared: bool, patience: Patience) -> bool:
        if self._descriptor is None:
            self._open()
        descriptor = self._descriptor
        if descriptor is None or not self._locks.lock(
            descriptor, self._name, shared=shared, wait=patience.left() is None
        ):
            return False
        if leads_to(self._path, descriptor):
            return True
        # Someone removed the file while we waited: newcomers lock another one.
        self.release()
        return self._try(shared, patience)

    def _open(self) -> None:
        registry = _open_locks()
        try:
            # Under the guard, for a child that is forked in between would keep a
            # descriptor open that it does not know of.
            with registry.guard:
                registry.locks.add(self)
                self._descriptor = _open_file(self._directory, self._path)
        except OSError as error:
            if error.errno in _TOO_MANY_FILES:
                raise
            raise _refusal(self._directory, error) from error

    def __enter__(self) -> Self:
        self.acquire()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.release()

    def __del__(self) -> None:
        if getattr(self, "_descriptor", None) is not None:
            self.release()

    def _abandon(self) -> None:
        # In a forked child: the parent holds the lock, we merely have it open.
        if self._descriptor is not None:
            os.close(self._descriptor)
            self._descriptor = None


class _OpenLocks:
    """The locks of this process that have a descriptor open."""

    def __init__(self) -> None:
        self.guard = threading.RLock()
        self.locks: weakref.WeakSet[FileLock] = weakref.WeakSet()
        if hasattr(os, "register_at_fork"):
            os.register_at_fork(
                before=self._before_fork,
                after_in_parent=self._after_fork_in_parent,
                after_in_child=self._after_fork_in_child,
            )

    def _before_fork(self) -> None:
        self.guard.acquire()

    def _after_fork_in_parent(self) -> None:
        self.guard.release()

    def _after_fork_in_child(self) -> None:
        locks, self.locks = self.locks, weakref.WeakSet()
        for lock in locks:
            lock._abandon()  # noqa: SLF001 - of this module
        self.guard = threading.RLock()


@functools.cache
def _open_locks() -> _OpenLocks:
    return _OpenLocks()


def _open_file(directory: str, path: str) -> int:
    try:
        descriptor = os.open(path, _FLAGS)
    except FileNotFoundError:
        descriptor = _make_file(directory, path)
    try:
        _check_owner(os.fstat(descriptor).st_uid, path, (_user(),))
    except OSError:
        os.close(descriptor)
        raise
    return descriptor


def _make_file(directory: str, path: str) -> int:
    for _ in range(_ATTEMPTS):
        with suppress(FileNotFoundError):
            make_private(directory)
            _check_owner(os.stat(directory).st_uid, directory, (0, _user()))
            return os.open(path, _FLAGS | os.O_CREAT, 0o600)
    raise FileNotFoundError(errno.ENOENT, "its directory disappears", path)


def _check_owner(owner: int, path: str, trusted: tuple[int, ...]) -> None:
    # Who owns the file or its directory can keep us waiting for ever.
    if owner not in trusted:
        raise PermissionError(errno.EPERM, f"it belongs to user {owner}", path)


def _user() -> int:
    return os.geteuid() if hasattr(os, "geteuid") else 0


def _refusal(directory: str, error: OSError) -> StoreRefusedError:
    return StoreRefusedError(
        f"lock files in {directory!r}",
        error,
        "set the option 'lock_dir' (or 'data_dir') to a directory that belongs to "
        "this program's user and that it may write to",
    )
