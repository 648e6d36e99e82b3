"""What is said to a table, built once; each call gives the values.

Every statement is whole by itself, and every time in it is the database's.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

import sqlalchemy as sa

from beaker_sqla.dialects import Dialect, Upsert

__all__ = [
    "BATCH",
    "PICKLED",
    "Burial",
    "CacheStatements",
    "SessionStatements",
    "Statements",
]

#: How many rows one statement reads or removes: it has to end within the deadline.
BATCH = 500

#: How the data begin that Beaker 1.x wrote, and that it can read.
PICKLED = b"\x80"


class Burial(NamedTuple):
    """How so many dead rows are removed.

    Attributes:
        last: Finds when the last of them died, if there are more.
        remove: Removes what died until then; None: until now.
    """

    last: sa.Select[Any]
    remove: sa.Delete


class Statements:
    """What is said to a table of records, of whatever kind.

    Args:
        table: The table.
        dialect: In whose words.
        at: The columns that tell one row from all others.
        kept: What a new row has beside, by its column, and an old one keeps.
        renewed: What changes beside the data whenever these are written.
        cleared: What is emptied then.

    Attributes:
        table: As given.
        dialect: As given.
        fetch: Returns data. The others are called as what they do.
    """

    def __init__(
        self,
        table: sa.Table,
        dialect: Dialect,
        at: Sequence[str],
        *,
        kept: Sequence[str],
        renewed: Sequence[str] = (),
        cleared: Sequence[str] = (),
    ) -> None:
        self.table, self.dialect = table, dialect
        self._names, self._kept, self._cleared = at, kept, cleared
        self._written = ("data", *renewed)
        c = table.c
        self._at = sa.and_(*(c[name] == self._given(name) for name in at))
        self._is_live = sa.and_(
            c.data.is_not(None), sa.or_(c.expires.is_(None), c.expires > dialect.now)
        )
        self.fetch = sa.select(c.data).where(self._at, self._is_live)
        self.fetch_accessed = self.fetch.add_columns(c.touched)
        self.discard = sa.delete(table).where(self._at, self._is_live)
        self.forget = sa.delete(table).where(self._at)
        self._write()
        self.sweep = self._burial()

    def _write(self) -> None:
        table = self.table
        copied = {name: self._given(name) for name in self._written} | self._ends()
        row = {name: self._given(name) for name in (*self._names, *self._kept)}
        fixed = dict.fromkeys(("touched", *self._cleared), sa.null())
        whole = Upsert(table, self._names, row | copied, tuple(copied), fixed)
        self.store = self.dialect.upsert(whole)
        self.add = self.dialect.upsert(whole._replace(only_if=sa.not_(self._is_live)))
        self._changes: Mapping[str, Any] = copied | dict.fromkeys(self._cleared)
        is_same = self.dialect.is_same(table.c.data, "given_expected")
        self.replace = (
            sa.update(table)
            .where(self._at, self._is_live, is_same)
            .values(self._changes)
        )

    def _burial(self, *where: sa.ColumnElement[bool]) -> Burial:
        expires = self.table.c.expires
        where = (*where, self._is_dead())
        last = sa.select(expires).where(*where).order_by(expires)
        until = sa.bindparam("given_until", type_=sa.Double)
        is_early = expires <= sa.func.coalesce(until, self.dialect.now)
        remove = sa.delete(self.table).where(*where, is_early)
        return Burial(last.offset(BATCH - 1).limit(1), remove)

    def _is_dead(self) -> sa.ColumnElement[bool]:
        return self.table.c.expires <= self.dialect.now

    def _ends(self) -> dict[str, Any]:
        ttl = sa.bindparam("given_ttl", type_=sa.Double)
        return {"expires": self.dialect.now + ttl}

    def _given(self, name: str) -> sa.BindParameter[Any]:
        return sa.bindparam(f"given_{name}", type_=self.table.c[name].type)


class SessionStatements(Statements):
    """What is said to the table of sessions."""

    def __init__(self, table: sa.Table, dialect: Dialect) -> None:
        super().__init__(
            table, dialect, ("namespace",), kept=("created",), renewed=("accessed",)
        )
        times = {name: self._given(name) for name in ("accessed", "touched")}
        self.touch = (
            sa.update(table)
            .where(self._at, self._is_live)
            .values(expires=self._end_unless_pickled(), **times)
        )
        self.bury = sa.delete(table).where(self._at, self._is_dead())
        self._for_unused()

    def _for_unused(self) -> None:
        table, c = self.table, self.table.c
        before = sa.bindparam("given_before", type_=c.accessed.type)
        is_unused = sa.or_(c.accessed < before, self._is_dead())
        after = sa.bindparam("given_after", type_=c.namespace.type)
        page = sa.select(c.namespace, sa.case((is_unused, 1), else_=0))
        rest = page.where(c.namespace > after)
        self.sessions = rest.order_by(c.namespace).limit(BATCH)
        names = sa.bindparam("given_names", type_=c.namespace.type, expanding=True)
        self.remove_unused = sa.delete(table).where(c.namespace.in_(names), is_unused)

    def _end_unless_pickled(self) -> sa.ColumnElement[Any]:
        # Processes of 1.x would keep such a session without telling us.
        start = sa.func.substr(self.table.c.data, 1, 1, type_=sa.LargeBinary)
        return sa.case((start == PICKLED, None), else_=self._ends()["expires"])


class CacheStatements(Statements):
    """What is said to the table of the records of caches."""

    def __init__(self, table: sa.Table, dialect: Dialect) -> None:
        super().__init__(
            table,
            dialect,
            ("space", "name"),
            kept=("key",),
            cleared=("token", "lapses"),
        )
        self.touch = (
            sa.update(table)
            .where(self._at, self._is_live)
            .values(self._ends() | {"touched": self._given("touched")})
        )
        self._for_several()
        self._for_all()
        self._for_leases()

    def _is_dead(self) -> sa.ColumnElement[bool]:
        # Somebody may be making the next value.
        lapses, now = self.table.c.lapses, self.dialect.now
        return sa.and_(super()._is_dead(), sa.or_(lapses.is_(None), lapses <= now))

    def _for_several(self) -> None:
        c = self.table.c
        names = sa.bindparam("given_names", type_=c.name.type, expanding=True)
        these = sa.and_(c.space == self._given("space"), c.name.in_(names))
        self.fetch_many = sa.select(c.name, c.data).where(these, self._is_live)
        self.discard_many = sa.delete(self.table).where(these, self._is_live)
        self.forget_many = sa.delete(self.table).where(these)
        self.now = sa.select(self.dialect.now)
        row = ("space", "name", "key", "data", "expires")
        new = {name: self._given(name) for name in row}
        fixed = dict.fromkeys(("touched", *self._cleared), sa.null())
        self.store_many = self.dialect.upsert(
            Upsert(self.table, self._names, new, ("data", "expires"), fixed)
        )

    def _for_all(self) -> None:
        c = self.table.c
        is_ours = c.space == self._given("space")
        rest = sa.and_(is_ours, c.name > sa.bindparam("given_after", type_=c.name.type))
        upto = c.name <= sa.bindparam("given_last", type_=c.name.type)
        page = sa.select(c.name, c.key).where(rest, self._is_live)
        self.keys = page.order_by(c.name).limit(BATCH)
        last = sa.select(c.name).where(rest).order_by(c.name)
        self.last_to_drop = last.offset(BATCH - 1).limit(1)
        self.drop = sa.delete(self.table).where(rest, upto)
        self.drop_rest = sa.delete(self.table).where(rest)
        self.purge = self._burial(is_ours, c.data.is_not(None))

    def _for_leases(self) -> None:
        c, now = self.table.c, self.dialect.now
        is_held = sa.and_(c.token.is_not(None), c.lapses > now)
        is_ours = c.token == self._given("token")
        holds = sa.and_(self._at, is_ours, c.lapses > now)
        lapses = now + sa.bindparam("given_life", type_=sa.Double)
        # A row without data is forgotten when its lease has lapsed.
        ends = sa.case((c.data.is_(None), lapses), else_=c.expires)
        named = (*self._names, "key", "token")
        new = {name: self._given(name) for name in named}
        self.take = self.dialect.upsert(
            Upsert(
                self.table,
                self._names,
                new | {"lapses": lapses, "expires": lapses},
                ("token",),
                {"lapses": lapses, "expires": ends},
                # Asked again after its answer was lost, it is ours already.
                only_if=sa.or_(sa.not_(is_held), is_ours),
                found=sa.case((self._is_live, c.data)),
            )
        )
        self.held = sa.select(c.token).where(self._at, is_held)
        table = self.table
        self.renew = sa.update(table).where(holds).values(lapses=lapses, expires=ends)
        self.free = sa.update(table).where(holds).values(token=None, lapses=None)
        self.fill = (
            sa.update(table).where(holds).values({**self._changes, "touched": None})
        )
