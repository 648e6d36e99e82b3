"""The conformance kit on Redis, on what takes its place, and by ways around it."""

from __future__ import annotations

from typing import Any

import pytest

from beaker.testing import LeaseSuite, NamespaceManagerSuite

#: Seconds that a busy machine may take; what is about deadlines says so.
PATIENT = 5


class TestRedis(NamespaceManagerSuite, LeaseSuite):
    @pytest.fixture
    def options(self, redis_url: str) -> dict[str, Any]:
        return {"type": "ext:redis", "url": redis_url, "store_timeout": PATIENT}


class TestRedisCluster(NamespaceManagerSuite, LeaseSuite):
    @pytest.fixture
    def options(self, redis_cluster_url: str) -> dict[str, Any]:
        url = redis_cluster_url
        return {"type": "ext:rediscluster", "url": url, "store_timeout": PATIENT}


class TestValkey(NamespaceManagerSuite, LeaseSuite):
    @pytest.fixture
    def options(self, redis_valkey_url: str) -> dict[str, Any]:
        return {"type": "ext:redis", "url": redis_valkey_url, "store_timeout": PATIENT}
