"""The library pymemcache: what is chosen unless something else is."""

from __future__ import annotations

import ssl
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any, TypeVar

from pymemcache.exceptions import MemcacheError, MemcacheUnexpectedCloseError

from beaker.container import Pool
from beaker_memcached.clients.base import TEXT, Client, Reach, Seen, Write
from beaker_memcached.clients.pymemcache_connection import Connection, asking
from beaker_memcached.clients.sockets import is_stale

__all__ = ["Adapter"]

_T = TypeVar("_T")


class Adapter(Client):
    """One server, through pymemcache."""

    can_log_in = True
    can_encrypt = True

    def __init__(self, reach: Reach) -> None:
        super().__init__(reach)
        self._context = reach.tls_context()
        self._pool = Pool(self._connection, _is_broken, Connection.close)

    def get_many(self, names: Sequence[str]) -> dict[str, bytes]:
        """Return what is there, in one round trip."""
        _, found = self._run(Connection.converse, asking("get", names))
        return {name: data for name, (data, _) in found.items()}

    def gets_many(self, names: Sequence[str]) -> dict[str, tuple[bytes, Any]]:
        """Return what is there, in one round trip."""
        return self._run(Connection.converse, asking("gets", names))[1]

    def set(self, name: str, data: bytes | str, expires: int) -> None:
        """Store."""
        told, flags = _told_apart(data)
        self._run(Connection.set, name, told, expires, noreply=False, flags=flags)

    def add(self, name: str, data: bytes | str, expires: int) -> bool:
        """Store if there is nothing."""
        told, flags = _told_apart(data)
        return bool(
            self._run(Connection.add, name, told, expires, noreply=False, flags=flags)
        )

    def cas(self, name: str, data: bytes | str, expires: int, version: Any) -> bool:
        """Store if the version is still this one."""
        told, flags = _told_apart(data)
        fixed = {"noreply": False, "flags": flags}
        return bool(self._run(Connection.cas, name, told, version, expires, **fixed))

    def delete(self, name: str) -> bool:
        """Remove."""
        return bool(self._run(Connection.delete, name, noreply=False))

    def touch(self, name: str, expires: int) -> bool:
        """Change the expiry."""
        return bool(self._run(Connection.touch, name, expires, noreply=False))

    def close(self) -> None:
        """Close the connections."""
        self._pool.close()

    def look_after(self, writes: Iterable[Write], names: Sequence[str]) -> Seen:
        """Return what is there after these writes, in one round trip."""
        commands = [_conditional(write, b" noreply") for write in writes]
        commands.append(asking("gets", names))
        return self._run(Connection.converse, b"".join(commands))[1]

    def set_many_then_get(
        self, records: Mapping[str, bytes], expires: int, gone: Sequence[str], name: str
    ) -> bytes | None:
        """Store, delete, and return what is under a name, in one round trip."""
        commands = [
            _command("set", record, expires, data) for record, data in records.items()
        ]
        commands += [b"delete %b noreply\r\n" % each.encode() for each in gone]
        return self._after(commands, name)[1]

    def cas_then_get(
        self, writes: Iterable[Write], name: str
    ) -> tuple[list[bool], bytes | None]:
        """Replace versions, and return what is under a name, in one round trip."""
        outcomes, found = self._after([*map(_conditional, writes)], name)
        return [outcome == b"STORED" for outcome in outcomes], found

    def forget(self, name: str) -> None:
        """Remove, without waiting for an answer."""
        self._run(Connection.delete, name, noreply=True)

    def delete_many(self, names: Iterable[str]) -> None:
        """Remove what is there, in one round trip."""
        self._run(Connection.delete_many, list(names), noreply=False)

    def _connection(self) -> Connection:
        reach, deadline = self.reach, self.reach.deadline or None
        return Connection(
            reach.login,
            (reach.host, reach.port) if reach.port else reach.host,
            connect_timeout=deadline,
            timeout=deadline,
            no_delay=True,
            allow_unicode_keys=True,
            tls_context=self._context,
        )

    def _run(self, act: Callable[..., _T], *arguments: Any, **more: Any) -> _T:
        connection = self._pool.borrow()
        try:
            answer = act(connection, *arguments, **more)
        except BaseException as e:
            connection.close()
            self._explain(e)
            raise
        self._pool.give_back(connection)
        return answer

    def _explain(self, error: BaseException) -> None:
        if isinstance(error, MemcacheUnexpectedCloseError):
            raise ConnectionResetError(
                "the server has closed the connection"
            ) from error
        if isinstance(error, MemcacheError | ssl.SSLCertVerificationError):
            said = error.args[0] if error.args else ""
            if isinstance(said, bytes):
                first = said.partition(b"\r\n")[0]
                raise self.refuse(first.decode("utf-8", "replace")) from error
            raise self.refuse(error) from error

    def _after(
        self, commands: list[bytes], name: str
    ) -> tuple[list[bytes], bytes | None]:
        commands.append(asking("get", [name]))
        outcomes, found = self._run(Connection.converse, b"".join(commands))
        return outcomes, found[name][0] if name in found else None


def _told_apart(data: bytes | str) -> tuple[bytes, int]:
    return (data.encode(), TEXT) if isinstance(data, str) else (data, 0)


def _conditional(write: Write, end: bytes = b"") -> bytes:
    verb = "add" if write.version is None else "cas"
    version = b"" if write.version is None else b" " + write.version
    return _command(verb, write.name, write.expires, write.data, version + end)


def _command(
    verb: str, name: str, expires: int, data: bytes, more: bytes = b""
) -> bytes:
    head = f"{verb} {name} 0 {expires} {len(data)}".encode()
    return b"".join((head, more, b"\r\n", data, b"\r\n"))


def _is_broken(connection: Connection) -> bool:
    sock = connection.sock
    return sock is not None and is_stale(sock.fileno())
