"""What SQLite, PostgreSQL and MariaDB say in different words."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from hashlib import sha256
from typing import Any, NamedTuple

import sqlalchemy as sa
from sqlalchemy.dialects import mysql, postgresql, sqlite

__all__ = ["DIALECTS", "Dialect", "Upsert"]

#: Statements to run in turn until one of them changes a row.
Statements = tuple[sa.Executable, ...]


class Upsert(NamedTuple):
    """A row to insert, or what to change in the row that is there.

    Attributes:
        table: Where.
        at: The columns that tell one row from all others.
        row: The new row: an expression for each column.
        copied: The columns that an old row takes over from the new one.
        fixed: What else to set in an old row.
        only_if: Leave an old row alone where this does not hold.
        found: What PostgreSQL is to return of the row, instead of a count.
    """

    table: sa.Table
    at: Sequence[str]
    row: Mapping[str, Any]
    copied: Sequence[str]
    fixed: Mapping[str, Any]
    only_if: sa.ColumnElement[bool] | None = None
    found: sa.ColumnElement[Any] | None = None


class Dialect(ABC):
    """What one kind of database says in its own words."""

    #: Whether names that differ in case only are the same to it.
    is_caseless = False
    #: The present in seconds since 1970, by its clock: that of all hosts.
    now: sa.ColumnElement[float]

    @abstractmethod
    def upsert(self, wanted: Upsert) -> Statements:
        """Return what inserts a row or changes the old one."""

    def is_same(
        self, column: sa.ColumnElement[Any], name: str
    ) -> sa.ColumnElement[bool]:
        """Return the condition that a column holds the bytes of this parameter."""
        return column == sa.bindparam(name, type_=sa.LargeBinary)


class _Sqlite(Dialect):
    # The digits after the second are milliseconds: enough for what is forgotten.
    now = sa.literal_column("(julianday('now') - 2440587.5) * 86400.0", sa.Double)

    def upsert(self, wanted: Upsert) -> Statements:
        new = sqlite.insert(wanted.table).values(wanted.row)
        changes = {name: new.excluded[name] for name in wanted.copied}
        return (
            new.on_conflict_do_update(
                index_elements=wanted.at,
                set_={**changes, **wanted.fixed},
                where=wanted.only_if,
            ),
        )


class _Postgresql(Dialect):
    now = sa.literal_column(
        "CAST(extract(epoch FROM statement_timestamp()) AS double precision)", sa.Double
    )

    def upsert(self, wanted: Upsert) -> Statements:
        # Else the number of a new row would be asked for, and not whether there is one.
        new = postgresql.insert(wanted.table).values(wanted.row).inline()
        changes = {name: new.excluded[name] for name in wanted.copied}
        whole = new.on_conflict_do_update(
            index_elements=wanted.at,
            set_={**changes, **wanted.fixed},
            where=wanted.only_if,
        )
        return (whole if wanted.found is None else whole.returning(wanted.found),)


class _Mysql(Dialect):
    is_caseless = True
    # UNIX_TIMESTAMP(NOW(6)) would stand still for the hour that autumn has twice.
    now = sa.literal_column(
        "timestampdiff(MICROSECOND, '1970-01-01', utc_timestamp(6)) / 1e6", sa.Double
    )

    def upsert(self, wanted: Upsert) -> Statements:
        new = mysql.insert(wanted.table).values(wanted.row)
        if wanted.only_if is None:
            changes = {name: new.inserted[name] for name in wanted.copied}
            return (new.on_duplicate_key_update({**changes, **wanted.fixed}),)
        # It knows no condition there, and a count of rows that tells nothing.
        at = (wanted.table.c[name] == wanted.row[name] for name in wanted.at)
        changes = {name: wanted.row[name] for name in wanted.copied}
        old = sa.update(wanted.table).where(*at, wanted.only_if)
        return new, old.values({**changes, **wanted.fixed})

    def is_same(
        self, column: sa.ColumnElement[Any], name: str
    ) -> sa.ColumnElement[bool]:
        # The new bytes and the old ones might be too long for one packet.
        digest = sa.bindparam(name, type_=_Digest)
        return sa.func.sha2(column, 256) == digest


class _Digest(sa.types.TypeDecorator[bytes]):
    """Bytes that are given to the database as the digest that its SHA2() returns."""

    impl = sa.String
    cache_ok = True

    def process_bind_param(self, value: bytes | None, dialect: sa.Dialect) -> Any:
        del dialect
        return None if value is None else sha256(value).hexdigest()


#: The databases that are known, by SQLAlchemy's names for them.
DIALECTS: Mapping[str, Dialect] = {
    "mariadb": _Mysql(),
    "mysql": _Mysql(),
    "postgresql": _Postgresql(),
    "sqlite": _Sqlite(),
}
