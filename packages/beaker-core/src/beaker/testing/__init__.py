"""The conformance kit: what the author of a plugin tests it with.

Needs the extra ``testing``: ``pip install 'beaker-core[testing]>=2'``.
"""

from __future__ import annotations

from beaker.testing._mongo import MongoServer, mongo_server
from beaker.testing._redis import GuardedRedis, guarded_redis, redis_cluster
from beaker.testing._servers import KNOWN, Recipe, Server, server, wait_until
from beaker.testing._sql import MariadbServer, PostgresServer, SqlServer, sql_server

__all__ = [
    "KNOWN",
    "GuardedRedis",
    "MariadbServer",
    "MongoServer",
    "PostgresServer",
    "Recipe",
    "Server",
    "SqlServer",
    "guarded_redis",
    "mongo_server",
    "redis_cluster",
    "server",
    "sql_server",
    "wait_until",
]
