"""Runs statements on a database, each of them a transaction of its own."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractContextManager, nullcontext
from typing import Any, TypeAlias, TypeVar

import sqlalchemy as sa
from sqlalchemy import exc

from beaker_sqla.forks import visits
from beaker_sqla.refusals import cause_of, explained, is_collision

__all__ = ["Database", "Parameters"]

T = TypeVar("T")

#: What goes into the places that a statement leaves open.
Parameters: TypeAlias = Mapping[str, Any]

#: How often a statement is tried that lost its connection or gave way to another.
ATTEMPTS = 5


class Database:
    """One database, as one process reaches it.

    Where it was restarted, a statement loses the connection that it is given, and is
    repeated on a new one: this costs nothing where nothing happened, unlike asking
    each time whether the connection is still good.

    Args:
        engine: Its engine.
        place: Its name and where it is, for errors.
        deadline: Seconds that an answer may take; 0: as long as it likes.
    """

    def __init__(self, engine: sa.Engine, place: str, deadline: float) -> None:
        self.engine, self.place = engine, place
        self._deadline = deadline
        is_sqlite = engine.dialect.name == "sqlite"
        self._visit: AbstractContextManager[object] = (
            visits() if is_sqlite else nullcontext()
        )

    def first(self, statement: sa.Executable, given: Parameters) -> Any:
        """Return the first row that a query finds, or None."""
        return self._run(lambda c: c.execute(statement, given).first(), given)

    def every(self, statement: sa.Executable, given: Parameters) -> Sequence[Any]:
        """Return all rows that a query finds."""
        return self._run(lambda c: c.execute(statement, given).all(), given)

    def change(self, statement: sa.Executable, given: Parameters) -> int:
        """Run a statement and return how many rows it changed."""
        return self._run(lambda c: c.execute(statement, given).rowcount, given)

    def change_many(
        self, statement: sa.Executable, several: Sequence[Parameters]
    ) -> None:
        """Run a statement for several sets of parameters, in one go if it can."""
        self._run(lambda c: c.execute(statement, several), {})

    def claim(self, statements: Sequence[sa.Executable], given: Parameters) -> Any:
        """Run statements in turn until one changes a row.

        Returns:
            The row if the statement returns it, or else how many rows it changed: 0
            if none of them did.
        """
        for position, statement in enumerate(statements, start=1):
            is_last = position == len(statements)
            changed = self._run(_Change(statement, given, is_last=is_last), given)
            if changed:
                return changed
        return 0

    def _run(self, act: Callable[[sa.Connection], T], given: Parameters) -> T:
        left = ATTEMPTS
        while True:
            left, began = left - 1, time.monotonic()
            try:
                with self._visit, self.engine.connect() as connection:
                    return act(connection)
            except exc.SQLAlchemyError as e:
                was_lost = self._was_lost(e, began)
                if left and (was_lost or is_collision(e)):
                    continue
                size = _size(given) if was_lost else 0
                raise explained(e, self.place, size) from cause_of(e)

    def _was_lost(self, error: exc.SQLAlchemyError, began: float) -> bool:
        # What took as long as the deadline is not asked for a second time.
        if not isinstance(error, exc.DBAPIError) or not error.connection_invalidated:
            return False
        took = time.monotonic() - began
        return not self._deadline or took < self._deadline


# SQLAlchemy forgets the count else, unless it is of an UPDATE.
_COUNTED: Mapping[str, Any] = {"preserve_rowcount": True}


class _Change:
    """A statement that may find that the row is there already.

    Where a database cannot say in one statement what to do then, another follows.
    """

    def __init__(
        self, statement: sa.Executable, given: Parameters, *, is_last: bool
    ) -> None:
        self._statement, self._given, self._is_last = statement, given, is_last

    def __call__(self, connection: sa.Connection) -> Any:
        try:
            result = connection.execute(
                self._statement, self._given, execution_options=_COUNTED
            )
        except exc.IntegrityError:
            if self._is_last:
                raise
            return 0
        return result.first() if result.returns_rows else result.rowcount


def _size(given: Parameters) -> int:
    return sum(len(value) for value in given.values() if isinstance(value, bytes))
