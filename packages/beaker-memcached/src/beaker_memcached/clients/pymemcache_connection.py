"""A connection of pymemcache that takes several commands at once, and logs in."""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Any

from pymemcache.client.base import Client
from pymemcache.exceptions import MemcacheClientError, MemcacheUnexpectedCloseError

from beaker_memcached.clients.base import Login

__all__ = ["Connection", "Found", "asking"]

#: What was found: bytes, and their version if that was asked for, by name.
Found = dict[str, tuple[bytes, "bytes | None"]]

#: What the server says of a write.
_OUTCOMES = frozenset((b"STORED", b"EXISTS", b"NOT_FOUND"))

#: What precedes the bytes of one item: its name, flags, size, and perhaps a version.
_item_at = re.compile(rb"VALUE (\S+) \d+ (\d+)(?: (\d+))?\r\n").match

_LINE_END = b"\r\n"

#: Bytes that one look at the socket brings at most: at any time, and where more is due.
_AT_ONCE, _AT_MOST = 2**14, 2**18


class Connection(Client):  # type: ignore[misc]  # the library has no types
    """A connection of the library, with one method more.

    Args:
        login: Whose connection it is; None: nobody needs to log in.
        arguments: The library's.
        more: The library's.
    """

    def __init__(self, login: Login | None, *arguments: Any, **more: Any) -> None:
        super().__init__(*arguments, **more)
        self._login = login

    def converse(self, request: bytes) -> tuple[list[bytes], Found]:
        """Send commands, and return the outcomes of writes and what was found.

        The last command is a ``get`` or ``gets``, and the only one of its kind.

        Raises:
            MemcacheClientError: The server says anything else.
            MemcacheUnexpectedCloseError: It has closed the connection.
        """
        # The library sends and reads one command at a time, in half again the time.
        if self.sock is None:
            self._connect()
        self.sock.sendall(request)
        outcomes: list[bytes] = []
        found: Found = {}
        answer, at = self._more(), 0
        while True:
            item = _item_at(answer, at)
            if item is not None:
                name, size, version = item.groups()
                begin, end = item.end(), item.end() + int(size)
                data, at = answer[begin:end], end + 2
                if len(answer) < at:
                    data, answer = self._completed(data, int(size), answer[end:])
                    at = 2
                found[name.decode()] = data, version
                continue
            end = answer.find(_LINE_END, at)
            if end < 0:
                answer, at = answer[at:] + self._more(), 0
                continue
            line, at = answer[at:end], end + 2
            if line == b"END":
                return outcomes, found
            if line not in _OUTCOMES:
                raise MemcacheClientError(line)
            outcomes.append(line)

    def _completed(self, data: bytes, size: int, rest: bytes) -> tuple[bytes, bytes]:
        parts, missing = [data], size - len(data)
        while missing:
            parts.append(self._more(min(missing, _AT_MOST)))
            missing -= len(parts[-1])
        while len(rest) < len(_LINE_END):
            rest += self._more()
        return b"".join(parts), rest

    def _more(self, size: int = _AT_ONCE) -> bytes:
        more: bytes = self.sock.recv(size)
        if not more:
            raise MemcacheUnexpectedCloseError
        return more

    def _connect(self) -> None:
        # The library has no other place where a new connection could say something.
        super()._connect()
        # The name is of no account: the first command of a connection logs in.
        if self._login and not self.set("login", " ".join(self._login), noreply=False):
            raise MemcacheClientError(b"authentication failure")


def asking(verb: str, names: Iterable[str]) -> bytes:
    """Return the command that asks for what is under these names."""
    return f"{verb} {' '.join(names)}\r\n".encode()
