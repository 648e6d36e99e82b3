"""The conformance kit on the stores that come with the core."""

from __future__ import annotations

from pathlib import Path

import pytest

from beaker.testing import NamespaceManagerSuite

#: Seconds that a busy machine may take; what is about deadlines says so.
PATIENT = 10


class TestMemory(NamespaceManagerSuite):
    @pytest.fixture
    def options(self) -> dict[str, object]:
        return {"type": "memory"}


class OnDisk(NamespaceManagerSuite):
    kind: str

    @pytest.fixture
    def options(self, tmp_path: Path) -> dict[str, object]:
        data_dir = str(tmp_path / "data")
        return {"type": self.kind, "data_dir": data_dir, "store_timeout": PATIENT}


class TestFile(OnDisk):
    kind = "file"


class TestDbm(OnDisk):
    kind = "dbm"


class TestSqlite(OnDisk):
    kind = "sqlite"
