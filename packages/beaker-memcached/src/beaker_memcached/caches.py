"""The records of one cache: valid as long as its generation is there."""

from __future__ import annotations

import time
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping

from beaker.protocols import Lease
from beaker_memcached.clients import Client
from beaker_memcached.clients.base import Write
from beaker_memcached.items import NEVER, Item, data_in, expiry
from beaker_memcached.leases import CreationLease, new_generation
from beaker_memcached.names import CacheNames
from beaker_memcached.servers import Servers

__all__ = ["CacheRecords"]

#: How many records one command works on.
BATCH = 100


class CacheRecords:
    """The records of a namespace, each with the generation in which it was written.

    A generation is a random token, one copy on each server: what is read together
    lies together. Dropping the namespace removes the token, so that whatever refers
    to it is as absent as if it had been removed.

    Args:
        servers: Where they are.
        names: Those of the namespace.
    """

    __slots__ = ("_generation", "_known", "_names", "_record", "_servers")

    def __init__(self, servers: Servers, names: CacheNames) -> None:
        self._servers, self._names = servers, names
        self._record, self._generation = names.record, names.generation
        # What we have last seen, by server: a guess, that is checked when it is used.
        self._known: dict[int, bytes] = {}

    def fetch(self, key: str) -> bytes | None:
        """Return a record, in one round trip."""
        name = self._record(key)
        number = self._servers.number_for(name)
        found = self._servers[number].get_many((self._generation, name))
        return data_in(found.get(name), self._note(number, found))

    def fetch_many(self, keys: Iterable[str]) -> dict[str, bytes]:
        """Return the records that are there, in one round trip per server."""
        found: dict[str, bytes] = {}
        for number, some in self._by_server(keys):
            answer = self._servers[number].get_many([self._generation, *some])
            generation = self._note(number, answer)
            for name, key in some.items():
                data = data_in(answer.get(name), generation)
                if data is not None:
                    found[key] = data
        return found

    def fetch_accessed(self, key: str) -> tuple[bytes, float | None] | None:
        """Return a record and when it was last touched, in one round trip."""
        number, client, name = self._place(key)
        accessed = self._names.accessed(name)
        found = client.get_many([self._generation, name, accessed])
        generation = self._note(number, found)
        data = data_in(found.get(name), generation)
        mark = data_in(found.get(accessed), generation)
        if data is None:
            return None
        return data, None if mark is None else float(mark)

    def store(self, key: str, data: bytes, ttl: float | None) -> None:
        """Store a record, and break the lease on its key."""
        number, _, name = self._place(key)
        self._store_at(number, {name: data}, ttl)

    def store_many(self, records: Mapping[str, bytes], ttl: float | None) -> None:
        """Store, and break leases, in one round trip where a read went before."""
        for number, some in self._by_server(records):
            data = {name: records[key] for name, key in some.items()}
            self._store_at(number, data, ttl)

    def discard_many(self, keys: Iterable[str]) -> int:
        """Remove records with their access times, and break the leases on them."""
        gone = 0
        for number, some in self._by_server(keys):
            client = self._servers[number]
            found = client.get_many([self._generation, *some])
            generation = self._note(number, found)
            gone += sum(
                data_in(found.get(name), generation) is not None for name in some
            )
            # First the records: without them, who holds a lease can fill none.
            beside = (self._names.lease, self._names.accessed)
            others = [name_of(name) for name in some for name_of in beside]
            client.delete_many([*some, *others])
        return gone

    def replace(
        self, key: str, expected: bytes | None, data: bytes, ttl: float | None
    ) -> bool:
        """Store a record if the stored one is as expected, and break the lease."""
        new = self._swap(key, lambda now: data if now == expected else None, ttl)
        if new is None:
            return False
        _, client, name = self._place(key)
        client.forget(self._names.lease(name))
        return True

    def touch(self, key: str, ttl: float | None, accessed: float) -> bool:
        """Mark a record that is there as accessed, and keep it for `ttl` seconds."""
        kept = self._swap(key, lambda now: now, ttl)
        if kept is None:
            return False
        _, client, name = self._place(key)
        mark = kept._replace(data=repr(accessed).encode())
        client.set(self._names.accessed(name), mark.packed(), expiry(ttl))
        return True

    def drop(self) -> None:
        """Make all records and leases invalid, whatever their number."""
        self._known.clear()
        for client in self._servers:
            client.delete(self._generation)

    def lease(self, key: str, expires_in: float) -> Lease:
        """Return a lease on the creation of a record."""
        number, client, name = self._place(key)
        names = (self._generation, self._names.lease(name), name)
        return CreationLease(client, names, key, self._known.get(number), expires_in)

    def fill(self, key: str, data: bytes, ttl: float | None, lease: Lease) -> bool:
        """Store what the holder of a lease has created, and free the lease."""
        name = self._record(key)
        if not isinstance(lease, CreationLease) or lease.record != name:
            return False
        if lease.version is None or lease.is_lost:
            return False
        client = lease.client
        ends = 0.0 if ttl is None else time.time() + ttl
        item = Item(lease.generation, data, ends).packed()
        write = Write(name, item, expiry(ttl), lease.version)
        (stored, is_free), generation = client.cas_then_get(
            [write, lease.ending()], self._generation
        )
        lease.version = None
        # Dropped meanwhile: what was stored is not there.
        held = stored and generation == lease.generation
        if held:
            if not is_free:
                # It has been renewed since.
                client.forget(lease.name)
            lease.forget()
        return held

    def _store_at(
        self, number: int, records: Mapping[str, bytes], ttl: float | None
    ) -> None:
        ends = 0.0 if ttl is None else time.time() + ttl
        client, gone = self._servers[number], [*map(self._names.lease, records)]
        generation = self._known.get(number)
        while True:
            if generation is None:
                generation = self._begun(client)
            items = {
                name: Item(generation, data, ends).packed()
                for name, data in records.items()
            }
            after = client.set_many_then_get(items, expiry(ttl), gone, self._generation)
            # Dropped meanwhile: what was stored under the former is not there.
            if after == generation:
                self._known[number] = generation
                return
            generation = after

    def _swap(
        self,
        key: str,
        change: Callable[[bytes | None], bytes | None],
        ttl: float | None,
    ) -> Item | None:
        """Store what a function makes of what is there now, unless it makes None."""
        number, client, name = self._place(key)
        ends = 0.0 if ttl is None else time.time() + ttl
        while True:
            # The generation last: what was read before it and is of another one is of
            # a former one. The other way round it may be of a newer one, and live.
            seen = client.gets_many([name, self._generation])
            found = {one: stored for one, (stored, _) in seen.items()}
            generation = self._note(number, found)
            data = change(data_in(found.get(name), generation))
            if data is None:
                return None
            generation = generation or self._begun(client)
            new = Item(generation, data, ends)
            version = seen.get(name, (b"", None))[1]
            write = Write(name, new.packed(), expiry(ttl), version)
            if write.version is None:
                stored = client.add(write.name, write.data, write.expires)
            else:
                stored = client.cas(*write)
            if stored:
                return new

    def _begun(self, client: Client) -> bytes:
        """Return the generation on a server where there was none."""
        while True:
            begin = Write(self._generation, new_generation(), NEVER)
            seen = client.look_after([begin], [self._generation])
            if self._generation in seen:
                return seen[self._generation][0]

    def _note(self, number: int, found: Mapping[str, bytes]) -> bytes | None:
        generation = found.get(self._generation)
        if generation is not None:
            self._known[number] = generation
        return generation

    def _place(self, key: str) -> tuple[int, Client, str]:
        name = self._record(key)
        number = self._servers.number_for(name)
        return number, self._servers[number], name

    def _by_server(self, keys: Iterable[str]) -> Iterator[tuple[int, dict[str, str]]]:
        """Yield servers, each with some names of records there and their keys."""
        places: defaultdict[int, dict[str, str]] = defaultdict(dict)
        for key in keys:
            name = self._record(key)
            places[self._servers.number_for(name)][name] = key
        for number, names in places.items():
            every = list(names.items())
            for start in range(0, len(every), BATCH):
                yield number, dict(every[start : start + BATCH])
