from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from beaker_redis import RedisClusterNamespaceManager, RedisNamespaceManager
from tests.redis.contract import Open, StoreContract


class TestRedis(StoreContract):
    pass


class TestRedisCluster(StoreContract):
    @pytest.fixture
    def open_namespace(self, redis_cluster_url: str, prefix: str) -> Open:
        def opened(name: str, **options: Any) -> RedisClusterNamespaceManager:
            return RedisClusterNamespaceManager(
                name, redis_cluster_url, prefix=prefix, **options
            )

        return opened
