"""What caches and sessions promise, on MongoDB."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from beaker.testing import (
    MongoServer,
    OutageSuite,
    RegionSuite,
    SessionSuite,
    Stoppable,
    StoreSuite,
)
from tests.mongodb.conftest import Raw


class OnMongo(StoreSuite):
    @pytest.fixture
    def options(self, mongodb_url: str) -> dict[str, Any]:
        # On two cores, 64 threads that connect at once take longer than an outage.
        return {"type": "ext:mongodb", "url": mongodb_url, "store_timeout": 5}

    @pytest.fixture
    def stoppable(self, mongodb_server: MongoServer) -> Stoppable:
        options = {"type": "ext:mongodb", "url": mongodb_server.url, "store_timeout": 1}
        return options, mongodb_server


class TestCaches(OnMongo, RegionSuite):
    pass


class TestOutages(OnMongo, OutageSuite):
    pass


class TestSessions(OnMongo, SessionSuite):
    @pytest.fixture
    def footprint(self, raw: Raw) -> Callable[[], int]:
        return lambda: sum(
            raw[one].count_documents({}) for one in raw.list_collection_names()
        )
