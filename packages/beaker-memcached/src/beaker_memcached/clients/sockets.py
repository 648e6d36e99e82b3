"""Sockets of client libraries: which lie idle in vain, and which end with a thread."""

from __future__ import annotations

import select
import threading
from typing import Protocol

__all__ = ["Closable", "ThreadSockets", "is_stale"]


class Closable(Protocol):
    """What may be a socket, or has one."""

    def close(self) -> object:
        """Close it."""
        ...


_TO_READ = getattr(select, "POLLIN", 0)


class ThreadSockets:
    """Closes the sockets of libraries that have one for each thread, and forget it."""

    def __init__(self) -> None:
        self._mine = threading.local()

    def keep(self, socket: Closable) -> None:
        """Note that this thread uses this socket now."""
        kept = getattr(self._mine, "kept", None)
        if kept is None or kept.socket is not socket:
            self._mine.kept = _Kept(socket)


class _Kept:
    """A socket that is closed with the last reference to this."""

    def __init__(self, socket: Closable) -> None:
        self.socket = socket

    def __del__(self) -> None:
        self.socket.close()


def is_stale(number: int) -> bool:
    """Return whether an idle socket has something to read.

    Either the server has closed it, or there is an answer that nobody has waited for.
    """
    if not hasattr(select, "poll"):
        return bool(select.select([number], [], [], 0)[0])
    # Cheaper than `select`, and it takes any number.
    poll = select.poll()
    poll.register(number, _TO_READ)
    return bool(poll.poll(0))
