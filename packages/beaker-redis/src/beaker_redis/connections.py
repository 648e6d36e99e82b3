"""From a URL to a client: one that keeps its deadline and leaves retrying to us."""

from __future__ import annotations

import re
from typing import Any
from urllib.parse import quote, urlsplit

from redis import BlockingConnectionPool, Redis, RedisCluster
from redis.backoff import NoBackoff
from redis.cluster import ClusterNode
from redis.connection import parse_url
from redis.exceptions import RedisError
from redis.retry import Retry

from beaker.exceptions import InvalidOptionError
from beaker_redis.exchange import UNLIMITED
from beaker_redis.sentinel import SentinelUrl

__all__ = ["connect", "connect_cluster", "with_login", "without_password"]

#: Seconds to wait for a connection, at least, where the URL limits their number.
PATIENCE = 5.0

#: Valkey speaks the same protocol, and its URLs differ in their first word only.
_ALIASES = {"valkey": "redis", "valkeys": "rediss"}

_TAKES = (
    "redis://host:port/db, rediss:// (TLS), unix:///path, "
    "redis+sentinel://host:port,host:port/name/db, or valkey for redis in these"
)
_TAKES_NODES = "redis://host:port of one or more nodes, with commas between them"

_BETWEEN_URLS = re.compile(r",\s*(?=[a-z+]+://)")


def connect(url: str, deadline: float) -> Redis:
    """Return a client of one server, or of the primary that sentinels name.

    It connects when it is first used. What the URL says in its query wins.

    Args:
        url: As the option takes it.
        deadline: Seconds that the server may take to answer; 0: as long as it likes.

    Raises:
        InvalidOptionError: This is no URL of Redis.
    """
    url = _canonical(url)
    try:
        if "+sentinel://" in url:
            client = SentinelUrl(url).connect(_settings(deadline))
        else:
            client = _client(_numbered(url), _settings(deadline))
        _try_arguments(client)
    except ValueError:
        # What it quotes may be a piece of a password that was not percent-encoded.
        raise InvalidOptionError(
            "url", without_password(url), _TAKES, "ext:redis"
        ) from None
    except (TypeError, RedisError) as e:
        takes = f"arguments after its question mark that redis-py knows: {e}"
        raise InvalidOptionError(
            "url", without_password(url), takes, "ext:redis"
        ) from e
    return client


def connect_cluster(urls: str, deadline: float) -> RedisCluster:
    """Return a client of a cluster, which is asked for its nodes at once.

    Args:
        urls: The URLs of some nodes, with commas between them. What the first says
            beside host and port counts for all.
        deadline: Seconds that a node may take to answer; 0: as long as it likes.

    Raises:
        InvalidOptionError: These are no URLs of nodes.
    """
    try:
        nodes = [_node(url) for url in _BETWEEN_URLS.split(urls)]
        startup = [ClusterNode(*address) for address, _ in nodes]  # type: ignore[no-untyped-call]  # redis-py has no types for it
    except (KeyError, ValueError):
        raise InvalidOptionError(
            "url", without_password(urls), _TAKES_NODES, "ext:rediscluster"
        ) from None
    # One more attempt: where a node has failed, the others are asked who follows it.
    settings = {**_settings(deadline), "retry": Retry(NoBackoff(), 1)}
    given = nodes[0][1]
    if given.pop("db", 0):
        takes = f"{_TAKES_NODES}, without a database"
        raise InvalidOptionError(
            "url", without_password(urls), takes, "ext:rediscluster"
        )
    return RedisCluster(startup_nodes=startup, **{**settings, **given})


def with_login(urls: str, username: str | None, password: str | None) -> str:
    """Return the URLs of nodes with this login, if there is one, in the first."""
    if not username and not password:
        return urls
    scheme, found, rest = urls.partition("://")
    first, comma, others = rest.partition(",")
    login = f"{quote(username or '', safe='')}:{quote(password or '', safe='')}"
    return f"{scheme}{found}{login}@{first.rpartition('@')[2]}{comma}{others}"


def without_password(url: str) -> str:
    """Return a URL, or several, without user, password and query."""
    return ",".join(_bare(one) for one in _BETWEEN_URLS.split(url))


def _bare(url: str) -> str:
    parts = urlsplit(url)
    if "://" not in url and "@" not in url:
        return url
    if "@" in url and "@" not in parts.netloc:
        # Something in the password was not percent-encoded: it may be anywhere.
        return f"{parts.scheme}://..."
    return f"{parts.scheme}://{parts.netloc.rpartition('@')[2]}{parts.path}"


def _node(url: str) -> tuple[tuple[str, int], dict[str, Any]]:
    given = parse_url(_canonical(url))  # type: ignore[no-untyped-call]  # redis-py has no types for it
    given["ssl"] = given.pop("connection_class", None) is not None
    return (given.pop("host"), given.pop("port", 6379)), given


def _canonical(url: str) -> str:
    scheme, found, rest = url.partition("://")
    word, plus, sentinel = scheme.partition("+")
    return f"{_ALIASES.get(word, word)}{plus}{sentinel}{found}{rest}"


def _numbered(url: str) -> str:
    # redis-py takes database 0 where the path is no number.
    parts = urlsplit(url)
    if parts.scheme in _ALIASES.values():
        int(parts.path.strip("/") or 0)
    return url


def _settings(deadline: float) -> dict[str, Any]:
    return {
        "socket_timeout": deadline or None,
        "socket_connect_timeout": deadline or None,
        # The deadline is for the operation, not for each of several attempts.
        "retry": Retry(NoBackoff(), 0),
        "health_check_interval": 0,
        # As before redis-py 8.
        "max_connections": UNLIMITED,
        # The connection is then set up in fewer round trips, and one on which an
        # answer is left over is not used again.
        "protocol": 2,
    }


def _client(url: str, settings: dict[str, Any]) -> Redis:
    if "max_connections" not in parse_url(url):  # type: ignore[no-untyped-call]  # redis-py has no types for it
        return Redis.from_url(url, **settings)
    # Who finds none free waits: that others of this process are busy is no outage.
    patience = max(settings["socket_timeout"] or 0, PATIENCE)
    return Redis.from_pool(
        BlockingConnectionPool.from_url(url, timeout=patience, **settings)
    )


def _try_arguments(client: Redis) -> None:
    # A misspelt word in the query would else be told by the first request only.
    pool = client.connection_pool
    pool.connection_class(**pool.connection_kwargs)
