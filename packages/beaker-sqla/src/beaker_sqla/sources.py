"""The way to a database: by URL, or by an engine that the user made."""

from __future__ import annotations

import os
from abc import ABC, abstractmethod
from collections.abc import Callable, Hashable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any, TypeVar

import sqlalchemy as sa
from sqlalchemy import exc

from beaker.container import shared_client
from beaker_sqla.creation import make
from beaker_sqla.database import Database
from beaker_sqla.dialects import DIALECTS, Dialect
from beaker_sqla.engines import open_engine, parsed, without_password
from beaker_sqla.opentable import OpenTable
from beaker_sqla.refusals import cause_of, explained
from beaker_sqla.statements import Statements

__all__ = ["EngineSource", "Source", "UrlSource"]

S = TypeVar("S", bound=Statements)

#: Seconds that the creation of a table may take.
PATIENCE = 10.0


class Source(ABC):
    """A database that each process reaches by connections of its own.

    Attributes:
        place: Its name and where it is, without user and password.
        identity: What it has in common with no other.
    """

    def __init__(self, name: str, url: sa.URL, identity: Hashable) -> None:
        self.place = f"{name} at {without_password(url)}"
        self.identity = identity
        self.dialect = DIALECTS[url.get_backend_name()]

    def table(
        self,
        key: Hashable,
        describe: Callable[[], sa.Table],
        kind: Callable[[sa.Table, Dialect], S],
    ) -> OpenTable[S]:
        """Return a table to work with; nothing is asked of the database yet.

        Args:
            key: What this table has in common with no other in this database.
            describe: Describes it.
            kind: Makes what is said to it.
        """
        identity = (self.identity, key)

        def opened() -> OpenTable[S]:
            say = kind(describe(), self.dialect)
            return OpenTable(identity, self._database, say, self._make)

        return shared_client(identity, opened, _nothing_to_close)

    def version(self) -> str:
        """Return what the database calls itself."""
        name = self._database.engine.dialect.name
        asked = sa.func.sqlite_version() if name == "sqlite" else sa.func.version()
        (told,) = self._database.first(sa.select(asked), {})
        # PostgreSQL tells for which machine it was built, too.
        short = str(told).partition(" (")[0].partition(" on ")[0]
        return short if short.lower().startswith(name) else f"{name} {short}"

    @property
    def _database(self) -> Database:
        return shared_client(self.identity, self._opened, self._close)

    @abstractmethod
    def _opened(self) -> Database:
        """Open the database for this process."""

    @abstractmethod
    def _close(self, database: Database) -> None:
        """Close what was opened."""

    @contextmanager
    def _patient(self) -> Iterator[sa.Engine]:
        """Give the engine by which tables are made."""
        yield self._database.engine

    def _make(self, table: sa.Table) -> None:
        try:
            with self._patient() as engine:
                make(engine, table)
        except exc.SQLAlchemyError as e:
            raise explained(e, self.place) from cause_of(e)


class UrlSource(Source):
    """A database by its URL.

    Args:
        name: What its users call the store: ``ext:database``.
        url: The URL.
        given: What the user wants of `sqlalchemy.create_engine`.
        deadline: Seconds that an answer may take; 0: as long as it likes.

    Raises:
        InvalidOptionError: This is no URL of a database that we know.
    """

    def __init__(
        self, name: str, url: str, given: Mapping[str, Any], deadline: float
    ) -> None:
        self._url = parsed(url)
        super().__init__(name, self._url, (name, url, repr(given), deadline))
        self._given, self._deadline = given, deadline

    def _opened(self) -> Database:
        engine = open_engine(self._url, self._given, self._deadline, self.place)
        return Database(engine, self.place, self._deadline)

    def _close(self, database: Database) -> None:
        database.engine.dispose()

    @contextmanager
    def _patient(self) -> Iterator[sa.Engine]:
        if self._url.get_backend_name() == "sqlite":
            # It is patient, and in memory there is but one connection.
            yield self._database.engine
            return
        patience = self._deadline and max(self._deadline, PATIENCE)
        engine = open_engine(self._url, self._given, patience, self.place)
        try:
            yield engine
        finally:
            engine.dispose()


class EngineSource(Source):
    """A database by an engine that its user made, and closes.

    Args:
        name: What its users call the store: ``ext:sqla``.
        engine: The engine.
    """

    def __init__(self, name: str, engine: sa.Engine) -> None:
        super().__init__(name, engine.url, (name, engine))
        self._engine = engine

    def _opened(self) -> Database:
        engine = self._engine
        if hasattr(os, "register_at_fork"):
            # A child must not talk on the connections that its parent has in there.
            os.register_at_fork(after_in_child=lambda: engine.dispose(close=False))
        alone = engine.execution_options(isolation_level="AUTOCOMMIT")
        return _Given(alone, self.place)

    def _close(self, database: Database) -> None:
        """Leave it to the user."""


class _Given(Database):
    def __init__(self, engine: sa.Engine, place: str) -> None:
        super().__init__(engine, place, 0)
        # Kept as long as this object: what a child inherits is never finalized.
        self._pool = engine.pool


def _nothing_to_close(_table: object) -> None:
    pass
