"""The record of one session, bare as Beaker 1.x kept it, at the same place."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from beaker.exceptions import UnsupportedOperationError
from beaker.protocols import Lease
from beaker_memcached.clients import Client
from beaker_memcached.items import expiry
from beaker_memcached.leases import NameLease
from beaker_memcached.names import SessionNames
from beaker_memcached.servers import Servers

__all__ = ["SessionRecords"]

_KEY = "session"


class SessionRecords:
    """A session's namespace: one record, with its access time beside it.

    Args:
        servers: Where it is.
        names: Those of the namespace.
    """

    __slots__ = ("_names", "_seen", "_servers")

    def __init__(self, servers: Servers, names: SessionNames) -> None:
        self._servers, self._names = servers, names
        # What was read last: its version need not be asked for to replace it.
        self._seen: tuple[str, bytes, Any] | None = None

    def fetch(self, key: str) -> bytes | None:
        """Return the record, in one round trip."""
        name = self._names.record(key)
        return self._look(self._client(name), name).get(name)

    def fetch_many(self, keys: Iterable[str]) -> dict[str, bytes]:
        """Return the records that are there."""
        found = ((key, self.fetch(key)) for key in keys)
        return {key: data for key, data in found if data is not None}

    def fetch_accessed(self, key: str) -> tuple[bytes, float | None] | None:
        """Return the record and when it was last touched, in one round trip."""
        name = self._names.record(key)
        accessed = self._names.accessed(name)
        found = self._look(self._client(name), name, accessed)
        if name not in found:
            return None
        mark = found.get(accessed)
        return found[name], None if mark is None else float(mark)

    def store(self, key: str, data: bytes, ttl: float | None) -> None:
        """Store a record, whatever was there."""
        name = self._names.record(key)
        self._client(name).set(name, _marked(data), expiry(ttl))

    def store_many(self, records: Mapping[str, bytes], ttl: float | None) -> None:
        """Store several records."""
        for key, data in records.items():
            self.store(key, data, ttl)

    def discard_many(self, keys: Iterable[str]) -> int:
        """Remove the record and its access time."""
        gone = 0
        for key in keys:
            name = self._names.record(key)
            client = self._client(name)
            gone += name in client.get_many([name])
            beside = (self._names.accessed(name), self._names.lease(name))
            client.delete_many([name, *beside])
        return gone

    def replace(
        self, key: str, expected: bytes | None, data: bytes, ttl: float | None
    ) -> bool:
        """Store the record if the stored one is as expected."""
        name = self._names.record(key)
        client, expires = self._client(name), expiry(ttl)
        if expected is None:
            return client.add(name, _marked(data), expires)
        seen, self._seen = self._seen, None
        if not seen or seen[:2] != (name, expected):
            seen = self._version(client, name, expected)
        while seen:
            if client.cas(name, _marked(data), expires, seen[2]):
                return True
            seen = self._version(client, name, expected)
        return False

    def touch(self, key: str, ttl: float | None, accessed: float) -> bool:
        """Mark the record as accessed if it is there, and keep it longer."""
        name = self._names.record(key)
        client, expires = self._client(name), expiry(ttl)
        if not client.touch(name, expires):
            return False
        client.set(self._names.accessed(name), repr(accessed).encode(), expires)
        return True

    def drop(self) -> None:
        """Remove the record."""
        self.discard_many([_KEY])

    def lease(self, key: str, expires_in: float) -> Lease:
        """Return a lease on the session."""
        name = self._names.record(key)
        return NameLease(self._client(name), self._names.lease(name), key, expires_in)

    def fill(self, *_: object) -> bool:
        """Refuse: a bare record has no place for what would keep latecomers out."""
        raise UnsupportedOperationError(
            self._servers.place, "fill a session's record", "updates_atomically"
        )

    def _client(self, name: str) -> Client:
        return self._servers[self._servers.number_for(name)]

    def _version(
        self, client: Client, name: str, expected: bytes
    ) -> tuple[str, bytes, Any] | None:
        data, version = client.gets_many([name]).get(name, (None, None))
        return (name, expected, version) if data == expected else None

    def _look(self, client: Client, name: str, *others: str) -> dict[str, bytes]:
        found = client.gets_many([name, *others])
        self._seen = (name, *found[name]) if name in found else None
        return {each: data for each, (data, _) in found.items()}


def _marked(data: bytes) -> bytes | str:
    # What 1.x wrote is text. No record of 2.x is: it begins with a byte beyond ASCII.
    return data.decode("ascii") if data.isascii() else data
