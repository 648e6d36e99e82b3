"""The conformance kit on the stores that come with the core."""

from __future__ import annotations

from pathlib import Path

import pytest

from beaker.synchronization import file_synchronizer, mutex_synchronizer
from beaker.testing import (
    LeaseSuite,
    NamespaceManagerSuite,
    OpenSynchronizer,
    SynchronizerSuite,
)

#: Seconds that a busy machine may take; what is about deadlines says so.
PATIENT = 10


class TestMemory(NamespaceManagerSuite, LeaseSuite):
    @pytest.fixture
    def options(self) -> dict[str, object]:
        return {"type": "memory"}


class OnDisk(NamespaceManagerSuite, LeaseSuite):
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


class TestMutexSynchronizer(SynchronizerSuite):
    shared_between_processes = False

    @pytest.fixture
    def open_synchronizer(self, tmp_path: Path) -> OpenSynchronizer:
        return lambda name: mutex_synchronizer((str(tmp_path), name))


class TestFileSynchronizer(SynchronizerSuite):
    @pytest.fixture
    def open_synchronizer(self, tmp_path: Path) -> OpenSynchronizer:
        return lambda name: file_synchronizer(name, lock_dir=str(tmp_path / "locks"))
