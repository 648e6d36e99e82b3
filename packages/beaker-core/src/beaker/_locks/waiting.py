"""How long a caller waits for a lock, on a clock that nobody sets back."""

from __future__ import annotations

import os
import time

from beaker.exceptions import LockTimeoutError

__all__ = ["Patience", "pause"]


class Patience:
    """What is left of the time that a caller wants to wait.

    Args:
        wait: Whether to wait at all.
        timeout: Seconds to wait; None: as long as it takes.
    """

    __slots__ = ("_began", "_timeout")

    def __init__(self, wait: bool = True, timeout: float | None = None) -> None:
        self._timeout = timeout if wait else 0.0
        self._began = 0.0 if self._timeout is None else time.monotonic()

    def left(self) -> float | None:
        """Return the seconds left, 0 if there are none, None if it never ends."""
        if self._timeout is None:
            return None
        return max(0.0, self._began + self._timeout - time.monotonic())

    def is_over(self) -> bool:
        """Return whether the caller wants to wait no longer."""
        return self.left() == 0.0

    def timed_out(self, name: str) -> LockTimeoutError:
        """Return the error that says how long the caller waited for this lock."""
        return LockTimeoutError(name, time.monotonic() - self._began)


def pause(longest: float | None = None) -> None:
    """Sleep for 10 to 25 ms, but not for more than `longest` seconds.

    The time differs from call to call, so that those who poll for the same thing
    do not do so all at once.
    """
    # One random byte is enough, and importing `random` takes milliseconds.
    seconds = 0.010 + os.urandom(1)[0] / 255 * 0.015
    time.sleep(seconds if longest is None else min(seconds, longest))
