"""Connections that no two threads use at once, and that are not used once broken."""

from __future__ import annotations

import select
from collections import deque
from collections.abc import Callable
from contextlib import suppress
from typing import Generic, Protocol, TypeVar

__all__ = ["Connection", "Pool", "is_stale"]


class Connection(Protocol):
    """What a pool asks of a connection."""

    def close(self) -> object:
        """Close it."""
        ...


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


def is_stale(number: int) -> bool:
    """Return whether an idle socket has something to read.

    Either the server has closed it, or there is an answer that nobody has waited for.
    """
    if not hasattr(select, "poll"):
        return bool(select.select([number], [], [], 0)[0])
    poll = select.poll()
    poll.register(number, select.POLLIN)
    return bool(poll.poll(0))
