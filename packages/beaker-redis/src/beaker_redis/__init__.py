"""Beaker's caches and sessions in Redis, Valkey or a Redis Cluster."""

from __future__ import annotations

from beaker_redis.leases import RedisClusterSynchronizer, RedisSynchronizer
from beaker_redis.namespace import (
    RedisClusterNamespaceManager,
    RedisNamespaceManager,
)

__all__ = [
    "RedisClusterNamespaceManager",
    "RedisClusterSynchronizer",
    "RedisNamespaceManager",
    "RedisSynchronizer",
    "__version__",
]

__version__ = "2.0.0"
