"""The store: the records of one namespace in memcached."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, ClassVar

from beaker.container import Container, SyncDict
from beaker.protocols import (
    Coercer,
    Lease,
    NamespaceManager,
    boolean,
    choice,
    optional,
    text,
)
from beaker_memcached.caches import CacheRecords
from beaker_memcached.clients import MODULES
from beaker_memcached.former import FormerCalls
from beaker_memcached.names import CacheNames, SessionNames
from beaker_memcached.servers import Servers
from beaker_memcached.sessions import SessionRecords

__all__ = [
    "MemcachedContainer",
    "MemcachedNamespaceManager",
    "PyLibMCNamespaceManager",
]


class MemcachedNamespaceManager(NamespaceManager):
    """Keeps records in memcached, for all processes on all hosts.

    Args:
        namespace: Its name.
        url: ``host:port``, or ``unix:/path``; several with semicolons between them.
        memcache_module: The client library: ``pymemcache``, ``pylibmc``, ``memcache``,
            ``bmemcached``, or ``auto``, the first of these that is installed.
        keywords: The other options.

    Raises:
        MissingCacheParameter: There is no `url`.
        InvalidOptionError: An option has a value that it does not take.
    """

    options: ClassVar[Mapping[str, Coercer]] = {
        "memcache_module": choice("auto", *MODULES),
        "username": optional(text),
        "password": optional(text),
        "tls": boolean,
        "tls_ca": optional(text),
    }
    expires_natively = True
    updates_atomically = True
    shared_between_processes = True
    shared_between_hosts = True

    #: In 1.x a session was text, marked as such: so the mode ``compat``.
    kept_bare_text = True

    former = "mc", FormerCalls
    #: For such subclasses: the clients that their processes share.
    clients: ClassVar[SyncDict] = SyncDict()

    _servers: Servers

    def __init__(
        self,
        namespace: str,
        url: str | None = None,
        memcache_module: str = "auto",
        **keywords: Any,
    ) -> None:
        keywords["memcache_module"] = memcache_module
        super().__init__(namespace, url, **keywords)

    def prepare(self) -> None:
        """Derive the names of this namespace."""
        settings = self.settings
        if "_servers" not in self.__dict__:
            self._servers = Servers(settings)
        prefix = settings.prefix
        self._records: CacheRecords | SessionRecords
        if settings.purpose == "session":
            names = SessionNames(self.namespace, prefix)
            self._records = SessionRecords(self._servers, names)
        else:
            self._records = CacheRecords(
                self._servers, CacheNames(self.namespace, prefix)
            )

    def place(self) -> str:
        """Return the configured name and where the servers are."""
        return self._servers.place

    def ping(self) -> None:
        """Return if all servers answer."""
        for client in self._servers:
            client.get_many(["beaker_ping"])

    def fetch(self, key: str) -> bytes | None:
        """Return a record, in one round trip."""
        return self._records.fetch(key)

    def store(self, key: str, data: bytes, ttl: float | None) -> None:
        """Store a record, and break the lease on its key."""
        self._records.store(key, data, ttl)

    def discard(self, key: str) -> bool:
        """Remove a record with its access time, and break the lease on its key."""
        return self._records.discard_many([key]) > 0

    def replace(
        self, key: str, expected: bytes | None, data: bytes, ttl: float | None
    ) -> bool:
        """Store a record if the stored one is as expected, and break the lease."""
        return self._records.replace(key, expected, data, ttl)

    def drop(self) -> None:
        """Remove all records and leases; nobody else's, and at a constant cost."""
        self._records.drop()

    def lease(self, key: str) -> Lease:
        """Return a lease on the creation of a record."""
        return self._records.lease(key, self.lease_expires_in)

    def fill(self, key: str, data: bytes, ttl: float | None, lease: Lease) -> bool:
        """Store what the holder of a lease has created, and free the lease."""
        return self._records.fill(key, data, ttl, lease)

    def fetch_many(self, keys: Iterable[str]) -> dict[str, bytes]:
        """Return the records that are there, a hundred in one round trip."""
        return self._records.fetch_many(keys)

    def store_many(self, records: Mapping[str, bytes], ttl: float | None) -> None:
        """Store several records, a hundred in one round trip."""
        self._records.store_many(records, ttl)

    def discard_many(self, keys: Iterable[str]) -> int:
        """Remove several records, a hundred in two round trips."""
        return self._records.discard_many(keys)

    def fetch_accessed(self, key: str) -> tuple[bytes, float | None] | None:
        """Return a record and when it was last touched, in one round trip."""
        return self._records.fetch_accessed(key)

    def touch(self, key: str, ttl: float | None, accessed: float) -> bool:
        """Mark a record that is there as accessed, and keep it for `ttl` seconds."""
        return self._records.touch(key, ttl, accessed)


class PyLibMCNamespaceManager(MemcachedNamespaceManager):
    """The same through pylibmc; 1.x had this class."""

    def __init__(self, namespace: str, url: str | None = None, **keywords: Any) -> None:
        keywords["memcache_module"] = "pylibmc"
        super().__init__(namespace, url, **keywords)


class MemcachedContainer(Container):
    """Deprecated since 1.0: a value in memcached."""

    namespace_manager = MemcachedNamespaceManager
