"""The conformance kit: what the author of a plugin tests it with.

Needs the extra ``testing``: ``pip install 'beaker-core[testing]>=2'``.
"""

from __future__ import annotations

from beaker.testing._redis import GuardedRedis, guarded_redis, redis_cluster
from beaker.testing._servers import KNOWN, Recipe, Server, server, wait_until

__all__ = [
    "KNOWN",
    "GuardedRedis",
    "Recipe",
    "Server",
    "guarded_redis",
    "redis_cluster",
    "server",
    "wait_until",
]
