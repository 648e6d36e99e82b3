"""The stores that these tests break into."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.fuzz.stored import (
    InFiles,
    InMemcached,
    InMongo,
    InRedis,
    InSql,
    InSqlite,
    Raw,
)

#: Each store, with the marker of the server that it needs.
STORES = [
    *("file", "dbm", "sqlite", "sql:sqlite"),
    pytest.param("redis", marks=pytest.mark.redis),
    pytest.param("memcached", marks=pytest.mark.memcached),
    pytest.param("mongodb", marks=pytest.mark.mongodb),
    pytest.param("sql:postgres", marks=pytest.mark.sqla),
    pytest.param("sql:mariadb", marks=pytest.mark.sqla),
]

#: Those whose records are bytes of which each can be damaged alone.
DAMAGED = ["file", "sqlite", pytest.param("redis", marks=pytest.mark.redis)]


def opened(kind: str, directory: Path, request: pytest.FixtureRequest) -> Raw:
    """Return the contents of a new, empty store."""
    if kind in ("file", "dbm"):
        return InFiles(directory, kind)
    if kind == "sqlite":
        return InSqlite(directory)
    if kind == "sql:sqlite":
        return InSql(f"sqlite:///{directory}/beaker.db")
    of_kind: dict[str, Callable[[str], Raw]] = {
        "redis": InRedis,
        "memcached": InMemcached,
        "mongodb": InMongo,
    }
    name = kind.removeprefix("sql:")
    return of_kind.get(name, InSql)(request.getfixturevalue(f"{name}_url"))


@pytest.fixture(params=STORES)
def raw(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Raw]:
    """Each store in turn, empty."""
    # PyMongo tells five things about each operation, whole documents among them.
    logging.getLogger("pymongo").setLevel(logging.WARNING)
    found = opened(request.param, tmp_path, request)
    yield found
    found.close()


@pytest.fixture(params=DAMAGED)
def damaged(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Raw]:
    """Each store whose records are to be damaged, empty."""
    found = opened(request.param, tmp_path, request)
    yield found
    found.close()
