"""A URL for Redis under Sentinel, which redis-py has none for."""

from __future__ import annotations

from typing import Any
from urllib.parse import urlsplit

from redis import Redis
from redis.connection import parse_url
from redis.sentinel import Sentinel

__all__ = ["SentinelUrl"]

SENTINEL_PORT = 26379


class SentinelUrl:
    """``redis+sentinel://user:password@host:port,host:port/name/db?option=value``.

    User and password are those of the Redis servers; where the sentinels ask for some
    too, the query gives them as ``sentinel_username`` and ``sentinel_password``. With
    ``rediss`` in place of ``redis``, all connections are by TLS.

    Attributes:
        sentinels: Host and port of each sentinel.
        name: What the sentinels call the servers.

    Raises:
        ValueError: This is not such a URL.
    """

    def __init__(self, url: str) -> None:
        parts = urlsplit(url)
        login, at, hosts = parts.netloc.rpartition("@")
        self.sentinels = [_address(host) for host in hosts.split(",")]
        self.name, _, database = parts.path.strip("/").partition("/")
        if parts.scheme not in {"redis+sentinel", "rediss+sentinel"} or not self.name:
            raise ValueError(url)
        # redis-py takes database 0 where this is no number.
        int(database or 0)
        # What else it says is said as in the URL of one server: redis-py reads it.
        plain = f"redis://{login}{at}-/{database}?{parts.query}"
        self._given = parse_url(plain)  # type: ignore[no-untyped-call]  # redis-py has no types for it
        del self._given["host"]
        if parts.scheme == "rediss+sentinel":
            self._given["ssl"] = True

    def connect(self, settings: dict[str, Any]) -> Redis:
        """Return a client of the present primary; it connects when first used.

        Args:
            settings: What both connections take, to sentinels and to servers.
        """
        given = dict(self._given)
        login = {
            name.removeprefix("sentinel_"): given.pop(name)
            for name in ("sentinel_username", "sentinel_password")
            if name in given
        }
        shared = {
            name: value
            for name, value in given.items()
            if name.startswith(("ssl", "socket_"))
        }
        watchers = Sentinel(  # type: ignore[no-untyped-call]  # redis-py has no types for it
            self.sentinels, sentinel_kwargs={**settings, **shared, **login}
        )
        client: Redis = watchers.master_for(  # type: ignore[no-untyped-call]  # redis-py has no types for it
            self.name, **{**settings, **given}
        )
        return client


def _address(host: str) -> tuple[str, int]:
    parts = urlsplit(f"//{host}")
    if not parts.hostname:
        raise ValueError(host)
    return parts.hostname, parts.port or SENTINEL_PORT
