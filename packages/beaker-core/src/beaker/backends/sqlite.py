"""The store of one SQLite database, for all processes of a machine."""

from __future__ import annotations

import sqlite3
import time
from collections.abc import Iterable, Iterator, Mapping
from functools import cached_property
from typing import Any

from beaker._locks.leases import LocalLease
from beaker.backends._database import Database
from beaker.backends._odd_text import decoded
from beaker.backends._places import DISK_REMEDY, LEFT_BEHIND, Place
from beaker.backends._private import PrivateFiles
from beaker.clients import shared_client
from beaker.protocols import Lease, NamespaceManager, Purged

__all__ = ["SqliteNamespaceManager"]

#: Seconds to wait, at least, for the changes of others. Each takes microseconds, but
#: SQLite lets those who wait in by chance, not in turn.
PATIENCE = 5.0

# A row that has no data is no record: it holds the token of a creation under way.
# The data come last, so that the other columns are read without them. An index by
# time would make every write cost half as much again; a purge reads the namespace.
_SCHEMA = """
CREATE TABLE IF NOT EXISTS records (
    namespace TEXT NOT NULL,
    key TEXT NOT NULL,
    expires REAL,
    accessed REAL,
    token TEXT,
    data BLOB,
    PRIMARY KEY (namespace, key)
) WITHOUT ROWID;
"""

_FETCH = "SELECT data FROM records WHERE namespace = ? AND key = ?"
_FETCH_ACCESSED = "SELECT data, accessed FROM records WHERE namespace = ? AND key = ?"
_STORE = """
INSERT INTO records (namespace, key, expires, accessed, data) VALUES (?, ?, ?, ?, ?)
ON CONFLICT (namespace, key) DO UPDATE
SET expires = excluded.expires, accessed = excluded.accessed, data = excluded.data,
token = NULL
"""
_ADD = f"{_STORE} WHERE records.data IS NULL"
_REPLACE = """
UPDATE records SET expires = ?, accessed = ?, data = ?, token = NULL
WHERE namespace = ? AND key = ? AND data = ?
"""
_FILL = """
UPDATE records SET expires = ?, data = ?, token = NULL
WHERE namespace = ? AND key = ? AND token = ?
"""
_TOUCH = """
UPDATE records SET expires = ?, accessed = ?
WHERE namespace = ? AND key = ? AND data IS NOT NULL
"""
_DISCARD = """
DELETE FROM records WHERE namespace = ? AND key = ? AND data IS NOT NULL
"""
_BREAK = "DELETE FROM records WHERE namespace = ? AND key = ?"
_DROP = "DELETE FROM records WHERE namespace = ?"
_MARK = """
INSERT INTO records (namespace, key, expires, token) VALUES (?, ?, ?, ?)
ON CONFLICT (namespace, key) DO UPDATE SET token = excluded.token
"""
_UNMARK_ABSENT = """
DELETE FROM records
WHERE namespace = ? AND key = ? AND token = ? AND data IS NULL
"""
_UNMARK = """
UPDATE records SET token = NULL WHERE namespace = ? AND key = ? AND token = ?
"""
_KEYS = """
SELECT key FROM records WHERE namespace = ? AND data IS NOT NULL
AND (expires IS NULL OR expires > ?)
"""
_SIZE = """
SELECT count(*) FROM records WHERE namespace = ? AND data IS NOT NULL
AND (expires IS NULL OR expires > ?)
"""
_PURGE = """
DELETE FROM records WHERE namespace = ? AND data IS NOT NULL
AND expires <= ? AND (token IS NULL OR expires <= ?)
"""
_PURGE_TOKENS = """
DELETE FROM records WHERE namespace = ? AND data IS NULL AND expires <= ?
"""
# A page of sessions in the order of their names: who removes old ones turns the pages.
_PAGE = """
SELECT namespace, accessed < ? OR expires <= ? FROM records
WHERE namespace > ? AND namespace < ? AND key = 'session' AND data IS NOT NULL
ORDER BY namespace LIMIT 500
"""
_REMOVE_UNUSED = """
DELETE FROM records WHERE namespace = ? AND key = 'session'
AND (accessed < ? OR expires <= ?)
"""


