"""The stores that these tests break into."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.stores.contents import Raw
from tests.stores.kinds import STORES, opened

#: Those whose records are bytes of which each can be damaged alone.
DAMAGED = ["file", "sqlite", pytest.param("redis", marks=pytest.mark.redis)]


@pytest.fixture(params=STORES)
def raw(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Raw]:
    """Each store in turn, empty."""
    found = opened(request.param, tmp_path, request.getfixturevalue)
    yield found
    found.close()


@pytest.fixture(params=DAMAGED)
def damaged(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Raw]:
    """Each store whose records are to be damaged, empty."""
    found = opened(request.param, tmp_path, request.getfixturevalue)
    yield found
    found.close()
