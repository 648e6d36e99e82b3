"""Tells a server that is away from one that refuses, and says what helps."""

from __future__ import annotations

import ssl

import redis
from redis import exceptions as said

from beaker.exceptions import StoreRefusedError

__all__ = ["AWAY", "is_busy", "refusal"]

#: What means that a server is away, or too slow, or no longer the primary.
AWAY: tuple[type[BaseException], ...] = (
    redis.ConnectionError,
    redis.TimeoutError,
    redis.ReadOnlyError,
    said.ClusterError,
    said.TryAgainError,
    said.RedisClusterException,
    OSError,
)

# Others of this process use all connections: the server is as well as before.
_BUSY = (
    (said.MaxConnectionsError, ""),
    # Before redis-py 7 it had no class of its own.
    (redis.ConnectionError, "too many connections"),
    (redis.ConnectionError, "no connection available"),
)

_MORE = "allow more with max_connections, in the option 'url' or of the client"
_LOGIN = "check user and password in the option 'url'"
_ALLOW = "allow its user the commands and keys that the README of beaker-redis lists"
_DATABASE = "check the database number in the option 'url'"

#: The class of an error, words of its message, and what helps: the first that fits.
_REMEDIES: tuple[tuple[type[BaseException], str, str], ...] = (
    *((kind, words, _MORE) for kind, words in _BUSY),
    (said.AuthenticationError, "", _LOGIN),
    (said.NoPermissionError, "", _ALLOW),
    (said.ResponseError, "user executing the script can't", _ALLOW),
    (said.ResponseError, "db index", _DATABASE),
    (said.ResponseError, "select is not allowed", _DATABASE),
    (said.MovedError, "", "it is one of a cluster: use the type 'ext:rediscluster'"),
    (said.ResponseError, "cluster support disabled", "use the type 'ext:redis'"),
    (said.OutOfMemoryError, "", "raise its maxmemory, or choose a maxmemory-policy"),
    (said.InvalidResponse, "", "check host and port in the option 'url': not Redis"),
    (ssl.SSLCertVerificationError, "", "check ssl_ca_certs in the option 'url'"),
)


def is_busy(error: BaseException) -> bool:
    """Return whether an error says that all connections of this process are in use."""
    message = str(error).lower()
    return any(isinstance(error, kind) and words in message for kind, words in _BUSY)


def refusal(error: BaseException, store: str) -> StoreRefusedError | None:
    """Return what to raise in place of an error, if it is the server's refusal.

    Args:
        error: What the client raised.
        store: The store's name and place.
    """
    cause: BaseException | None = error
    while cause is not None:
        remedy = _remedy(cause)
        if remedy is not None:
            return StoreRefusedError(store, cause, remedy)
        cause = cause.__cause__ or cause.__context__
    return None


def _remedy(error: BaseException) -> str | None:
    message = str(error).lower()
    for kind, words, remedy in _REMEDIES:
        if isinstance(error, kind) and words in message:
            return remedy
    if isinstance(error, said.ResponseError) and not isinstance(
        error, (said.NoScriptError, *AWAY)
    ):
        return "see what the documentation of the server says of it"
    return None
