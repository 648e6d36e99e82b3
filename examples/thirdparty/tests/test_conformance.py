from __future__ import annotations

from pathlib import Path

import pytest

from beaker.testing import LeaseSuite, NamespaceManagerSuite, RegionSuite, SessionSuite


class TestDiskCache(NamespaceManagerSuite, LeaseSuite, RegionSuite, SessionSuite):
    @pytest.fixture
    def options(self, tmp_path: Path) -> dict[str, str]:
        return {"type": "diskcache", "data_dir": str(tmp_path)}
