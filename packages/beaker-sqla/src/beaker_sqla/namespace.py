"""The stores: one namespace in an SQL database."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from functools import cached_property
from typing import Any, ClassVar

import sqlalchemy as sa

from beaker.exceptions import MissingCacheParameter
from beaker.protocols import (
    Coercer,
    Lease,
    NamespaceManager,
    Purged,
    boolean,
    optional,
    text,
)
from beaker_sqla.caches import CacheRows
from beaker_sqla.opentable import OpenTable
from beaker_sqla.options import (
    ENGINE_OPTIONS,
    a_table,
    an_engine,
    engine_options,
    some_options,
)
from beaker_sqla.schema import cache_table, session_table
from beaker_sqla.sessions import SessionRows
from beaker_sqla.sources import EngineSource, Source, UrlSource
from beaker_sqla.statements import CacheStatements, SessionStatements

__all__ = ["DatabaseNamespaceManager", "SqlaNamespaceManager"]


class SqlaNamespaceManager(NamespaceManager):
    """Keeps records in tables, by an engine that the program made.

    A session is one row of `table`, as in Beaker 1.x. The records of caches are rows
    of its companion: the table of the same name with ``_2`` at its end.

    Args:
        namespace: Its name.
        bind: An engine of SQLAlchemy.
        table: What `make_cache_table` returned, or what 1.x did.
        keywords: The other options.

    Raises:
        MissingCacheParameter: There is no `bind` or no `table`.
    """

    options: ClassVar[Mapping[str, Coercer]] = {"bind": an_engine, "table": a_table}
    first_wait = "as long as the engine was made to"
    enumerable = True
    expires_natively = True
    updates_atomically = True
    shared_between_processes = True
    shared_between_hosts = True
    durable = True
    #: In 1.x a row held the dictionary of a namespace: so the mode ``compat``.
    kept_whole_namespaces = True

    def __init__(
        self, namespace: str, bind: Any = None, table: Any = None, **keywords: Any
    ) -> None:
        given = {"bind": bind, "table": table, **keywords}
        super().__init__(
            namespace,
            **{name: value for name, value in given.items() if value is not None},
        )
        self._source  # noqa: B018  # what is missing is told at once

    def place(self) -> str:
        """Return the configured name and where the database is."""
        return self._source.place

    def fetch(self, key: str) -> bytes | None:
        """Return the data in the key's row."""
        return self._rows.fetch(key)

    def store(self, key: str, data: bytes, ttl: float | None) -> None:
        """Insert the key's row, or write it."""
        self._rows.store(key, data, ttl)

    def discard(self, key: str) -> bool:
        """Delete the key's row."""
        return self._rows.discard(key)

    def replace(
        self, key: str, expected: bytes | None, data: bytes, ttl: float | None
    ) -> bool:
        """Write the key's row if it holds what is expected."""
        return self._rows.replace(key, expected, data, ttl)

    def drop(self) -> None:
        """Delete all rows, so many with each statement."""
        self._rows.drop()

    def lease(self, key: str) -> Lease:
        """Return a lease that is kept in the database."""
        return self._rows.lease(key, self.lease_expires_in)

    def fill(self, key: str, data: bytes, ttl: float | None, lease: Lease) -> bool:
        """Write the key's row if it holds the lease's token, and free the lease.

        Raises:
            UnsupportedOperationError: This is a session, whose leases are elsewhere.
        """
        return self._rows.fill(key, data, ttl, lease)

    def fetch_many(self, keys: Iterable[str]) -> dict[str, bytes]:
        """Return the records that are there, in one round trip per batch."""
        return self._rows.fetch_many(keys)

    def store_many(self, records: Mapping[str, bytes], ttl: float | None) -> None:
        """Write several rows, in one round trip per batch and one more."""
        self._rows.store_many(records, ttl)

    def discard_many(self, keys: Iterable[str]) -> int:
        """Delete several rows, in two round trips per batch."""
        return self._rows.discard_many(keys)

    def fetch_accessed(self, key: str) -> tuple[bytes, float | None] | None:
        """Return the data in the key's row, and when it was touched."""
        return self._rows.fetch_accessed(key)

    def touch(self, key: str, ttl: float | None, accessed: float) -> bool:
        """Write the times in the key's row."""
        return self._rows.touch(key, ttl, accessed)

    def keys(self) -> Iterable[str]:
        """Return the keys; the database is asked for some at a time."""
        return self._rows.keys()

    def purge(self) -> int:
        """Delete the records past their time, so many with each statement."""
        return self._rows.purge()

    def purge_sessions(
        self, unused_for: float, *, dry_run: bool = False
    ) -> Iterator[Purged]:
        """Delete the rows of unused sessions, so many with each statement."""
        return self._session_rows().purge_unused(unused_for, dry_run=dry_run)

    def version(self) -> str:
        """Return what the database calls itself."""
        return self._source.version()

    def session_ids(self) -> Iterator[str]:
        """Return the ids of all sessions, some hundred with each statement."""
        return self._session_rows().ids()

    @property
    def _rows(self) -> CacheRows | SessionRows:
        # Made anew each time, for a forked child has tables of its own.
        if self.settings.purpose == "cache":
            prefix = self.settings.prefix
            return CacheRows(self._cache_table(), self.namespace, prefix)
        return self._session_rows()

    def _session_rows(self) -> SessionRows:
        name, prefix = self.namespace, self.settings.prefix
        sessions = self._source.table(
            ("sessions", *self._described), self._sessions, SessionStatements
        )
        return SessionRows(sessions, name, prefix, self._cache_table)

    def _cache_table(self) -> OpenTable[CacheStatements]:
        described = ("caches", *self._described)
        return self._source.table(described, self._caches, CacheStatements)

    @cached_property
    def _source(self) -> Source:
        bind = self.settings.own.get("bind")
        if bind is None or "table" not in self.settings.own:
            raise MissingCacheParameter(
                "ext:sqla needs the options 'bind', an engine of SQLAlchemy, and "
                "'table', which make_cache_table() returns"
            )
        return EngineSource("ext:sqla", bind)

    @property
    def _described(self) -> tuple[str, str | None]:
        table = self.settings.own["table"]
        return table.name, table.schema

    def _sessions(self) -> sa.Table:
        has_id = "id" in self.settings.own["table"].columns
        return session_table(sa.MetaData(), *self._described, has_id=has_id)

    def _caches(self) -> sa.Table:
        return cache_table(sa.MetaData(), *self._described)


