"""The rows of one namespace, whatever they are of."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterable, Mapping
from typing import Any, Generic, TypeVar

from beaker.protocols import Lease
from beaker_sqla.opentable import OpenTable
from beaker_sqla.statements import Statements

__all__ = ["Rows"]

S = TypeVar("S", bound=Statements)


class Rows(ABC, Generic[S]):
    """The rows of one namespace; its methods are those of a `NamespaceManager`.

    Args:
        table: The table they are in.
    """

    def __init__(self, table: OpenTable[S]) -> None:
        self._table, self._say = table, table.say

    def fetch(self, key: str) -> bytes | None:
        """Return the data in the key's row."""
        row = self._table.first(self._say.fetch, self._at(key))
        return None if row is None else row[0]

    def fetch_accessed(self, key: str) -> tuple[bytes, float | None] | None:
        """Return the data in the key's row, and when it was touched."""
        row = self._table.first(self._say.fetch_accessed, self._at(key))
        return None if row is None else (row[0], row[1])

    def store(self, key: str, data: bytes, ttl: float | None) -> None:
        """Insert the key's row, or write it."""
        row = {**self._new(key), **self._stored(data, ttl)}
        self._table.put(self._say.store, row)

    def replace(
        self, key: str, expected: bytes | None, data: bytes, ttl: float | None
    ) -> bool:
        """Write the key's row if it holds what is expected."""
        if expected is None:
            row = {**self._new(key), **self._stored(data, ttl)}
            return bool(self._table.put(self._say.add, row))
        row = {**self._at(key), **self._stored(data, ttl), "given_expected": expected}
        return bool(self._table.put((self._say.replace,), row))

    def discard(self, key: str) -> bool:
        """Delete the key's row."""
        if self._table.change(self._say.discard, self._at(key)):
            return True
        # Past its time, or without data: then it may hold the lease on a creation.
        self._table.change(self._say.forget, self._at(key))
        return False

    @abstractmethod
    def drop(self) -> None:
        """Delete all rows."""

    @abstractmethod
    def lease(self, key: str, expires_in: float) -> Lease:
        """Return a lease on what is in the key's row."""

    @abstractmethod
    def fill(self, key: str, data: bytes, ttl: float | None, lease: Lease) -> bool:
        """Write the key's row if the lease is held, and free it."""

    def fetch_many(self, keys: Iterable[str]) -> dict[str, bytes]:
        """Return the data in the keys' rows."""
        found = ((key, self.fetch(key)) for key in keys)
        return {key: data for key, data in found if data is not None}

    def store_many(self, records: Mapping[str, bytes], ttl: float | None) -> None:
        """Insert or write the keys' rows."""
        for key, data in records.items():
            self.store(key, data, ttl)

    def discard_many(self, keys: Iterable[str]) -> int:
        """Delete the keys' rows."""
        return sum(self.discard(key) for key in keys)

    @abstractmethod
    def keys(self) -> Iterable[str]:
        """Return the keys of the rows that are records."""

    @abstractmethod
    def purge(self) -> int:
        """Delete the rows past their time."""

    @abstractmethod
    def touch(self, key: str, ttl: float | None, accessed: float) -> bool:
        """Write the times in the key's row."""

    @abstractmethod
    def _at(self, key: str) -> dict[str, Any]:
        """Return what names the key's row."""

    @abstractmethod
    def _new(self, key: str) -> dict[str, Any]:
        """Return what names a new row, and stays in it."""

    def _stored(self, data: bytes, ttl: float | None) -> dict[str, Any]:
        """Return what is written with data."""
        return {"given_data": data, "given_ttl": ttl}
