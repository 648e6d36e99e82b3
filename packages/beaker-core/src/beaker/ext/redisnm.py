"""The Redis store, under the import path of Beaker 1.x."""

from __future__ import annotations

from beaker.exceptions import MissingBackendError

try:
    from beaker_redis import RedisNamespaceManager, RedisSynchronizer
except ModuleNotFoundError as e:
    if e.name != "beaker_redis":
        raise
    raise MissingBackendError("beaker.ext.redisnm", "beaker-redis") from None

__all__ = ["RedisNamespaceManager", "RedisSynchronizer"]
