"""The library pylibmc: libmemcached, written in C."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, TypeVar

import pylibmc

from beaker.container import Pool
from beaker_memcached.clients.base import Client, Reach

__all__ = ["Adapter"]

_T = TypeVar("_T")

#: What means that the server has answered. For what else there is, a timeout among
#: it, not all versions have a class.
_REFUSED = (
    pylibmc.BadKeyProvided,
    pylibmc.ClientError,
    pylibmc.NotSupportedError,
    pylibmc.ProtocolError,
    pylibmc.ServerError,
    pylibmc.TooBig,
)


class _Connection(pylibmc.Client):  # type: ignore[misc]  # the library has no types
    """The library's client of one server, for one thread at a time."""

    def deserialize(self, stored: bytes, flags: int) -> bytes:
        """Return the bytes: whatever the flags say, nothing is unpickled."""
        del flags
        return stored

    def close(self) -> None:
        """Close the connection."""
        self.disconnect_all()


class Adapter(Client):
    """One server, through pylibmc."""

    can_log_in = True

    def __init__(self, reach: Reach) -> None:
        super().__init__(reach)
        self._pool = Pool(self._connection, lambda _: False, _Connection.close)

    def get_many(self, names: Sequence[str]) -> dict[str, bytes]:
        """Return what is there, in one round trip if all is."""
        found: dict[str, bytes] = self._run(pylibmc.Client.get_multi, names)
        # What did not come in time is missing too, and only this tells of it.
        for name in set(names).difference(found):
            data = self._run(pylibmc.Client.get, name)
            if data is not None:
                found[name] = data
        return found

    def gets_many(self, names: Sequence[str]) -> dict[str, tuple[bytes, Any]]:
        """Return what is there, in one round trip for each."""
        found = {}
        for name in names:
            # Bytes, which are ours: of text the library makes its own and lets go of
            # them before it has sent them, and another thread's name may be there.
            key = name.encode()
            data, version = self._run(pylibmc.Client.gets, key)
            if data is None and self.get_many([name]):
                data, version = self._run(pylibmc.Client.gets, key)
            if data is not None:
                found[name] = data, version
        return found

    def set(self, name: str, data: bytes | str, expires: int) -> None:
        """Store."""
        self._run(pylibmc.Client.set, name, data, expires)

    def add(self, name: str, data: bytes | str, expires: int) -> bool:
        """Store if there is nothing."""
        return bool(self._run(pylibmc.Client.add, name, data, expires))

    def cas(self, name: str, data: bytes | str, expires: int, version: Any) -> bool:
        """Store if the version is still this one."""
        try:
            return bool(self._run(pylibmc.Client.cas, name, data, version, expires))
        except pylibmc.NotFound:
            return False

    def delete(self, name: str) -> bool:
        """Remove."""
        return bool(self._run(pylibmc.Client.delete, name))

    def touch(self, name: str, expires: int) -> bool:
        """Change the expiry."""
        touched = bool(self._run(pylibmc.Client.touch, name, expires))
        # It does not tell that there was no answer, but this does.
        return touched or bool(self.get_many([name]))

    def close(self) -> None:
        """Close the connections."""
        self._pool.close()

    def _connection(self) -> _Connection:
        milliseconds = int(self.reach.deadline * 1000)
        behaviors = {
            "cas": True,
            "tcp_nodelay": True,
            "connect_timeout": milliseconds,
            "receive_timeout": milliseconds * 1000,
            "send_timeout": milliseconds * 1000,
            "_poll_timeout": milliseconds,
        }
        login = self.reach.login or (None, None)
        return _Connection(
            [self.reach.address], behaviors, bool(self.reach.login), *login
        )

    def _run(self, act: Callable[..., _T], *arguments: Any) -> _T:
        connection = self._pool.borrow()
        try:
            answer = act(connection, *arguments)
        except pylibmc.NotFound:
            self._pool.give_back(connection)
            raise
        except BaseException as e:
            connection.close()
            self._explain(e)
            raise
        self._pool.give_back(connection)
        return answer

    def _explain(self, error: BaseException) -> None:
        # A record that says it is compressed, and is not, is no fault of the server.
        told = ("AUTHENTICATION", "decompress")
        if isinstance(error, _REFUSED) or any(word in str(error) for word in told):
            raise self.refuse(error) from error
        if isinstance(error, pylibmc.Error):
            raise ConnectionResetError(str(error)) from error
