"""The conformance kit on a MongoDB that stands alone, and on a replica set."""

from __future__ import annotations

from typing import Any

import pytest

from beaker.testing import (
    LeaseSuite,
    MongoServer,
    NamespaceManagerSuite,
    OpenSynchronizer,
    Restart,
    SynchronizerSuite,
)
from beaker_mongodb.synchronizer import MongoSynchronizer

#: Seconds that a busy machine may take; what is about deadlines says so.
PATIENT = 5


class TestMongo(NamespaceManagerSuite, LeaseSuite):
    @pytest.fixture
    def options(self, mongodb_url: str) -> dict[str, Any]:
        return {"type": "ext:mongodb", "url": mongodb_url, "store_timeout": PATIENT}

    @pytest.fixture
    def restart(self, mongodb_server: MongoServer) -> Restart:
        url = mongodb_server.url
        options = {"type": "ext:mongodb", "url": url, "store_timeout": PATIENT}
        return options, mongodb_server.restart


class TestReplicaSet(NamespaceManagerSuite, LeaseSuite):
    @pytest.fixture
    def options(self, mongodb_replica_url: str) -> dict[str, Any]:
        url = mongodb_replica_url
        return {"type": "ext:mongodb", "url": url, "store_timeout": PATIENT}


class TestSynchronizer(SynchronizerSuite):
    @pytest.fixture
    def open_synchronizer(self, mongodb_url: str, prefix: str) -> OpenSynchronizer:
        return lambda name: MongoSynchronizer(f"{prefix}{name}", mongodb_url)
