"""The library pymemcache: what is chosen unless something else is."""

from __future__ import annotations

import ssl
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from typing import Any, TypeVar

from pymemcache.client.base import Client as Connection
from pymemcache.exceptions import (
    MemcacheClientError,
    MemcacheError,
    MemcacheUnexpectedCloseError,
)

from beaker.container import Pool
from beaker_memcached.clients.base import TEXT, Client, Login, Reach, Seen, Write
from beaker_memcached.clients.sockets import is_stale

__all__ = ["Adapter"]

_T = TypeVar("_T")

_END = b"END\r\n"
_MISUNDERSTOOD = (b"CLIENT_ERROR", b"ERROR")


class _Connection(Connection):  # type: ignore[misc]  # the library has no types
    """A connection of the library that logs in, and takes several commands at once."""

    def __init__(self, login: Login | None, *arguments: Any, **more: Any) -> None:
        super().__init__(*arguments, **more)
        self._login = login

    def tell(self, request: bytes) -> None:
        """Send commands, and wait for nothing."""
        if self.sock is None:
            self._connect()
        self.sock.sendall(request)

    def ask(self, request: bytes) -> bytes:
        """Send commands of which the last is a ``get``, and return all answers."""
        # The library reads only the last part of what comes in several.
        self.tell(request)
        answer = b""
        while not answer.endswith(_END):
            more = self.sock.recv(4096)
            if not more:
                raise MemcacheUnexpectedCloseError
            answer += more
            if answer.startswith(_MISUNDERSTOOD):
                raise MemcacheClientError(answer)
        return answer

    def _connect(self) -> None:
        # The library has no other place where a new connection could say something.
        super()._connect()
        # The name is of no account: the first command of a connection logs in.
        if self._login and not self.set("login", " ".join(self._login), noreply=False):
            raise MemcacheClientError(b"authentication failure")


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
        return self._run(Connection.get_many, names)

    def gets_many(self, names: Sequence[str]) -> dict[str, tuple[bytes, Any]]:
        """Return what is there, in one round trip."""
        return self._run(Connection.gets_many, names)

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
        commands = b"".join(_conditional(write, b" noreply") for write in writes)

        def act(connection: _Connection) -> Seen:
            connection.tell(commands)
            found: Seen = connection.gets_many(names)
            return found

        return self._run(act)

    def set_many_then_get(
        self, records: Mapping[str, bytes], expires: int, gone: Sequence[str], name: str
    ) -> bytes | None:
        """Store, delete, and return what is under a name, in one round trip."""
        commands = [
            _command("set", record, expires, data) for record, data in records.items()
        ]
        commands += [b"delete %b noreply\r\n" % each.encode() for each in gone]
        answer = self._ask(commands, name)
        return self._told(answer, [b"STORED"])[1]

    def cas_then_get(self, write: Write, name: str) -> tuple[bool, bytes | None]:
        """Replace a version, and return what is under a name, in one round trip."""
        answer = self._ask([_conditional(write)], name)
        stored, found = self._told(answer, [b"STORED", b"EXISTS", b"NOT_FOUND"])
        return stored == b"STORED", found

    def forget(self, name: str) -> None:
        """Remove, without waiting for an answer."""
        self._run(Connection.delete, name, noreply=True)

    def delete_many(self, names: Iterable[str]) -> None:
        """Remove what is there, in one round trip."""
        self._run(Connection.delete_many, list(names), noreply=False)

    def _connection(self) -> Connection:
        reach, deadline = self.reach, self.reach.deadline or None
        return _Connection(
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

    def _ask(self, commands: list[bytes], name: str) -> bytes:
        # Nothing in the answer is a user's, so that it ends where it seems to.
        commands.append(b"get %b\r\n" % name.encode())
        return self._run(_Connection.ask, b"".join(commands))

    def _told(
        self, answer: bytes, expected: Collection[bytes]
    ) -> tuple[bytes, bytes | None]:
        lines, _, value = answer.removesuffix(_END).partition(b"VALUE ")
        for line in lines.splitlines():
            if line not in expected:
                raise self.refuse(line.decode("utf-8", "replace"))
        found = value.partition(b"\r\n")[2].removesuffix(b"\r\n") if value else None
        return lines.partition(b"\r\n")[0], found


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
