"""What caches and sessions promise, on each database."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa

from beaker.testing import (
    MariadbServer,
    OutageSuite,
    PostgresServer,
    RegionSuite,
    SessionSuite,
    Stoppable,
    StoreSuite,
)
from tests.sqla.conftest import PATIENT

SERVERS = {"mariadb": MariadbServer, "postgres": PostgresServer}


class OnDatabase(StoreSuite):
    @pytest.fixture
    def options(self, url: str, table_name: str) -> dict[str, Any]:
        given = {"table_name": table_name, "store_timeout": PATIENT}
        return {"type": "ext:database", "url": url, **given}

    @pytest.fixture
    def stoppable(self, kind: str, tmp_path: Path) -> Iterator[Stoppable]:
        if kind == "sqlite":
            pytest.skip("a file cannot be taken away from its readers")
        with SERVERS[kind](tmp_path / kind) as server:
            options = {"type": "ext:database", "url": server.url, "store_timeout": 1}
            yield options, server


class TestCaches(OnDatabase, RegionSuite):
    pass


class TestOutages(OnDatabase, OutageSuite):
    pass


class TestSessions(OnDatabase, SessionSuite):
    @pytest.fixture
    def footprint(self, raw: sa.Connection, table_name: str) -> Callable[[], int]:
        rows = sa.select(sa.func.count()).select_from(sa.table(table_name))
        return lambda: int(raw.execute(rows).scalar_one())
