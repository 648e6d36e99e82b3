"""What caches and sessions promise, on the stores of this machine."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from beaker.testing import RegionSuite, SessionSuite, StoreSuite


class OnThisMachine(StoreSuite):
    @pytest.fixture(params=["memory", "file", "dbm", "sqlite"])
    def options(self, request: pytest.FixtureRequest, tmp_path: Path) -> dict[str, Any]:
        if request.param == "memory":
            return {"type": "memory"}
        # On two cores, 64 threads that begin at once take longer than an outage.
        place = {"data_dir": str(tmp_path / "data"), "store_timeout": 5}
        return {"type": request.param, **place}


class TestCaches(OnThisMachine, RegionSuite):
    pass


class TestSessions(OnThisMachine, SessionSuite):
    @pytest.fixture
    def footprint(self, tmp_path: Path) -> Callable[[], int]:
        return lambda: sum(1 for _ in tmp_path.rglob("*"))
