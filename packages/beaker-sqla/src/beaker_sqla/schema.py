"""The two tables: sessions where Beaker 1.x had them, and the records of caches."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import sqlalchemy as sa
from sqlalchemy.dialects import mysql

__all__ = ["cache_table", "make_cache_table", "session_table"]

# What 1.x made of MySQL's default was a column of 64 KB.
_DATA = sa.LargeBinary().with_variant(mysql.LONGBLOB(), "mysql", "mariadb")
_DIGEST = sa.LargeBinary(32).with_variant(mysql.BINARY(32), "mysql", "mariadb")
# SQLite counts rows in columns of this very type only.
_NUMBER = sa.BigInteger().with_variant(sa.Integer(), "sqlite")

_TRANSACTIONAL: Mapping[str, Any] = {
    "mysql_engine": "InnoDB",
    "mariadb_engine": "InnoDB",
}


def make_cache_table(
    metadata: sa.MetaData,
    table_name: str = "beaker_cache",
    schema_name: str | None = None,
) -> sa.Table:
    """Return a table for ``ext:sqla``, and put it and its companion into `metadata`.

    Nothing is created in the database: ``metadata.create_all()`` does that, or a tool
    for migrations, or else Beaker at its first use.

    Args:
        metadata: Where your program describes its tables.
        table_name: The table of the sessions; the companion, with ``_2`` at its end,
            is the caches'.
        schema_name: Their schema; None: that of `metadata`.
    """
    schema_name = schema_name or metadata.schema
    cache_table(metadata, table_name, schema_name)
    return session_table(metadata, table_name, schema_name, has_id=False)


def session_table(
    metadata: sa.MetaData, name: str, schema: str | None, *, has_id: bool
) -> sa.Table:
    """Return the table of sessions: that of 1.x, and two columns.

    Args:
        metadata: Where it is described.
        name: Its name.
        schema: Its schema.
        has_id: Whether rows are numbered, as 1.x had it for ``ext:database``.
    """
    identity: list[sa.Column[Any]] = [
        sa.Column("id", _NUMBER, primary_key=True),
        sa.Column("namespace", sa.String(255), nullable=False, unique=True),
    ]
    if not has_id:
        identity = [sa.Column("namespace", sa.String(255), primary_key=True)]
    return sa.Table(
        name,
        metadata,
        *identity,
        # In local time without a zone, as in 1.x, for those who purge by SQL. We go by
        # the two columns that 1.x did not have, in seconds since 1970.
        sa.Column("accessed", sa.DateTime, nullable=False),
        sa.Column("created", sa.DateTime, nullable=False),
        sa.Column("data", _DATA, nullable=False),
        sa.Column("touched", sa.Double),
        sa.Column("expires", sa.Double),
        sa.Index(f"ix_{name}_expires", "expires"),
        schema=schema,
        **_TRANSACTIONAL,
    )


def cache_table(metadata: sa.MetaData, name: str, schema: str | None) -> sa.Table:
    """Return the table of the records of caches, one row for each key.

    A row without data is no record: it holds the lease on a creation.

    Args:
        metadata: Where it is described.
        name: The name of the table of sessions that it is the companion of.
        schema: Its schema.
    """
    return sa.Table(
        f"{name}_2",
        metadata,
        # Digests of the namespace and of the key, so that any text will do.
        sa.Column("space", _DIGEST, primary_key=True),
        sa.Column("name", _DIGEST, primary_key=True),
        sa.Column("key", _DATA, nullable=False),
        sa.Column("touched", sa.Double),
        sa.Column("expires", sa.Double),
        sa.Column("token", sa.String(32)),
        sa.Column("lapses", sa.Double),
        sa.Column("data", _DATA),
        sa.Index(f"ix_{name}_2_expires", "expires"),
        schema=schema,
        **_TRANSACTIONAL,
    )
