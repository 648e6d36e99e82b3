"""The library python-binary-memcached: the one that speaks SASL in pure Python."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, TypeVar

from bmemcached import Client as Connections
from bmemcached.exceptions import MemcachedException
from bmemcached.protocol import Protocol

from beaker_memcached.clients.base import TEXT, Client, Reach
from beaker_memcached.clients.sockets import ThreadSockets, is_stale

__all__ = ["Adapter"]

_T = TypeVar("_T")


class _Server(Protocol):  # type: ignore[misc]  # the library has no types
    """The library's connections, one for each thread, with flags that tell text."""

    def serialize(self, value: bytes | str, compress_level: int = -1) -> Any:
        """Return flags and bytes."""
        del compress_level
        return (TEXT, value.encode()) if isinstance(value, str) else (0, value)


class _Connections(Connections):  # type: ignore[misc]  # likewise
    def set_servers(self, servers: Any) -> None:
        """Take the place of what makes the library's own."""
        self._servers = [
            _Server(
                server,
                username=self.username,
                password=self.password,
                socket_timeout=self.socket_timeout,
                tls_context=self.tls_context,
                raw_data=True,
            )
            for server in servers
        ]


class Adapter(Client):
    """One server, through bmemcached, which has one connection for each thread."""

    can_log_in = True
    can_encrypt = True

    def __init__(self, reach: Reach) -> None:
        super().__init__(reach)
        self._connections = _Connections(
            (reach.address,),
            *(reach.login or (None, None)),
            socket_timeout=reach.deadline or None,
            tls_context=reach.tls_context(),
            # Whatever the flags say, nothing is unpickled.
            raw_data=True,
        )
        # The store leaves alone what is away.
        self._connections.enable_retry_delay(enable=False)
        self._sockets = ThreadSockets()

    def get_many(self, names: Sequence[str]) -> dict[str, bytes]:
        """Return what is there, in one round trip."""
        return self._run(self._connections.get_multi, list(names))

    def gets_many(self, names: Sequence[str]) -> dict[str, tuple[bytes, Any]]:
        """Return what is there, in one round trip."""
        return self._run(self._connections.get_multi, list(names), get_cas=True)

    def set(self, name: str, data: bytes | str, expires: int) -> None:
        """Store."""
        self._run(self._connections.set, name, data, expires)

    def add(self, name: str, data: bytes | str, expires: int) -> bool:
        """Store if there is nothing."""
        return bool(self._run(self._connections.add, name, data, expires))

    def cas(self, name: str, data: bytes | str, expires: int, version: Any) -> bool:
        """Store if the version is still this one."""
        return bool(self._run(self._connections.cas, name, data, version, expires))

    def delete(self, name: str) -> bool:
        """Remove; the library does not tell whether it was there."""
        return bool(self._run(self._connections.delete, name))

    def touch(self, name: str, expires: int) -> bool:
        """Change the expiry, by storing it anew: the library has no such command."""
        while True:
            found = self.gets_many([name])
            if name not in found:
                return False
            data, version = found[name]
            if self.cas(name, data, expires, version):
                return True

    def close(self) -> None:
        """Close this thread's connection."""
        self._connections.disconnect_all()

    def _run(self, act: Callable[..., _T], *arguments: Any, **more: Any) -> _T:
        (server,) = self._connections.servers
        if server.connection is not None and is_stale(server.connection.fileno()):
            self.close()
        try:
            answer = act(*arguments, **more)
        except MemcachedException as e:
            self.close()
            raise self.refuse(e) from e
        except BaseException:
            # An answer may be due that nobody will read.
            self.close()
            raise
        # It does not tell that there was no answer, but then it has no connection.
        if server.connection is None:
            raise ConnectionResetError("the server does not answer")
        self._sockets.keep(server.connection)
        return answer
