"""The library python-binary-memcached: the one that speaks SASL in pure Python."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, TypeVar

from bmemcached import Client as Connections
from bmemcached.exceptions import MemcachedException

from beaker_memcached.clients.base import Client, Reach
from beaker_memcached.clients.pool import ThreadSockets, is_stale

__all__ = ["Adapter"]

_T = TypeVar("_T")


class Adapter(Client):
    """One server, through bmemcached, which has one connection for each thread."""

    can_log_in = True
    can_encrypt = True

    def __init__(self, reach: Reach) -> None:
        super().__init__(reach)
        self._connections = Connections(
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

    def set(self, name: str, data: bytes, expires: int) -> None:
        """Store."""
        self._run(self._connections.set, name, data, expires)

    def add(self, name: str, data: bytes, expires: int) -> bool:
        """Store if there is nothing."""
        return bool(self._run(self._connections.add, name, data, expires))

    def cas(self, name: str, data: bytes, expires: int, version: Any) -> bool:
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
