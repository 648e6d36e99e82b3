"""Connections of one client: each lent to one caller at a time, and kept open."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from typing import Generic, TypeVar

__all__ = ["Pool"]

C = TypeVar("C")


class Pool(Generic[C]):
    """Lends connections; the one that was used last is lent first.

    There are never more than were lent at one time. Let the client that has it belong
    to one process, as `shared_client` does.

    Args:
        connect: Makes a connection.
        is_broken: Whether one that lay idle is not to be used again.
        close: Closes one.
    """

    __slots__ = ("_close", "_connect", "_idle", "_is_broken")

    def __init__(
        self,
        connect: Callable[[], C],
        is_broken: Callable[[C], bool],
        close: Callable[[C], object],
    ) -> None:
        self._connect, self._is_broken, self._close = connect, is_broken, close
        self._idle: deque[C] = deque()

    def borrow(self) -> C:
        """Return a connection; give it back, or close it if anything went wrong."""
        while True:
            try:
                connection = self._idle.pop()
            except IndexError:
                return self._connect()
            if not self._is_broken(connection):
                return connection
            self._close(connection)

    def give_back(self, connection: C) -> None:
        """Let others have a connection on which no answer is due."""
        self._idle.append(connection)

    def close(self) -> None:
        """Close the connections that nobody uses."""
        while True:
            try:
                connection = self._idle.pop()
            except IndexError:
                return
            self._close(connection)
