"""Keeps sessions in the database of the application, by its own engine.

Needs: Python 3.11 or newer and beaker-sqla; no server, but takes the URL of one.
Install: pip install 'beaker-core>=2' 'beaker-sqla>=2'
Run: python examples/store_sqla.py [postgresql+psycopg://user:password@host/database]
Shows: the tables are part of the application's metadata; a session is one row, and old
ones are removed by SQL.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import sqlalchemy as sa
from _reached import reached

from beaker.session import Session
from beaker_sqla import make_cache_table


@contextmanager
def sqlite(directory: Path) -> Iterator[str]:
    """Yield the URL of a database that needs no server."""
    yield f"sqlite:///{directory}/shop.db"


def main() -> int:
    """Save sessions and count rows; return the exit status."""
    with reached(sqlite) as url:
        engine, metadata = sa.create_engine(url), sa.MetaData()
        table = make_cache_table(metadata, "example_sessions")
        metadata.create_all(engine)

        for name in ("ann", "bob"):
            told: dict[str, Any] = {"type": "ext:sqla", "bind": engine, "table": table}
            session = Session({}, id=name, use_cookies=False, **told)
            session["name"] = name
            session.save()

        with engine.begin() as connection:
            first = counted(connection, table)
            connection.execute(table.delete().where(table.c.namespace == "bob"))
            then = counted(connection, table)
        again = Session({}, id="bob", use_cookies=False, **told)
        print("rows:", first, "and after a DELETE:", then)
        print("is bob still known:", "name" in again)
        metadata.drop_all(engine)
        engine.dispose()
    return 0 if (first, then) == (2, 1) and "name" not in again else 1


def counted(connection: sa.Connection, table: sa.Table) -> int:
    """Return how many rows there are."""
    return connection.scalar(sa.select(sa.func.count()).select_from(table)) or 0


if __name__ == "__main__":
    sys.exit(main())
