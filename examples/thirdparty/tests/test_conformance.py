from __future__ import annotations

from pathlib import Path

import pytest

from beaker.testing import LeaseSuite, NamespaceManagerSuite, RegionSuite, SessionSuite


class OnDiskCache:
    @pytest.fixture
    def options(self, tmp_path: Path) -> dict[str, str]:
        return {"type": "diskcache", "data_dir": str(tmp_path)}


class TestStore(OnDiskCache, NamespaceManagerSuite, LeaseSuite): ...


class TestCaches(OnDiskCache, RegionSuite): ...


class TestSessions(OnDiskCache, SessionSuite): ...
