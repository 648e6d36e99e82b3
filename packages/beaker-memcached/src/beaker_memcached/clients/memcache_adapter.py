"""The library python-memcached, with which most of Beaker 1.x ran."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, TypeVar

import memcache

from beaker_memcached.clients.base import Client, Reach
from beaker_memcached.clients.sockets import ThreadSockets, is_stale

__all__ = ["Adapter"]

_T = TypeVar("_T")

#: Bytes that no server refuses: its item limit is a kilobyte at least.
_SMALL = 500


class _Connections(memcache.Client):  # type: ignore[misc]  # the library has no types
    """The library's client, which asks a server that does not answer once."""

    _SERVER_RETRIES = 1

    def _recv_value(self, server: Any, flags: int, rlen: int) -> bytes:
        # Whatever the flags say, nothing is unpickled, inflated or read as a number.
        del flags
        return super()._recv_value(server, 0, rlen)  # type: ignore[no-any-return]  # without flags these are bytes


class Adapter(Client):
    """One server, through python-memcached, which has a connection for each thread."""

    def __init__(self, reach: Reach) -> None:
        super().__init__(reach)
        self._connections = _Connections(
            [_address(reach)],
            # The store leaves alone what is away, and the server what is too large.
            dead_retry=0,
            socket_timeout=reach.deadline or None,
            server_max_value_length=0,
            cache_cas=True,
        )
        self._sockets = ThreadSockets()

    def get_many(self, names: Sequence[str]) -> dict[str, bytes]:
        """Return what is there, in one round trip."""
        found: dict[str, bytes] = self._run(self._connections.get_multi, names)
        return found

    def gets_many(self, names: Sequence[str]) -> dict[str, tuple[bytes, Any]]:
        """Return what is there, in one round trip for each."""
        found = {}
        for name in names:
            value = self._run(self._connections.gets, name)
            version = self._connections.cas_ids.pop(name.encode(), None)
            if value is not None:
                found[name] = value, version
        return found

    def set(self, name: str, data: bytes | str, expires: int) -> None:
        """Store."""
        if not self._run(self._connections.set, name, data, expires):
            raise self._unstored(data)

    def add(self, name: str, data: bytes | str, expires: int) -> bool:
        """Store if there is nothing."""
        stored = self._run(self._connections.add, name, data, expires)
        # What is small was there, and may be gone by now: it does not tell which.
        if not stored and len(data) > _SMALL and not self.get_many([name]):
            raise self._unstored(data)
        return bool(stored)

    def cas(self, name: str, data: bytes | str, expires: int, version: Any) -> bool:
        """Store if the version is still this one."""
        self._connections.cas_ids[name.encode()] = version
        stored = self._run(self._connections.cas, name, data, expires)
        self._connections.cas_ids.clear()
        if not stored and self.gets_many([name]).get(name, (b"", None))[1] == version:
            raise self._unstored(data)
        return bool(stored)

    def delete(self, name: str) -> bool:
        """Remove."""
        return bool(self._run(self._connections.delete, name))

    def touch(self, name: str, expires: int) -> bool:
        """Change the expiry."""
        return bool(self._run(self._connections.touch, name, expires))

    def close(self) -> None:
        """Close this thread's connection."""
        self._connections.disconnect_all()

    def _run(self, act: Callable[..., _T], *arguments: Any) -> _T:
        (server,) = self._connections.servers
        if server.socket is not None and is_stale(server.socket.fileno()):
            server.close_socket()
        try:
            answer = act(*arguments)
        except BaseException:
            # An answer may be due that nobody will read.
            server.close_socket()
            raise
        # It does not tell that there was no answer, but then it has given up.
        if server.deaduntil:
            raise ConnectionResetError("the server does not answer")
        self._sockets.keep(server.socket)
        return answer

    def _unstored(self, data: bytes | str) -> Exception:
        return self.refuse(f"{len(data)} bytes are not stored: too large")


def _address(reach: Reach) -> str:
    if not reach.port:
        return f"unix:{reach.host}"
    return f"inet6:{reach.address}" if ":" in reach.host else reach.address
