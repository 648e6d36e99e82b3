"""The conformance kit on Redis, on what takes its place, and by ways around it."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from beaker.testing import (
    KNOWN,
    GuardedRedis,
    LeaseSuite,
    NamespaceManagerSuite,
    Restart,
    Server,
    guarded_redis,
)

#: Seconds that a busy machine may take; what is about deadlines says so.
PATIENT = 5


class TestRedis(NamespaceManagerSuite, LeaseSuite):
    @pytest.fixture
    def options(self, redis_url: str) -> dict[str, Any]:
        return {"type": "ext:redis", "url": redis_url, "store_timeout": PATIENT}

    @pytest.fixture
    def restart(self, tmp_path: Path) -> Iterator[Restart]:
        # As durable as its administrator makes it.
        durable = ("--appendonly", "yes", "--appendfsync", "always")
        with Server(KNOWN["redis"], tmp_path / "redis", *durable) as server:
            options = {"type": "ext:redis", "url": server.url, "store_timeout": PATIENT}
            yield options, server.restart


class TestSentinel(NamespaceManagerSuite, LeaseSuite):
    @pytest.fixture(scope="class")
    @classmethod
    def redis_sentinels(
        cls, tmp_path_factory: pytest.TempPathFactory
    ) -> Iterator[GuardedRedis]:
        with guarded_redis(tmp_path_factory.mktemp("sentinel")) as pair:
            yield pair

    @pytest.fixture
    def options(self, redis_sentinels: GuardedRedis) -> dict[str, Any]:
        url = redis_sentinels.url
        return {"type": "ext:redis", "url": url, "store_timeout": PATIENT}


class TestRedisCluster(NamespaceManagerSuite, LeaseSuite):
    @pytest.fixture
    def options(self, redis_cluster_url: str) -> dict[str, Any]:
        url = redis_cluster_url
        return {"type": "ext:rediscluster", "url": url, "store_timeout": PATIENT}


class TestValkey(NamespaceManagerSuite, LeaseSuite):
    @pytest.fixture
    def options(self, redis_valkey_url: str) -> dict[str, Any]:
        return {"type": "ext:redis", "url": redis_valkey_url, "store_timeout": PATIENT}
