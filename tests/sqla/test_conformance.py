"""The conformance kit in each database, and on both ways to it."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa

from beaker.testing import (
    LeaseSuite,
    MariadbServer,
    NamespaceManagerSuite,
    PostgresServer,
    Restart,
    SqlServer,
)
from beaker_sqla import make_cache_table
from tests.sqla.conftest import PATIENT


class TestDatabase(NamespaceManagerSuite, LeaseSuite):
    @pytest.fixture
    def options(self, url: str) -> dict[str, Any]:
        return {"type": "ext:database", "url": url, "store_timeout": PATIENT}

    @pytest.fixture
    def restart(self, kind: str, tmp_path: Path) -> Iterator[Restart]:
        if kind == "sqlite":
            pytest.skip("a file has no server to restart")
        servers: dict[str, type[SqlServer]] = {
            "mariadb": MariadbServer,
            "postgres": PostgresServer,
        }
        with servers[kind](tmp_path / kind) as server:
            options = {"type": "ext:database", "url": server.url}
            yield {**options, "store_timeout": PATIENT}, server.restart


class TestEngineAndTable(NamespaceManagerSuite, LeaseSuite):
    @pytest.fixture
    def options(self, url: str) -> Iterator[dict[str, Any]]:
        engine = sa.create_engine(url)
        table = make_cache_table(sa.MetaData(), "beaker_given")
        yield {"type": "ext:sqla", "bind": engine, "table": table}
        engine.dispose()
