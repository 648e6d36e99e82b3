"""Connections: lent to one thread at a time, or bound to one and closed with it."""

from __future__ import annotations

import select
import threading
from collections import deque
from collections.abc import Callable
from contextlib import suppress
from typing import Generic, Protocol, TypeVar

__all__ = ["Connection", "Pool", "ThreadSockets", "is_stale"]


class Connection(Protocol):
    """What a pool asks of a connection."""

    def close(self) -> object:
        """Close it."""
        ...


_TO_READ = getattr(select, "POLLIN", 0)

_C = TypeVar("_C", bound=Connection)


class Pool(Generic[_C]):
    """Lends connections; the one that was used last is lent first.

    Args:
        connect: Makes a connection.
        is_broken: Whether one that lay idle is not to be used again.
    """

    __slots__ = ("_connect", "_idle", "_is_broken")

    def __init__(
        self, connect: Callable[[], _C], is_broken: Callable[[_C], bool]
    ) -> None:
        self._connect, self._is_broken = connect, is_broken
        self._idle: deque[_C] = deque()

    def borrow(self) -> _C:
        """Return a connection; give it back, or close it if anything went wrong."""
        # Others may take the last one between the two questions.
        with suppress(IndexError):
            while self._idle:
                connection = self._idle.pop()
                if not self._is_broken(connection):
                    return connection
                connection.close()
        return self._connect()

    def give_back(self, connection: _C) -> None:
        """Let others have a connection on which no answer is due."""
        self._idle.append(connection)

    def close(self) -> None:
        """Close the connections that nobody uses."""
        with suppress(IndexError):
            while self._idle:
                self._idle.pop().close()


class ThreadSockets:
    """Closes the sockets of libraries that have one for each thread, and forget it."""

    def __init__(self) -> None:
        self._mine = threading.local()

    def keep(self, socket: Connection) -> None:
        """Note that this thread uses this socket now."""
        kept = getattr(self._mine, "kept", None)
        if kept is None or kept.socket is not socket:
            self._mine.kept = _Kept(socket)


class _Kept:
    """A socket that is closed with the last reference to this."""

    def __init__(self, socket: Connection) -> None:
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
