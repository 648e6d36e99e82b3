"""Makes tables that are missing, and columns that those of Beaker 1.x do not have."""

from __future__ import annotations

import sqlalchemy as sa
from sqlalchemy import exc
from sqlalchemy.schema import CreateColumn

__all__ = ["make"]


def make(engine: sa.Engine, table: sa.Table) -> None:
    """Make a table, or what it lacks; others may be doing so at the same time.

    Args:
        engine: Where.
        table: What it is to be like.
    """
    with engine.connect() as connection:
        if not _exists(connection, table):
            try:
                table.create(connection)
            except exc.DBAPIError:
                if not _exists(connection, table):
                    raise
        for column in _missing(connection, table):
            _add(connection, column)


def _exists(connection: sa.Connection, table: sa.Table) -> bool:
    return sa.inspect(connection).has_table(table.name, schema=table.schema)


def _missing(connection: sa.Connection, table: sa.Table) -> list[sa.Column[object]]:
    found = sa.inspect(connection).get_columns(table.name, schema=table.schema)
    names = {column["name"] for column in found}
    # What 1.x had is not added: where that is missing, it is another's table.
    ours = [column for column in table.columns if column.nullable]
    return [column for column in ours if column.name not in names]


def _add(connection: sa.Connection, column: sa.Column[object]) -> None:
    dialect, table = connection.dialect, column.table
    name = dialect.identifier_preparer.format_table(table)
    definition = CreateColumn(column).compile(dialect=dialect)
    try:
        connection.exec_driver_sql(f"ALTER TABLE {name} ADD COLUMN {definition}")
        for index in table.indexes:
            if column.name in index.columns:
                index.create(connection, checkfirst=True)
    except exc.DBAPIError:
        if column.name in {one.name for one in _missing(connection, table)}:
            raise
