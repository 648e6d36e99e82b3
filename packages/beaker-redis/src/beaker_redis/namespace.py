"""The store: the records of one namespace on a Redis server or cluster."""

from __future__ import annotations

import time
from collections.abc import Iterable, Iterator, Mapping
from math import ceil
from typing import Any, ClassVar

from beaker.protocols import (
    Coercer,
    Lease,
    NamespaceManager,
    Purged,
    optional,
    seconds,
    text,
)
from beaker_redis import scripts
from beaker_redis.connections import with_login
from beaker_redis.leases import RedisLease
from beaker_redis.names import Names, session_id, session_pattern
from beaker_redis.refusals import AWAY
from beaker_redis.server import Client, Server, cluster_server, redis_server
from beaker_redis.unused import purge_unused

__all__ = ["RedisClusterNamespaceManager", "RedisNamespaceManager"]

#: How many records one script works on. It holds up all other clients meanwhile, and
#: has to end within the deadline.
BATCH = 500

#: Milliseconds of the longest expiry, some 300 years: beyond, Redis refuses.
LONGEST = 10**13


class RedisNamespaceManager(NamespaceManager):
    """Keeps records on a Redis server, for all processes on all hosts.

    Args:
        namespace: Its name.
        url: ``redis://``, ``rediss://``, ``unix://`` or ``redis+sentinel://``, or a
            client, which is used as it is.
        timeout: Seconds that a record stays which is stored without saying how long;
            None: for ever.
        keywords: The other options.

    Raises:
        MissingCacheParameter: There is no `url`.
    """

    options: ClassVar[Mapping[str, Coercer]] = {"timeout": optional(seconds)}
    unavailable = AWAY
    first_wait = "`store_timeout`, or so long for each sentinel that is silent"
    enumerable = True
    expires_natively = True
    updates_atomically = True
    shared_between_processes = True
    shared_between_hosts = True
    #: As durable as its administrator has made it.
    durable = True

    _removed_at_once = BATCH
    _server: Server

    def __init__(
        self,
        namespace: str,
        url: str | Client | None = None,
        timeout: float | None = None,
        **keywords: Any,
    ) -> None:
        super().__init__(namespace, url, timeout=timeout, **keywords)
        self._server = self._reached()
        self._timeout: float | None = self.settings.own.get("timeout")

    def prepare(self) -> None:
        """Derive the names of this namespace."""
        settings = self.settings
        self._names = Names(self.namespace, settings.prefix, settings.purpose)
        self._record = self._names.record
        self._is_session = settings.purpose == "session"
        index = self._names.index
        self._index = () if index is None else (index,)

    @property
    def client(self) -> Client:
        """The client of this process; its user closes only one that he passed in."""
        return self._server.client

    def place(self) -> str:
        """Return the configured name and where the server is."""
        return self._server.place()

    def version(self) -> str:
        """Return what the server calls itself."""
        told = self._server.ask_client("INFO", "server")
        name = "Valkey" if "valkey_version" in told else "Redis"
        return f"{name} {told[f'{name.lower()}_version']}"

    def session_ids(self) -> Iterator[str]:
        """Return the ids of the sessions that the server finds by their names."""
        prefix = self.settings.prefix
        for found in self._server.scan(session_pattern(prefix)):
            for name in found:
                known = session_id(name, prefix)
                if known is not None:
                    yield known

    def ping(self) -> None:
        """Return if the server answers."""
        self._server.ask("EXISTS", self._record("ping"))

    def fetch(self, key: str) -> bytes | None:
        """Return a record."""
        data: bytes | None = self._server.ask("GET", self._record(key))
        return data

    def store(self, key: str, data: bytes, ttl: float | None) -> None:
        """Store a record, and break the lease on its key."""
        if self._is_session:
            arguments = self._lifetime(ttl), data, repr(time.time())
            self._server.run(scripts.STORE_SESSION, self._trio(key), *arguments)
        else:
            names = self._with_lease(key)
            self._server.run(scripts.STORE, names, self._lifetime(ttl), data)

    def discard(self, key: str) -> bool:
        """Remove a record with its access time, and break the lease on its key."""
        return self.discard_many([key]) > 0

    def replace(
        self, key: str, expected: bytes | None, data: bytes, ttl: float | None
    ) -> bool:
        """Store a record if the stored one is as expected, and break the lease."""
        arguments = [self._lifetime(ttl), data]
        script, names = scripts.REPLACE, self._with_lease(key)
        if self._is_session:
            script, names = scripts.REPLACE_SESSION, self._trio(key)
            arguments.append(repr(time.time()))
        if expected is not None:
            arguments.append(expected)
        return bool(self._server.run(script, names, *arguments))

    def drop(self) -> None:
        """Remove all records and leases, by the index, in batches."""
        if not self._index:
            self.discard("session")
            return
        while self._server.run(scripts.DROP, self._index, BATCH):
            pass

    def lease(self, key: str) -> Lease:
        """Return a lease whose waiters are woken by the server."""
        return RedisLease(self._server, self._names, key, self.lease_expires_in)

    def fill(self, key: str, data: bytes, ttl: float | None, lease: Lease) -> bool:
        """Store what the holder of a lease has created, and free the lease."""
        names, life = self._with_lease(key), self._lifetime(ttl)
        held = bool(self._server.run(scripts.FILL, names, life, data, lease.token))
        if isinstance(lease, RedisLease):
            lease.forget()
        return held

    def fetch_many(self, keys: Iterable[str]) -> dict[str, bytes]:
        """Return the records that are there, in one round trip per batch."""
        found: dict[str, bytes] = {}
        for some in _batches(keys):
            answers = self._server.ask("MGET", *map(self._record, some))
            pairs = zip(some, answers, strict=True)
            found.update((key, data) for key, data in pairs if data is not None)
        return found

    def store_many(self, records: Mapping[str, bytes], ttl: float | None) -> None:
        """Store several records, in one round trip per batch."""
        life = self._lifetime(ttl)
        for some in _batches(records):
            names = [name for key in some for name in self._pair(key)]
            data = [records[key] for key in some]
            self._server.run(scripts.STORE, [*names, *self._index], life, *data)

    def discard_many(self, keys: Iterable[str]) -> int:
        """Remove several records, in one round trip per batch."""
        gone = 0
        for some in _batches(keys):
            names = [name for key in some for name in self._trio(key)]
            gone += self._server.run(scripts.DISCARD, [*names, *self._index])
        return gone

    def fetch_accessed(self, key: str) -> tuple[bytes, float | None] | None:
        """Return a record and when it was last touched, in one round trip."""
        names = self._record(key), self._names.accessed(key)
        data, accessed = self._server.ask("MGET", *names)
        if data is None:
            return None
        return data, None if accessed is None else float(accessed)

    def touch(self, key: str, ttl: float | None, accessed: float) -> bool:
        """Mark a record that is there as accessed, and keep it for `ttl` seconds."""
        names = [self._record(key), self._names.accessed(key), *self._index]
        life = self._lifetime(ttl)
        return bool(self._server.run(scripts.TOUCH, names, life, repr(accessed)))

    def keys(self) -> Iterable[str]:
        """Return the keys of all records; the server is asked for some at a time."""
        if not self._index:
            return ["session"] if self.fetch("session") is not None else []
        self.purge()
        return set(self._walk())

    def size(self) -> int:
        """Return how many records there are."""
        return self._count()[1] if self._index else len(list(self.keys()))

    def purge(self) -> int:
        """Forget the names of what has expired, and return how many those were."""
        return self._count()[0] if self._index else 0

    def purge_sessions(
        self, unused_for: float, *, dry_run: bool = False
    ) -> Iterator[Purged]:
        """Remove unused sessions; the server is asked for some hundreds at a time."""
        prefix, at_once = self.settings.prefix, self._removed_at_once
        return purge_unused(
            self._server, prefix, unused_for, at_once=at_once, dry_run=dry_run
        )

    def _reached(self) -> Server:
        return redis_server(self.settings.url, self.settings.deadline)

    def _pair(self, key: str) -> tuple[bytes, bytes]:
        return self._record(key), self._names.lease(key)

    def _trio(self, key: str) -> tuple[bytes, bytes, bytes]:
        return *self._pair(key), self._names.accessed(key)

    def _with_lease(self, key: str) -> tuple[bytes, ...]:
        return *self._pair(key), *self._index

    def _lifetime(self, ttl: float | None) -> int | str:
        # In whole milliseconds, as Redis counts; nothing for what never expires.
        ttl = self._timeout if ttl is None else ttl
        return "" if ttl is None else min(max(1, ceil(ttl * 1000)), LONGEST)

    def _count(self) -> tuple[int, int]:
        gone, left = self._server.run(scripts.COUNT, self._index)
        return gone, left

    def _walk(self) -> Iterator[str]:
        cursor: Any = 0
        while True:
            cursor, members = self._server.ask_client(
                "ZSCAN", *self._index, cursor, "COUNT", BATCH
            )
            yield from (self._names.key_of(name) for name, at in members if at > 0)
            if not int(cursor):
                return


