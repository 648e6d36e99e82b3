"""What every store promises, on Google's emulator."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from beaker.testing import (
    DatastoreEmulator,
    LeaseSuite,
    NamespaceManagerSuite,
    Restart,
)
from tests.google.conftest import PATIENT


class TestGoogle(NamespaceManagerSuite, LeaseSuite):
    @pytest.fixture
    def options(self, google_url: str) -> dict[str, Any]:
        return {"type": "ext:google", "url": google_url, "store_timeout": PATIENT}

    @pytest.fixture
    def restart(self, google_url: str, tmp_path: Path) -> Iterator[Restart]:
        del google_url  # Where it skips, so does this.
        with DatastoreEmulator(tmp_path / "disk", "--store_on_disk=True") as emulator:

            def again() -> None:
                emulator.stop()
                emulator.start()

            yield (
                {"type": "ext:google", "url": emulator.url, "store_timeout": 10},
                again,
            )
