"""A table at work: made where it is missing, and swept as new rows come."""

from __future__ import annotations

import logging
from collections.abc import Callable, Hashable, Sequence
from functools import partial
from typing import Any, Generic, TypeVar

import sqlalchemy as sa

from beaker.exceptions import StoreRefusedError
from beaker.synchronization import NameLock
from beaker_sqla.database import Database, Parameters
from beaker_sqla.refusals import MissingTableError
from beaker_sqla.statements import Burial, Statements

__all__ = ["OpenTable"]

T = TypeVar("T")
S = TypeVar("S", bound=Statements)

#: After so many new rows the dead ones are removed, as many as one statement may,
#: which are several times as many: so the table does not grow, and nobody waits long.
SWEEP_EVERY = 100


class OpenTable(Generic[S]):
    """One table, as one process works with it.

    Args:
        identity: What it has in common with no other table.
        database: Where it is.
        say: What is said to it.
        make: Makes the table, or what is missing in it.

    Attributes:
        identity: As given.
        say: As given.
        place: The database's name and where it is.
    """

    def __init__(
        self,
        identity: Hashable,
        database: Database,
        say: S,
        make: Callable[[sa.Table], None],
    ) -> None:
        self.identity, self.say, self.place = identity, say, database.place
        self._database, self._make = database, make
        # A child may be forked while another thread holds it.
        self._guard = NameLock()
        self._times_made = self._new_rows = 0

    def first(self, statement: sa.Executable, given: Parameters) -> Any:
        """Return the first row that a query finds, or None."""
        return self._made(lambda: self._database.first(statement, given))

    def every(self, statement: sa.Executable, given: Parameters) -> Sequence[Any]:
        """Return all rows that a query finds."""
        return self._made(lambda: self._database.every(statement, given))

    def change(self, statement: sa.Executable, given: Parameters) -> int:
        """Run a statement and return how many rows it changed."""
        return self._made(lambda: self._database.change(statement, given))

    def put(self, statements: Sequence[sa.Executable], given: Parameters) -> Any:
        """Run statements until one writes a row; return that, or how many it wrote."""
        written = self._made(lambda: self._database.claim(statements, given))
        if written:
            self._wrote(1)
        return written

    def put_many(
        self, statements: Sequence[sa.Executable], several: Sequence[Parameters]
    ) -> None:
        """Write several rows by each of some statements."""
        for statement in statements:
            self._made(partial(self._database.change_many, statement, several))
        self._wrote(len(several))

    def bury(self, burial: Burial, given: Parameters) -> tuple[int, bool]:
        """Remove as many dead rows as one statement may.

        Returns:
            How many those were, and whether there may be more.
        """
        last = self.first(burial.last, given)
        until = None if last is None else last[0]
        return self.change(
            burial.remove, {**given, "given_until": until}
        ), last is not None

    def _made(self, act: Callable[[], T]) -> T:
        times_made = self._times_made
        try:
            return act()
        except MissingTableError:
            self._guard.acquire()
            try:
                # Unless another thread has done so meanwhile.
                if times_made == self._times_made:
                    self._make(self.say.table)
                    self._times_made += 1
            finally:
                self._guard.release()
            return act()

    def _wrote(self, rows: int) -> None:
        # Threads that count at once may lose a count: it need not be exact.
        self._new_rows += rows
        if self._new_rows < SWEEP_EVERY:
            return
        self._new_rows = 0
        try:
            self.bury(self.say.sweep, {})
        except (OSError, StoreRefusedError) as e:
            # What was asked for is done.
            log = logging.getLogger(f"beaker.store.{self.place.partition(' ')[0]}")
            log.warning("%s is not swept: %s", self.place, e)
