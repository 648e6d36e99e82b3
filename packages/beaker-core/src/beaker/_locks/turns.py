"""Who is next within one process: one holder at a time for each name."""

from __future__ import annotations

import threading
from collections.abc import Hashable

from beaker._locks.waiting import Patience

__all__ = ["Turns"]


class Turns:
    """Lets one holder at a time have a name, and keeps nothing for free names.

    A holder is any object, told from others by identity. Any thread may end its
    turn, and ending a turn that is not one's own does nothing.
    """

    __slots__ = ("_guard", "_holders", "_queues")

    def __init__(self) -> None:
        self._guard = threading.Lock()
        self._holders: dict[Hashable, object] = {}
        self._queues: dict[Hashable, _Queue] = {}

    def take(self, name: Hashable, holder: object, patience: Patience) -> bool:
        """Wait for the name to be free, and return whether it is this holder's now.

        Where this raises, even KeyboardInterrupt, `leave` puts all in order.
        """
        with self._guard:
            if name not in self._holders:
                self._holders[name] = holder
                return True
            return not patience.is_over() and self._wait(name, holder, patience)

    def leave(self, name: Hashable, holder: object) -> None:
        """End this holder's turn, if it has it, and wake who waits next."""
        with self._guard:
            if self._holders.get(name) is holder:
                del self._holders[name]
                if name in self._queues:
                    self._queues[name].notify()

    def _wait(self, name: Hashable, holder: object, patience: Patience) -> bool:
        if name not in self._queues:
            self._queues[name] = _Queue(self._guard)
        queue = self._queues[name]
        queue.length += 1
        try:
            while name in self._holders:
                if patience.is_over():
                    return False
                queue.wait(patience.left())
            self._holders[name] = holder
            return True
        finally:
            queue.length -= 1
            if not queue.length:
                del self._queues[name]
            elif name not in self._holders:
                # We were woken, and do not take our turn: it is the next one's.
                queue.notify()


class _Queue(threading.Condition):
    """Those who wait for one name."""

    length = 0
