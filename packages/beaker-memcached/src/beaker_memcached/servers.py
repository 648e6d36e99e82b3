"""The servers that a URL names, and which of them keeps a record."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Iterator
from functools import partial
from urllib.parse import urlsplit

from beaker.container import PerProcess, StoreOptions, shared_client
from beaker.exceptions import InvalidOptionError, MissingCacheParameter
from beaker_memcached.clients import Client, Login, Reach, open_client

__all__ = ["Servers"]

_PORT = 11211

_TAKES = "host:port, [address]:port or unix:/path, several with semicolons between them"


class Servers:
    """One server, or several among which records are spread.

    Each record is on the server that scores highest for its name. So one that is
    added or removed moves no records but its own, and one that is away makes no other
    take its place: what that one kept would be old when the first came back.

    Args:
        settings: What the store was told; `own` may have memcache_module, username,
            password, tls, tls_ca.

    Raises:
        MissingCacheParameter: There is no URL.
        InvalidOptionError: It is none.
    """

    __slots__ = ("_clients", "place", "reaches")

    def __init__(self, settings: StoreOptions) -> None:
        if settings.url is None or settings.url == "":
            raise MissingCacheParameter(
                "ext:memcached needs the option 'url', such as 127.0.0.1:11211"
            )
        if not isinstance(settings.url, str) or not settings.url.strip("; "):
            raise InvalidOptionError("url", settings.url, _TAKES, "ext:memcached")
        hosts = [one.strip() for one in settings.url.split(";") if one.strip()]
        self.place = f"ext:memcached at {';'.join(hosts)}"
        module: str = settings.own.get("memcache_module") or "auto"
        self.reaches = [_reach(host, settings) for host in hosts]
        # Looked up once per process, for every hit needs one.
        self._clients = PerProcess(partial(_clients, module, self.reaches))

    def __iter__(self) -> Iterator[Client]:
        return iter(self._clients())

    def __getitem__(self, number: int) -> Client:
        """Return this process's client of a server."""
        return self._clients()[number]

    def number_for(self, name: str) -> int:
        """Return which server keeps what has this name."""
        if len(self.reaches) == 1:
            return 0
        scores = [_score(one.address, name) for one in self.reaches]
        return scores.index(max(scores))


def _clients(module: str, reaches: Iterable[Reach]) -> list[Client]:
    return [_client(module, reach) for reach in reaches]


def _client(module: str, reach: Reach) -> Client:
    key = ("ext:memcached", module, reach)
    return shared_client(key, lambda: open_client(module, reach), _close)


def _close(client: Client) -> None:
    client.close()


def _reach(host: str, settings: StoreOptions) -> Reach:
    own = settings.own
    username, password = own.get("username"), own.get("password")
    login = Login(username, password) if username and password else None
    if (username or password) and login is None:
        raise InvalidOptionError("username", username, "a name, with a 'password'")
    name, port = _address(host)
    return Reach(
        name,
        port,
        settings.deadline,
        login,
        bool(own.get("tls")),
        own.get("tls_ca"),
        f"ext:memcached at {host}",
    )


def _address(host: str) -> tuple[str, int]:
    path = host.removeprefix("unix:")
    if path.startswith("/"):
        return path, 0
    try:
        parts = urlsplit(f"//{host}")
        if parts.hostname and not (parts.path or parts.query or parts.username):
            return parts.hostname, parts.port or _PORT
    except ValueError:
        pass
    # There may be a password in it, as other stores take it.
    shown = f"...@{host.rpartition('@')[2]}" if "@" in host else host
    raise InvalidOptionError("url", shown, _TAKES, "ext:memcached") from None


def _score(address: str, name: str) -> bytes:
    return hashlib.blake2b(f"{address} {name}".encode(), digest_size=8).digest()
