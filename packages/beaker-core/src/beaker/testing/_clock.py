"""A clock that a test sets."""

from __future__ import annotations

import time

__all__ = ["Clock"]


class Clock:
    """Stands still until it is told to go on, in the place of `time` or `time.time`.

    Attributes:
        now: The present, in seconds since 1970.
    """

    def __init__(self) -> None:
        self.now = time.time()

    def __call__(self) -> float:
        """Return the present."""
        return self.now

    def time(self) -> float:
        """Return the present."""
        return self.now

    def advance(self, seconds: float) -> None:
        """Let so many seconds pass."""
        self.now += seconds
