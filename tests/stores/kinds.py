"""The stores that there are, for tests that hold for all of them."""

from __future__ import annotations

import logging
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.stores.contents import (
    InFiles,
    InMemcached,
    InMongo,
    InRedis,
    InSql,
    InSqlite,
    Raw,
)

__all__ = ["SERVERS", "STORES", "marks", "opened"]

#: Each store, with the marker of the server that it needs.
SERVERS = {
    **dict.fromkeys(("file", "dbm", "sqlite", "sql:sqlite")),
    **{name: name for name in ("redis", "memcached", "mongodb")},
    **dict.fromkeys(("sql:postgres", "sql:mariadb"), "sqla"),
}


def marks(kind: str) -> list[pytest.MarkDecorator]:
    """Return the marker of a store, if it needs a server."""
    name = SERVERS[kind]
    return [getattr(pytest.mark, name)] if name else []


#: Each store as a parameter of a test.
STORES = [pytest.param(kind, marks=marks(kind), id=kind) for kind in SERVERS]


def opened(kind: str, directory: Path, fixture: Callable[[str], str]) -> Raw:
    """Return the contents of a new, empty store.

    Args:
        kind: One of `STORES`.
        directory: For its files, if it keeps any.
        fixture: Returns the URL of a server by the name of its fixture.
    """
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
    # PyMongo tells five things about each operation, whole documents among them.
    logging.getLogger("pymongo").setLevel(logging.WARNING)
    name = kind.removeprefix("sql:")
    return of_kind.get(name, InSql)(fixture(f"{name}_url"))
