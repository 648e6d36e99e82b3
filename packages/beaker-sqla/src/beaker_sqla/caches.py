"""The rows of one cache."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any, TypeVar

from beaker.protocols import Lease
from beaker_sqla.leases import SqlLease
from beaker_sqla.names import decoded, digest_of, encoded, space_of
from beaker_sqla.opentable import OpenTable
from beaker_sqla.rows import Rows
from beaker_sqla.statements import BATCH, CacheStatements

__all__ = ["CacheRows"]

T = TypeVar("T")


class CacheRows(Rows[CacheStatements]):
    """The rows of one cache, one for each key.

    Args:
        table: The table they are in.
        namespace: The name of the cache.
        prefix: What keeps two applications apart.
    """

    def __init__(
        self, table: OpenTable[CacheStatements], namespace: str, prefix: str
    ) -> None:
        super().__init__(table)
        self._all = {"given_space": space_of(namespace, prefix)}

    def touch(self, key: str, ttl: float | None, accessed: float) -> bool:
        """Write the times in the key's row."""
        row = {**self._at(key), "given_touched": accessed, "given_ttl": ttl}
        return self._table.change(self._say.touch, row) > 0

    def lease(self, key: str, expires_in: float) -> Lease:
        """Return a lease that is kept in the key's row."""
        return SqlLease(self._table, self._new(key), key, expires_in)

    def fill(self, key: str, data: bytes, ttl: float | None, lease: Lease) -> bool:
        """Write the key's row if it holds the lease's token, and free the lease."""
        row = {**self._at(key), **self._stored(data, ttl), "given_token": lease.token}
        filled = bool(self._table.put((self._say.fill,), row))
        if isinstance(lease, SqlLease):
            lease.forget()
        return filled

    def fetch_many(self, keys: Iterable[str]) -> dict[str, bytes]:
        """Return the data in the keys' rows."""
        found: dict[str, bytes] = {}
        for some in _batches(keys):
            names = {digest_of(key): key for key in some}
            rows = self._table.every(self._say.fetch_many, self._these(names))
            found.update((names[name], data) for name, data in rows)
        return found

    def store_many(self, records: Mapping[str, bytes], ttl: float | None) -> None:
        """Insert or write the keys' rows."""
        expires = None
        if ttl is not None and records:
            # Drivers send many rows at once if they hold nothing but plain values.
            expires = self._table.first(self._say.now, {})[0] + ttl
        rows = [{**self._new(key), "given_data": records[key]} for key in records]
        # In one order, so that those who write the same rows do not block each other.
        rows.sort(key=lambda row: row["given_name"])
        for number, some in enumerate(_batches(rows)):
            # Not all at the same instant, or one statement would have to sweep them.
            end = None if expires is None else expires + number / 1000
            several = [{**row, "given_expires": end} for row in some]
            self._table.put_many(self._say.store_many, several)

    def discard_many(self, keys: Iterable[str]) -> int:
        """Delete the keys' rows."""
        gone = 0
        for some in _batches(keys):
            these = self._these(map(digest_of, some))
            gone += self._table.change(self._say.discard_many, these)
            self._table.change(self._say.forget_many, these)
        return gone

    def drop(self) -> None:
        """Delete all rows, so many with each statement."""
        rest = {**self._all, "given_after": b""}
        while last := self._table.first(self._say.last_to_drop, rest):
            self._table.change(self._say.drop, {**rest, "given_last": last[0]})
            rest["given_after"] = last[0]
        self._table.change(self._say.drop_rest, rest)

    def keys(self) -> Iterator[str]:
        """Return the keys; the database is asked for some at a time."""
        rest = {**self._all, "given_after": b""}
        while rows := self._table.every(self._say.keys, rest):
            yield from (decoded(key) for _, key in rows)
            rest["given_after"] = rows[-1][0]

    def purge(self) -> int:
        """Delete the records past their time, so many with each statement."""
        gone, more = 0, True
        while more:
            removed, more = self._table.bury(self._say.purge, self._all)
            gone += removed
        return gone

    def _at(self, key: str) -> dict[str, Any]:
        return {**self._all, "given_name": digest_of(key)}

    def _new(self, key: str) -> dict[str, Any]:
        return {**self._at(key), "given_key": encoded(key)}

    def _these(self, names: Iterable[bytes]) -> dict[str, Any]:
        return {**self._all, "given_names": list(names)}


def _batches(several: Iterable[T]) -> Iterator[list[T]]:
    every = list(several)
    for start in range(0, len(every), BATCH):
        yield every[start : start + BATCH]