class DatabaseNamespaceManager(SqlaNamespaceManager):
    """Keeps records in an SQL database, by its URL, for all processes on all hosts.

    Args:
        namespace: Its name.
        url: A URL of SQLAlchemy for SQLite, PostgreSQL, MariaDB or MySQL.
        sa_opts: What `sqlalchemy.create_engine` is to be told beside, by name, with
            or without ``sa.`` in front.
        keywords: The other options: `table_name`, `schema_name`, and those of 1.x.

    Raises:
        MissingCacheParameter: There is no `url`.
        InvalidOptionError: This is no URL of a database that is known.
    """

    options: ClassVar[Mapping[str, Coercer]] = {
        **ENGINE_OPTIONS,
        # 1.x took it and did nothing: there is no other way than the optimistic one.
        "optimistic": optional(boolean),
        "sa_opts": optional(some_options),
        "schema_name": optional(text),
        "table_name": text,
    }

    first_wait = (
        "`store_timeout`; 2 seconds with psycopg2, 5 for other writers of SQLite"
    )

    def __init__(
        self, namespace: str, url: Any = None, sa_opts: Any = None, **keywords: Any
    ) -> None:
        super().__init__(namespace, url=url, sa_opts=sa_opts, **keywords)

    @cached_property
    def _source(self) -> Source:
        given = engine_options(self.settings.own)
        url = self.settings.url or given.get("url")
        if not url:
            raise MissingCacheParameter(
                "ext:database needs the option 'url', such as "
                "postgresql+psycopg://user:password@host/database"
            )
        given.pop("url", None)
        return UrlSource("ext:database", url, given, self.settings.deadline)

    @property
    def _described(self) -> tuple[str, str | None]:
        own = self.settings.own
        return own.get("table_name", "beaker_cache"), own.get("schema_name")

    def _sessions(self) -> sa.Table:
        return session_table(sa.MetaData(), *self._described, has_id=True)
