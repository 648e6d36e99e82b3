"""The store: the records of one namespace in MongoDB."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from functools import partial
from typing import Any

from pymongo import UpdateOne
from pymongo.errors import BulkWriteError

from beaker.protocols import Lease, NamespaceManager, Purged
from beaker_mongodb import updates
from beaker_mongodb.former import FormerSession, is_former
from beaker_mongodb.layout import Client, Collections
from beaker_mongodb.leases import MongoLease
from beaker_mongodb.names import Names
from beaker_mongodb.records import Record, checked
from beaker_mongodb.refusals import AWAY
from beaker_mongodb.server import Server
from beaker_mongodb.unused import purge_unused, session_ids

__all__ = ["MongoNamespaceManager"]

#: How many documents one command works on, so that it ends within the deadline.
BATCH = 1000

#: How many documents one answer brings.
LISTED = 100_000

#: The code of the server where two have made the same document at one moment.
DUPLICATE_KEY = 11000

_DATA = {"_id": 0, "data": 1}


class MongoNamespaceManager(NamespaceManager):
    """Keeps records in MongoDB, for all processes on all hosts.

    Args:
        namespace: Its name.
        url: ``mongodb://`` or ``mongodb+srv://`` with the name of a database, or a
            `MongoClient` with a default database, which is used as it is.
        keywords: The other options.

    Raises:
        InvalidOptionError: The `url` is none of MongoDB.
        MissingCacheParameter: There is no `url`, or it names no database.
    """

    unavailable = AWAY
    first_wait = "`store_timeout`; half a second for a replica set without a primary"
    enumerable = True
    expires_natively = True
    updates_atomically = True
    shared_between_processes = True
    shared_between_hosts = True
    #: Writes are acknowledged by a majority, unless the URL says otherwise.
    durable = True

    _server: Server

    def __init__(
        self, namespace: str, url: str | Client | None = None, **keywords: Any
    ) -> None:
        super().__init__(namespace, url, **keywords)
        self._server = Server(self.settings.url, self.settings.deadline)

    def prepare(self) -> None:
        """Derive the ids of this namespace."""
        settings = self.settings
        self._names = Names(self.namespace, settings.prefix, settings.purpose)

    @property
    def client(self) -> Client:
        """The client of this process; its user closes only one that he passed in."""
        return self._server.client

    def place(self) -> str:
        """Return the configured name and where the server is."""
        return self._server.place()

    def ping(self) -> None:
        """Return if the server answers."""
        self._server.ask(lambda to: to.client.admin.command("ping"))

    def version(self) -> str:
        """Return what the server calls itself."""
        info = self._server.ask(lambda to: to.client.server_info())
        return f"MongoDB {info['version']}"

    def session_ids(self) -> Iterator[str]:
        """Return the ids of all sessions; of those of 1.x, of some hundred."""
        return session_ids(self._server, self.settings.prefix)

    def fetch(self, key: str) -> bytes | None:
        """Return a record."""
        wanted = {"_id": self._names.id(key)}
        found = self._server.ask(lambda to: to.records.find_one(wanted, _DATA))
        if found is not None and "data" in found:
            data: bytes = found["data"]
            return data
        former = self._former(key)
        return None if former is None else former.fetch()

    def store(self, key: str, data: bytes, ttl: float | None) -> None:
        """Store a record, and break the lease on its key."""
        self._record(key).store(data, ttl)
        former = self._former(key)
        if former is not None:
            former.discard()

    def discard(self, key: str) -> bool:
        """Remove a record with its access time, and break the lease on its key."""
        former = self._former(key)
        was_former = former is not None and former.discard()
        return self._record(key).discard() or was_former

    def replace(
        self, key: str, expected: bytes | None, data: bytes, ttl: float | None
    ) -> bool:
        """Store a record if the stored one is as expected, and break the lease."""
        record, former = self._record(key), self._former(key)
        if former is None:
            return record.replace(expected, data, ttl)
        if expected is None:
            if is_former(data):
                return not record.is_there() and former.add(data, ttl)
            return former.fetch() is None and record.replace(None, data, ttl)
        if record.replace(expected, data, ttl):
            if is_former(data):
                return self._moved(record, former, data, ttl)
            if is_former(expected):
                former.discard()
            return True
        return former.replace(expected, data, ttl)

    def _moved(
        self, record: Record, former: FormerSession, data: bytes, ttl: float | None
    ) -> bool:
        """Move what the mode ``compat`` wrote to where 1.x finds it."""
        if not former.add(data, ttl):
            # Another process moves it, too, and has seen ours.
            return True
        if record.discard_if(data) or record.is_there():
            return True
        # Moved by another, or else removed: then it is not brought back.
        return not former.discard_if(data)

    def drop(self) -> None:
        """Remove all records and leases, by their index, in batches."""
        if self._names.namespace is None:
            self.discard("session")
            return
        self._delete({"namespace": self._names.namespace})

    def lease(self, key: str) -> Lease:
        """Return a lease on the document that is to hold the record."""
        return MongoLease(self._server, self._names, key, self.lease_expires_in)

    def fill(self, key: str, data: bytes, ttl: float | None, lease: Lease) -> bool:
        """Store what the holder of a lease has created, and free the lease."""
        held = self._record(key).fill(lease.token, data, ttl)
        if isinstance(lease, MongoLease):
            lease.forget()
        return held

    def fetch_many(self, keys: Iterable[str]) -> dict[str, bytes]:
        """Return the records that are there, in one round trip per batch."""
        found: dict[str, bytes] = {}
        for some in _batches(keys):
            key_of = {self._names.id(key): key for key in some}
            for document in self._find({"_id": {"$in": list(key_of)}}, {"data": 1}):
                if "data" in document:
                    found[key_of[document["_id"]]] = document["data"]
        return found

    def store_many(self, records: Mapping[str, bytes], ttl: float | None) -> None:
        """Store several records, in one round trip per batch."""
        for some in _batches(records):
            changes = [self._upsert(key, records[key], ttl) for key in some]
            self._server.tell(partial(_write, changes))

    def discard_many(self, keys: Iterable[str]) -> int:
        """Remove several records, in one round trip per batch if all are there."""
        gone = 0
        for some in _batches(keys):
            mine = {"_id": {"$in": [self._names.id(key) for key in some]}}
            removed = self._remove({**mine, **updates.IS_RECORD})
            if removed < len(some):
                # The others may have leases, which have to be broken.
                self._remove(mine)
            gone += removed
        return gone

    def fetch_accessed(self, key: str) -> tuple[bytes, float | None] | None:
        """Return a record and when it was last touched, in one round trip."""
        mine, wanted = {"_id": self._names.id(key)}, {**_DATA, "accessed": 1}
        found = self._server.ask(lambda to: to.records.find_one(mine, wanted))
        if found is not None and "data" in found:
            return found["data"], found.get("accessed")
        former = self._former(key)
        return None if former is None else former.fetch_accessed()

    def touch(self, key: str, ttl: float | None, accessed: float) -> bool:
        """Mark a record that is there as accessed, and keep it for `ttl` seconds."""
        former = self._former(key)
        return self._record(key).touch(ttl, accessed) or (
            former is not None and former.touch(ttl, accessed)
        )

    def keys(self) -> Iterable[str]:
        """Return the keys of all records."""
        if self._names.namespace is None:
            return ["session"] if self.fetch("session") is not None else []
        return map(self._names.key_of, self._find(self._current(), {"key": 1}))

    def size(self) -> int:
        """Return how many records there are."""
        if self._names.namespace is None:
            return len(list(self.keys()))
        return self._server.ask(lambda to: to.records.count_documents(self._current()))

    def purge(self) -> int:
        """Remove what has expired, and the server has not removed yet."""
        if self._names.namespace is None:
            return 0
        return self._delete(
            {"namespace": self._names.namespace, **updates.IS_RECORD, **updates.EXPIRED}
        )

    def purge_sessions(
        self, unused_for: float, *, dry_run: bool = False
    ) -> Iterator[Purged]:
        """Remove unused sessions; the server is asked for some hundreds at a time."""
        prefix = self.settings.prefix
        return purge_unused(self._server, prefix, unused_for, dry_run=dry_run)

    def _record(self, key: str) -> Record:
        return Record(self._server, self._names.id(key), self._names.fields(key))

    def _former(self, key: str) -> FormerSession | None:
        name = self._names.former(key)
        return None if name is None else FormerSession(self._server, name)

    def _current(self) -> dict[str, Any]:
        return {"namespace": self._names.namespace, **updates.CURRENT}

    def _upsert(self, key: str, data: bytes, ttl: float | None) -> UpdateOne:
        data = checked(self._server, data)
        update = updates.stored(self._names.fields(key), data, ttl)
        return UpdateOne({"_id": self._names.id(key)}, update, upsert=True)

    def _find(
        self, condition: Mapping[str, Any], wanted: Mapping[str, int]
    ) -> list[dict[str, Any]]:
        # Without a size, the first answer would bring 101 documents only; with one, it
        # brings so many or 16 MiB of them.
        return self._server.ask(
            lambda to: list(to.records.find(condition, wanted, batch_size=LISTED))
        )

    def _remove(self, condition: Mapping[str, Any]) -> int:
        return self._server.ask(
            lambda to: to.records.delete_many(condition)
        ).deleted_count

    def _delete(self, condition: Mapping[str, Any]) -> int:
        gone = 0
        while True:
            some = self._server.ask(
                lambda to: list(to.records.find(condition, {"_id": 1}, limit=BATCH))
            )
            ids = [document["_id"] for document in some]
            gone += self._remove({**condition, "_id": {"$in": ids}}) if ids else 0
            if len(ids) < BATCH:
                return gone


def _batches(keys: Iterable[str]) -> Iterator[list[str]]:
    every = list(keys)
    for start in range(0, len(every), BATCH):
        yield every[start : start + BATCH]


def _write(changes: Sequence[UpdateOne], to: Collections) -> None:
    try:
        to.records.bulk_write(changes, ordered=False)
    except BulkWriteError as e:
        failed = e.details["writeErrors"]
        if any(one["code"] != DUPLICATE_KEY for one in failed):
            raise
        # Others have made these documents at this moment: now there are some to change.
        to.records.bulk_write([changes[one["index"]] for one in failed], ordered=False)