class RedisClusterNamespaceManager(RedisNamespaceManager):
    """Keeps records in a Redis Cluster, each namespace whole on one of its nodes.

    Args:
        namespace: Its name.
        urls: The URLs of some nodes, with commas between them, or a client.
        timeout: As for `RedisNamespaceManager`.
        keywords: The other options; `username` and `password` are for the nodes.
    """

    options: ClassVar[Mapping[str, Coercer]] = {
        **RedisNamespaceManager.options,
        # As 1.x called it, which had no `url` here.
        "urls": lambda name, value: (
            text(name, value) if isinstance(value, str) else value
        ),
        "username": optional(text),
        "password": optional(text),
    }
    first_wait = "`store_timeout`, and so long for each node that is silent"

    # No two sessions need be on one node.
    _removed_at_once = 1

    def __init__(
        self,
        namespace: str,
        urls: str | Client | None = None,
        timeout: float | None = None,
        **keywords: Any,
    ) -> None:
        url = keywords.pop("url", None) or urls
        super().__init__(namespace, url, timeout, **keywords)

    def _reached(self) -> Server:
        url, own = self.settings.url, self.settings.own
        if isinstance(url, str):
            url = with_login(url, own.get("username"), own.get("password"))
        return cluster_server(url, self.settings.deadline)


def _batches(keys: Iterable[str]) -> Iterator[list[str]]:
    every = list(keys)
    for start in range(0, len(every), BATCH):
        yield every[start : start + BATCH]
