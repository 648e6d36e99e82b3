"""The conformance kit in each database, and on both ways to it."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
import sqlalchemy as sa

from beaker.testing import LeaseSuite, NamespaceManagerSuite
from beaker_sqla import make_cache_table
from tests.sqla.conftest import PATIENT


class TestDatabase(NamespaceManagerSuite, LeaseSuite):
    @pytest.fixture
    def options(self, url: str) -> dict[str, Any]:
        return {"type": "ext:database", "url": url, "store_timeout": PATIENT}


class TestEngineAndTable(NamespaceManagerSuite, LeaseSuite):
    @pytest.fixture
    def options(self, url: str) -> Iterator[dict[str, Any]]:
        engine = sa.create_engine(url)
        table = make_cache_table(sa.MetaData(), "beaker_given")
        yield {"type": "ext:sqla", "bind": engine, "table": table}
        engine.dispose()
