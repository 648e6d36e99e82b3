"""What every store promises, in each database and on both ways to it."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
import sqlalchemy as sa

from beaker_sqla import SqlaNamespaceManager, make_cache_table
from tests.redis.contract import Open, StoreContract


class TestDatabase(StoreContract):
    pass


class TestEngineAndTable(StoreContract):
    @pytest.fixture
    def open_namespace(self, url: str, prefix: str) -> Iterator[Open]:
        engine = sa.create_engine(url)
        table = make_cache_table(sa.MetaData(), "beaker_given")

        def opened(name: str, **options: Any) -> SqlaNamespaceManager:
            return SqlaNamespaceManager(name, engine, table, prefix=prefix, **options)

        yield opened
        engine.dispose()
