"""What caches and sessions promise, on Google's emulator."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from google.cloud import datastore

from beaker.testing import (
    DatastoreEmulator,
    Opener,
    OutageSuite,
    RegionSuite,
    SessionSuite,
    Stoppable,
    StoreSuite,
)
from tests.google.conftest import PATIENT


class OnGoogle(StoreSuite):
    @pytest.fixture
    def options(self, google_url: str, prefix: str) -> dict[str, Any]:
        return {
            "type": "ext:google",
            "url": google_url,
            "table_name": f"kind of {prefix}",
            "store_timeout": PATIENT,
        }

    @pytest.fixture
    def stoppable(self, google_emulator: DatastoreEmulator) -> Stoppable:
        options = {"type": "ext:google", "url": google_emulator.url}
        # A Java that has just begun takes its time, which is no outage.
        warm = Opener({**options, "store_timeout": PATIENT})()
        warm.replace("key", None, b"data", 60)
        warm.drop()
        return {**options, "store_timeout": 2}, google_emulator


class TestCaches(OnGoogle, RegionSuite):
    pass


class TestOutages(OnGoogle, OutageSuite):
    pass


class TestSessions(OnGoogle, SessionSuite):
    @pytest.fixture
    def footprint(
        self, client: datastore.Client, options: dict[str, Any]
    ) -> Callable[[], int]:
        def count() -> int:
            query = client.query(kind=options["table_name"])
            query.keys_only()
            return len(list(query.fetch()))

        return count
