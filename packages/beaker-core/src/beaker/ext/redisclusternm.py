"""The Redis Cluster store, under the import path of Beaker 1.x."""

from __future__ import annotations

from beaker.exceptions import MissingBackendError

try:
    from beaker_redis import RedisClusterNamespaceManager, RedisClusterSynchronizer
except ModuleNotFoundError as e:
    if e.name != "beaker_redis":
        raise
    raise MissingBackendError("beaker.ext.redisclusternm", "beaker-redis") from None

__all__ = ["RedisClusterNamespaceManager", "RedisClusterSynchronizer"]
