"""State that a forked child does not share with its parent."""

from __future__ import annotations

import os
from collections.abc import Callable
from typing import Generic, TypeVar

__all__ = ["PerProcess"]

T = TypeVar("T")


class PerProcess(Generic[T]):
    """A value that each process makes for itself when it first asks for it.

    What a child inherits it neither sees nor touches: its locks may be held by
    threads that exist in the parent only. But it is kept, for to finalize it could
    speak to a server over a connection that is the parent's.

    Args:
        make: Makes the value. If threads race, one result is taken, the others are
            dropped.
    """

    __slots__ = ("__weakref__", "_made", "_make")

    def __init__(self, make: Callable[[], T]) -> None:
        self._make = make
        self._made: dict[int, T] = {}

    def __call__(self) -> T:
        """Return the value of this process."""
        # Asked each time, as not every server that forks tells Python about it.
        process = os.getpid()
        try:
            return self._made[process]
        except KeyError:
            return self._made.setdefault(process, self._make())

    def inherited(self) -> list[T]:
        """Return the values of the processes that this one was forked from."""
        process = os.getpid()
        return [value for owner, value in self._made.items() if owner != process]
