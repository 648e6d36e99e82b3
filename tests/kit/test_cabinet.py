"""The store that the mutants are made of passes all that is asked of them."""

from __future__ import annotations

from pathlib import Path

import pytest

from beaker.testing import LeaseSuite, NamespaceManagerSuite
from tests.kit.cabinet import Cabinet


class TestCabinet(NamespaceManagerSuite, LeaseSuite):
    @pytest.fixture
    def options(self, tmp_path: Path) -> dict[str, object]:
        return {"type": Cabinet, "data_dir": str(tmp_path / "data")}
