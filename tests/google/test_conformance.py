"""What every store promises, on Google's emulator."""

from __future__ import annotations

from typing import Any

import pytest

from beaker.testing import LeaseSuite, NamespaceManagerSuite
from tests.google.conftest import PATIENT


class TestGoogle(NamespaceManagerSuite, LeaseSuite):
    # There is no fixture `restart`: the emulator keeps its entities in memory.
    @pytest.fixture
    def options(self, google_url: str) -> dict[str, Any]:
        return {"type": "ext:google", "url": google_url, "store_timeout": PATIENT}
