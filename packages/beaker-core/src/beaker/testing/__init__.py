"""The conformance kit: what the author of a plugin tests it with.

Needs the extra ``testing``: ``pip install 'beaker-core[testing]>=2'``.
"""

# ruff: noqa: E402 - what is imported before it is registered asserts without a word

from __future__ import annotations

import pytest

pytest.register_assert_rewrite(
    "beaker.testing._abilities",
    "beaker.testing._caches",
    "beaker.testing._ciphers",
    "beaker.testing._creation",
    "beaker.testing._expiry",
    "beaker.testing._fences",
    "beaker.testing._leases",
    "beaker.testing._locks",
    "beaker.testing._holders",
    "beaker.testing._invalidation",
    "beaker.testing._lifetimes",
    "beaker.testing._merging",
    "beaker.testing._names",
    "beaker.testing._observing",
    "beaker.testing._outages",
    "beaker.testing._processes",
    "beaker.testing._records",
    "beaker.testing._regions",
    "beaker.testing._sessionids",
    "beaker.testing._sessions",
    "beaker.testing._sharing",
    "beaker.testing._strangers",
    "beaker.testing._suite",
    "beaker.testing._trust",
    "beaker.testing._values",
)

from beaker.testing._abilities import Restart
from beaker.testing._ciphers import CipherSuite
from beaker.testing._google import DatastoreEmulator, datastore_emulator
from beaker.testing._leases import LeaseSuite
from beaker.testing._locks import OpenSynchronizer, SynchronizerSuite
from beaker.testing._mongo import MongoServer, mongo_server
from beaker.testing._namespace import NamespaceManagerSuite
from beaker.testing._outages import OutageSuite
from beaker.testing._redis import GuardedRedis, guarded_redis, redis_cluster
from beaker.testing._regions import RegionSuite
from beaker.testing._servers import KNOWN, Recipe, Server, server, wait_until
from beaker.testing._sessions import SessionSuite
from beaker.testing._sql import MariadbServer, PostgresServer, SqlServer, sql_server
from beaker.testing._suite import Opener, Stoppable, StoreSuite, Suite, needs

__all__ = [
    "KNOWN",
    "CipherSuite",
    "DatastoreEmulator",
    "GuardedRedis",
    "LeaseSuite",
    "MariadbServer",
    "MongoServer",
    "NamespaceManagerSuite",
    "OpenSynchronizer",
    "Opener",
    "OutageSuite",
    "PostgresServer",
    "Recipe",
    "RegionSuite",
    "Restart",
    "Server",
    "SessionSuite",
    "SqlServer",
    "Stoppable",
    "StoreSuite",
    "Suite",
    "SynchronizerSuite",
    "datastore_emulator",
    "guarded_redis",
    "mongo_server",
    "needs",
    "redis_cluster",
    "server",
    "sql_server",
    "wait_until",
]