class SqliteNamespaceManager(NamespaceManager):
    """Keeps records as rows of one database file in `data_dir`.

    The store to choose where there is no server: a read is one query, a write one
    statement, killed processes leave it whole. It needs a local disk.

    Raises:
        MissingCacheParameter: No `data_dir` is given.
    """

    unavailable = (sqlite3.OperationalError, OSError)
    enumerable = True
    remedy = DISK_REMEDY
    first_wait = "5 seconds for other writers"
    updates_atomically = True
    shared_between_processes = True
    durable = True

    def prepare(self) -> None:
        """Find the database; it is opened when it is first used."""
        scoped = self._place.scoped(self.namespace)
        self._patience = max(self.settings.deadline, PATIENCE)
        self._name = f"{self.settings.purpose}:{scoped}"
        # Managers of one file share connections; a forked child makes its own.
        key = "sqlite", self._path, self._patience
        self._database = shared_client(key, self._open_database, Database.close)

    def fetch(self, key: str) -> bytes | None:
        """Return the data in the key's row."""
        row = self._database.first(_FETCH, (self._name, key))
        return None if row is None else row[0]

    def store(self, key: str, data: bytes, ttl: float | None) -> None:
        """Write the key's row."""
        row = self._name, key, *self._times(ttl), data
        self._database.change(_STORE, row, len(data))

    def discard(self, key: str) -> bool:
        """Delete the key's row."""
        row = self._name, key
        if self._database.change(_DISCARD, row):
            return True
        self._database.change(_BREAK, row)
        return False

    def replace(
        self, key: str, expected: bytes | None, data: bytes, ttl: float | None
    ) -> bool:
        """Write the key's row if it holds what is expected."""
        if expected is None:
            new = self._name, key, *self._times(ttl), data
            return self._database.change(_ADD, new, len(data)) > 0
        other = *self._times(ttl), data, self._name, key, expected
        return self._database.change(_REPLACE, other, len(data)) > 0

    def drop(self) -> None:
        """Delete the namespace's rows."""
        self._database.change(_DROP, (self._name,))

    def lease(self, key: str) -> Lease:
        """Return a lease whose token is in the key's row."""
        row, change = (self._name, key), self._database.change

        def mark(token: str) -> None:
            change(_MARK, (*row, time.time(), token))

        def unmark(token: str) -> None:
            if not change(_UNMARK_ABSENT, (*row, token)):
                change(_UNMARK, (*row, token))

        name = self._place.lock_name(self.namespace, key)
        return LocalLease(name, self._place.locks, mark, unmark)

    def fill(self, key: str, data: bytes, ttl: float | None, lease: Lease) -> bool:
        """Write the key's row if the lease's token is in it."""
        row = _expires(ttl), data, self._name, key, lease.token
        filled = self._database.change(_FILL, row, len(data)) > 0
        if filled and isinstance(lease, LocalLease):
            lease.forget()
        return filled

    def store_many(self, records: Mapping[str, bytes], ttl: float | None) -> None:
        """Write the keys' rows, all or none."""
        times = self._times(ttl)
        rows = ((self._name, key, *times, data) for key, data in records.items())
        self._database.change_all(_STORE, rows, sum(map(len, records.values())))

    def discard_many(self, keys: Iterable[str]) -> int:
        """Delete the keys' rows, all or none."""
        rows = [(self._name, key) for key in keys]
        removed = self._database.change_all(_DISCARD, rows)
        self._database.change_all(_BREAK, rows)
        return removed

    def fetch_accessed(self, key: str) -> tuple[bytes, float | None] | None:
        """Return the data in the key's row and when it was touched."""
        row = self._database.first(_FETCH_ACCESSED, (self._name, key))
        return None if row is None or row[0] is None else row

    def touch(self, key: str, ttl: float | None, accessed: float) -> bool:
        """Write the times in the key's row."""
        row = _expires(ttl), accessed, self._name, key
        return self._database.change(_TOUCH, row) > 0

    def keys(self) -> Iterable[str]:
        """Return the keys of the rows that are records."""
        rows = self._database.every(_KEYS, (self._name, time.time()))
        return [decoded(key) for (key,) in rows]

    def size(self) -> int:
        """Count the rows that are records."""
        (count,) = self._database.first(_SIZE, (self._name, time.time()))
        return int(count)

    def purge(self) -> int:
        """Delete the rows past their time, and tokens that were left behind."""
        now = time.time()
        old = now - LEFT_BEHIND
        self._database.change(_PURGE_TOKENS, (self._name, old))
        return self._database.change(_PURGE, (self._name, now, old))

    def purge_sessions(
        self, unused_for: float, *, dry_run: bool = False
    ) -> Iterator[Purged]:
        """Delete the rows of sessions that were not written for so long."""
        now = time.time()
        before, examined, removed = now - unused_for, 0, 0
        for first, end in self._all_sessions():
            after: Any = first
            while page := self._database.every(_PAGE, (before, now, after, end)):
                unused = [(name, before, now) for name, is_unused in page if is_unused]
                examined, after = examined + len(page), page[-1][0]
                if unused and not dry_run:
                    removed += self._database.change_all(_REMOVE_UNUSED, unused)
                else:
                    removed += len(unused)
                yield Purged(examined, removed)
        yield Purged(examined, removed, examined)

    def session_ids(self) -> Iterator[str]:
        """Return the ids of all sessions, some hundred with each statement."""
        (first, end), _ = self._all_sessions()
        after, now = first, time.time()
        while page := self._database.every(_PAGE, (now, now, after, end)):
            after = page[-1][0]
            yield from (name.removeprefix(first) for name, _ in page)

    def version(self) -> str:
        """Return the version of the SQLite in this Python."""
        return f"SQLite {sqlite3.sqlite_version}"

    def place(self) -> str:
        """Return the store's name and file."""
        return f"sqlite at {self._path}"

    def _all_sessions(self) -> Iterator[tuple[Any, Any]]:
        # SQLite has those whose names are no Unicode as bytes, behind all text.
        first = f"session:{self._place.scoped('')}"
        yield first, f"{first}\U0010ffff"
        as_bytes = first.encode("utf-8", "surrogatepass")
        yield as_bytes, as_bytes + b"\xff"

    def _times(self, ttl: float | None) -> tuple[float | None, float | None]:
        now = time.time()
        accessed = now if self.settings.purpose == "session" else None
        return None if ttl is None else now + ttl, accessed

    @cached_property
    def _place(self) -> Place:
        return Place("sqlite", self.settings, nested=False)

    @property
    def _path(self) -> str:
        return f"{self._place.path}/beaker.sqlite3"

    def _open_database(self) -> Database:
        files = PrivateFiles(self._place)
        return Database(self._path, _SCHEMA, files, self._patience)


def _expires(ttl: float | None) -> float | None:
    return None if ttl is None else time.time() + ttl
