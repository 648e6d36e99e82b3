"""What caches and sessions promise, on Redis."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from redis import Redis

from beaker.testing import (
    OutageSuite,
    RegionSuite,
    Server,
    SessionSuite,
    Stoppable,
    StoreSuite,
)

Options = dict[str, Any]

#: On two cores, 64 threads that connect at once take longer than an outage.
PATIENT = {"store_timeout": 5}


class OnRedis(StoreSuite):
    @pytest.fixture
    def options(self, redis_url: str) -> Options:
        return {"type": "ext:redis", "url": redis_url, **PATIENT}

    @pytest.fixture
    def stoppable(self, redis_server: Server) -> Stoppable:
        options = {"type": "ext:redis", "url": redis_server.url, "store_timeout": 1}
        return options, redis_server


class InACluster(StoreSuite):
    @pytest.fixture
    def options(self, redis_cluster_url: str) -> Options:
        return {"type": "ext:rediscluster", "url": redis_cluster_url, **PATIENT}


class TestCaches(OnRedis, RegionSuite):
    pass


class TestOutages(OnRedis, OutageSuite):
    pass


class TestSessions(OnRedis, SessionSuite):
    @pytest.fixture
    def footprint(self, raw: Redis, own_options: Options) -> Callable[[], int]:
        return lambda: sum(1 for _ in raw.scan_iter(f"{own_options['prefix']}*"))


class TestCachesInACluster(InACluster, RegionSuite):
    pass


class TestSessionsInACluster(InACluster, SessionSuite):
    pass
