"""What SQLite is spared: a fork while another thread is inside of it."""

from __future__ import annotations

import functools
import os
import threading

__all__ = ["Visits", "visits"]

#: Seconds that a fork waits for what other threads are doing.
FORK_WAITS = 5.0


class Visits:
    """Those who are inside; a fork waits until nobody is, and nobody comes in.

    SQLite has locks of its own that all its connections share. A child whose parent's
    thread held one of them would wait for it for ever.
    """

    def __init__(self) -> None:
        self._begin()
        if hasattr(os, "register_at_fork"):
            os.register_at_fork(
                before=self._before,
                after_in_parent=self._after_in_parent,
                after_in_child=self._begin,
            )

    def _begin(self) -> None:
        self._changed = threading.Condition()
        self._inside = self._forks = 0

    def __enter__(self) -> None:
        with self._changed:
            while self._forks:
                self._changed.wait()
            self._inside += 1

    def __exit__(self, *exception: object) -> None:
        with self._changed:
            self._inside -= 1
            if self._forks:
                self._changed.notify_all()

    def _before(self) -> None:
        with self._changed:
            self._forks += 1
            self._changed.wait_for(lambda: not self._inside, FORK_WAITS)

    def _after_in_parent(self) -> None:
        with self._changed:
            self._forks -= 1
            self._changed.notify_all()


@functools.cache
def visits() -> Visits:
    """Return those of this process."""
    return Visits()
