"""Beaker's records by diskcache: one directory for all processes of a machine."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from hashlib import sha256
from sqlite3 import OperationalError
from threading import RLock

from diskcache import Cache, Timeout

from beaker.container import shared_client
from beaker.exceptions import MissingCacheParameter
from beaker.protocols import Lease, NamespaceManager
from beaker.synchronization import LocalLease, file_synchronizer

__all__ = ["DiskCacheNamespaceManager"]

#: Seconds to wait for others who write; SQLite lets them in as it comes.
PATIENCE = 5.0

# A child that is forked while SQLite works inherits locks that nobody will free.
_at_work = RLock()
if hasattr(os, "register_at_fork"):
    os.register_at_fork(
        before=_at_work.acquire,
        after_in_parent=_at_work.release,
        after_in_child=_at_work.release,
    )


class DiskCacheNamespaceManager(NamespaceManager):
    """Keeps records in `data_dir`; each change is a transaction."""

    unavailable = (Timeout, OperationalError, OSError)
    remedy = "check the directory in the option 'data_dir'"
    first_wait = "5 seconds for other writers"
    expires_natively = updates_atomically = shared_between_processes = durable = True

    def prepare(self) -> None:
        """Derive the names; nothing is opened yet."""
        self._directory = self.settings.data_dir or ""
        if not self._directory:
            raise MissingCacheParameter("'diskcache' needs the option 'data_dir'")
        self._locks = self.settings.lock_dir or f"{self._directory}/locks"
        names = self.settings.purpose, self.settings.prefix, self.namespace
        self._tag = sha256(repr(names).encode()).hexdigest()

    def place(self) -> str:
        """Return the store's name and where it is."""
        return f"diskcache at {self._directory}"

    def fetch(self, key: str) -> bytes | None:
        """Return a record."""
        with self._cache() as cache:
            data: bytes | None = cache.get(self._record(key))
        return data

    def store(self, key: str, data: bytes, ttl: float | None) -> None:
        """Store a record, and break the lease on its key."""
        with self._change() as cache:
            cache.set(self._record(key), data, ttl, tag=self._tag)
            cache.delete(self._token(key))

    def replace(
        self, key: str, expected: bytes | None, data: bytes, ttl: float | None
    ) -> bool:
        """Store a record if the stored one is as expected."""
        with self._change() as cache:
            as_expected: bool = cache.get(self._record(key)) == expected
            if as_expected:
                self.store(key, data, ttl)
        return as_expected

    def fill(self, key: str, data: bytes, ttl: float | None, lease: Lease) -> bool:
        """Store what the holder of a lease has created."""
        with self._change() as cache:
            is_held: bool = cache.get(self._token(key)) == lease.token
            if is_held:
                self.store(key, data, ttl)
        return is_held

    def discard(self, key: str) -> bool:
        """Remove a record, and break the lease on its key."""
        with self._change() as cache:
            cache.delete(self._token(key))
            return bool(cache.delete(self._record(key)))

    def drop(self) -> None:
        """Remove all records and leases, which an index finds by their tag."""
        with self._cache() as cache:
            cache.evict(self._tag)

    def lease(self, key: str) -> Lease:
        """Return a lease whose token is beside the record."""
        name = self._token(key)

        def mark(token: str) -> None:
            with self._cache() as cache:
                cache.set(name, token, tag=self._tag)

        def unmark(token: str) -> None:
            with self._change() as cache:
                if cache.get(name) == token:
                    cache.delete(name)

        return LocalLease(name, self._locks, mark, unmark)

    @contextmanager
    def _cache(self) -> Iterator[Cache]:
        with _at_work:
            yield shared_client(
                ("diskcache", self._directory), self._opened, Cache.close
            )

    @contextmanager
    def _change(self) -> Iterator[Cache]:
        with self._cache() as cache, cache.transact():
            yield cache

    def _opened(self) -> Cache:
        # Nobody is put out to make room, for a session would be lost; and all is in
        # rows, for files are gone for a moment while they are replaced.
        rows = {"disk_min_file_size": 2**30, "tag_index": True}
        # It makes its tables in several steps; two who do so find the file locked.
        turn = file_synchronizer("diskcache opens", lock_dir=self._locks)
        turn.acquire_write_lock()
        try:
            return Cache(self._directory, PATIENCE, eviction_policy="none", **rows)
        finally:
            turn.release_write_lock()

    def _record(self, key: str) -> str:
        return f"{self._tag} {key!r}"

    def _token(self, key: str) -> str:
        return f"{self._tag} token {key!r}"
