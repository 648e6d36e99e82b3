"""What the store asks of a client library: a few commands to one server."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, ClassVar, NamedTuple

from beaker.exceptions import InvalidOptionError, StoreRefusedError

__all__ = ["TEXT", "Client", "Login", "Reach", "Seen", "Write", "refused"]

#: The flag of text, to all libraries that 1.x could use.
TEXT = 16

#: What was found: bytes and the version that `cas` takes, by name.
Seen = Mapping[str, tuple[bytes, Any]]

#: What the server or its client says, in lower case, and what helps.
_REMEDIES = (
    ("too large", "store less, or start memcached with a larger item limit (-I)"),
    ("toobig", "store less, or start memcached with a larger item limit (-I)"),
    ("out of memory", "start memcached with more memory (-m)"),
    ("too many open connections", "start memcached with a higher limit of them (-c)"),
    ("auth", "check the options 'username' and 'password'"),
    ("credentials", "check the options 'username' and 'password'"),
    ("certificate", "check the option 'tls_ca'"),
)
_OTHERWISE = "check that the option 'url' leads to a memcached"


class Login(NamedTuple):
    """A user and his password."""

    username: str
    password: str


class Reach(NamedTuple):
    """Where a server is, and how to come in.

    Attributes:
        host: Its name or address, or the path of its UNIX socket.
        port: Its port; 0 for a UNIX socket.
        deadline: Seconds that an answer may take; 0: as long as it likes.
        login: With which to log in; None: there is no need to.
        tls: Whether the connection is encrypted.
        tls_ca: File of the certificates to trust; None: those of the system.
        place: The store's name and where the server is, for errors.
    """

    host: str
    port: int
    deadline: float = 0.2
    login: Login | None = None
    tls: bool = False
    tls_ca: str | None = None
    place: str = "ext:memcached"

    @property
    def address(self) -> str:
        """Where it is, as libraries take it."""
        host = f"[{self.host}]" if ":" in self.host else self.host
        return f"{host}:{self.port}" if self.port else host

    def tls_context(self) -> Any:
        """Return what verifies the server's certificate; None without TLS."""
        if not self.tls:
            return None
        import ssl

        return ssl.create_default_context(cafile=self.tls_ca)


class Write(NamedTuple):
    """Something to be written on a condition; the outcome is looked up later.

    Attributes:
        name: The name.
        data: The bytes.
        expires: As memcached takes it.
        version: What `gets_many` told of what is to be replaced; None: only if there is none.
    """

    name: str
    data: bytes
    expires: int
    version: Any = None


class Client(ABC):
    """One server, reached through one library; for all threads of one process.

    Names are text as memcached takes it, and expiries numbers as it takes them. What
    is stored is bytes, whatever wrote it, and is never unpickled; text is ASCII, stored
    with the flag that tells libraries so, and returned as bytes.

    That the server is away, or too slow, is an OSError; that it refuses is a
    `StoreRefusedError`. Nothing is tried twice.

    Args:
        reach: Where the server is.

    Raises:
        InvalidOptionError: The library cannot do what is asked for.
    """

    #: What the library can do.
    can_log_in: ClassVar[bool] = False
    can_encrypt: ClassVar[bool] = False

    def __init__(self, reach: Reach) -> None:
        self.reach = reach
        others = "another 'memcache_module': this one cannot"
        if reach.login and not self.can_log_in:
            raise InvalidOptionError("username", reach.login.username, others)
        if reach.tls and not self.can_encrypt:
            raise InvalidOptionError("tls", value=True, takes=others)

    @abstractmethod
    def get_many(self, names: Sequence[str]) -> dict[str, bytes]:
        """Return what is there."""

    @abstractmethod
    def gets_many(self, names: Sequence[str]) -> dict[str, tuple[bytes, Any]]:
        """Return what is there, each with its version."""

    @abstractmethod
    def set(self, name: str, data: bytes | str, expires: int) -> None:
        """Store."""

    @abstractmethod
    def add(self, name: str, data: bytes | str, expires: int) -> bool:
        """Store if there is nothing, and return whether there was not."""

    @abstractmethod
    def cas(self, name: str, data: bytes | str, expires: int, version: Any) -> bool:
        """Store if the version is still this one, and return whether it was."""

    @abstractmethod
    def delete(self, name: str) -> bool:
        """Remove, and return whether it was there, as far as the library tells."""

    @abstractmethod
    def touch(self, name: str, expires: int) -> bool:
        """Change the expiry, and return whether it was there."""

    @abstractmethod
    def close(self) -> None:
        """Close all connections."""

    # What a library may do in fewer round trips than these.

    def look_after(self, writes: Iterable[Write], names: Sequence[str]) -> Seen:
        """Return what is there after these writes, whatever became of them."""
        for name, data, expires, version in writes:
            if version is None:
                self.add(name, data, expires)
            else:
                self.cas(name, data, expires, version)
        return self.gets_many(names)

    def set_many_then_get(
        self, records: Mapping[str, bytes], expires: int, gone: Sequence[str], name: str
    ) -> bytes | None:
        """Store, delete what is to be gone, and return what is then under a name."""
        for record, data in records.items():
            self.set(record, data, expires)
        self.delete_many(gone)
        return self.get_many([name]).get(name)

    def cas_then_get(
        self, writes: Iterable[Write], name: str
    ) -> tuple[list[bool], bytes | None]:
        """Return whether each version was replaced, and what is then under a name."""
        replaced = [self.cas(*write) for write in writes]
        return replaced, self.get_many([name]).get(name)

    def forget(self, name: str) -> None:
        """Remove, without asking whether it was there."""
        self.delete(name)

    def delete_many(self, names: Iterable[str]) -> None:
        """Remove what is there."""
        for name in names:
            self.delete(name)

    def refuse(self, cause: object) -> StoreRefusedError:
        """Return the error that says what this server refuses, and what helps."""
        return refused(self.reach.place, cause)


def refused(place: str, cause: object) -> StoreRefusedError:
    """Return the error that says what a store refuses, and what helps."""
    said = str(cause) or type(cause).__name__
    remedies = (remedy for words, remedy in _REMEDIES if words in said.lower())
    return StoreRefusedError(place, said, next(remedies, _OTHERWISE))
