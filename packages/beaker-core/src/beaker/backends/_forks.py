"""What no fork may cut in two: files that a library has open, and its locks on them.

After a fork such a library would believe, in the child, to hold locks that only the
parent has, or keep alive, in the child, locks that the parent gave back. So nobody
may have them open while the process forks.
"""

from __future__ import annotations

import functools
import os
import threading
import weakref

__all__ = ["Undivided"]

#: Seconds that a fork waits for what another thread is doing.
FORK_WAITS = 5.0


class Undivided:
    """A use of such files; a fork waits while its lock is held.

    As a context it holds the lock.

    Attributes:
        lock: Held while the files are in use.
    """

    __slots__ = ("__weakref__", "lock")

    def __init__(self) -> None:
        self.lock = threading.Lock()
        _forks().add(self)

    def __enter__(self) -> None:
        self.lock.acquire()

    def __exit__(self, *exception: object) -> None:
        self.lock.release()

    def close(self) -> None:
        """Close what a child must not inherit; the lock is held by the caller."""

    def abandon(self) -> None:
        """Forget, in a child, what it has inherited nevertheless."""


class _Forks:
    """All uses in this process."""

    def __init__(self) -> None:
        self._guard = threading.RLock()
        self._uses: weakref.WeakSet[Undivided] = weakref.WeakSet()
        self._held: list[Undivided] = []
        if hasattr(os, "register_at_fork"):
            os.register_at_fork(
                before=self._before,
                after_in_parent=self._after_in_parent,
                after_in_child=self._after_in_child,
            )

    def add(self, use: Undivided) -> None:
        with self._guard:
            self._uses.add(use)

    def _before(self) -> None:
        self._guard.acquire()
        for use in list(self._uses):
            if use.lock.acquire(timeout=FORK_WAITS):
                self._held.append(use)
                use.close()

    def _after_in_parent(self) -> None:
        held, self._held = self._held, []
        for use in held:
            use.lock.release()
        self._guard.release()

    def _after_in_child(self) -> None:
        self._held = []
        for use in list(self._uses):
            # A server that forks without telling Python first has left it open.
            use.abandon()
            use.lock = threading.Lock()
        self._guard = threading.RLock()


@functools.cache
def _forks() -> _Forks:
    return _Forks()
