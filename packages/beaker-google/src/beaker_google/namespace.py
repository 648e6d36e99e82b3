"""The store: the records of one namespace in Google Cloud Datastore."""

from __future__ import annotations

import time
from collections.abc import Iterable, Iterator, Mapping
from typing import Any, ClassVar

from google.cloud.datastore import Client

from beaker.exceptions import InvalidOptionError
from beaker.protocols import Coercer, Lease, NamespaceManager, Purged, text
from beaker_google.entities import Entry, ends_at
from beaker_google.leases import GoogleLease
from beaker_google.names import SESSIONS, Names
from beaker_google.refusals import AWAY
from beaker_google.service import Service
from beaker_google.slots import Decide, Slot
from beaker_google.table import Change, Listed, Seen, Table

__all__ = ["GoogleNamespaceManager"]


#: Bytes of the longest name of a kind.
LONGEST_KIND = 1500


def kind(name: str, value: Any) -> str:
    """Coerce the name of a kind."""
    taken = text(name, value)
    if not 0 < len(taken.encode()) <= LONGEST_KIND or taken.startswith("__"):
        takes = "the name of a kind, which does not begin with two underscores"
        raise InvalidOptionError(name, value, takes)
    return taken


class GoogleNamespaceManager(NamespaceManager):
    """Keeps records in Google Cloud Datastore, for all processes on all hosts.

    Args:
        namespace: Its name.
        table_name: The kind of its entities.
        url: ``datastore://project/database``, or a `google.cloud.datastore.Client`,
            which is used as it is; None: the project that the environment names.
        keywords: The other options.
    """

    options: ClassVar[Mapping[str, Coercer]] = {"table_name": kind}
    unavailable = AWAY
    # The default deadline is short for a service of the Internet.
    remedy = f"set 'store_timeout' to 1 or more, or {NamespaceManager.remedy}"
    enumerable = True
    #: By a TTL policy on the property `expires`; nobody reads what has expired anyway.
    expires_natively = True
    updates_atomically = True
    shared_between_processes = True
    shared_between_hosts = True
    durable = True

    #: Seconds after which the lease of a dead creator lapses.
    lease_expires_in: float = 5.0

    _service: Service

    def __init__(
        self,
        namespace: str,
        table_name: str = "beaker_cache",
        url: str | Client | None = None,
        **keywords: Any,
    ) -> None:
        # In this order, for 1.x had the table second and no URL.
        super().__init__(namespace, url, table_name=table_name, **keywords)
        self._service = Service(self.settings.url, self.settings.deadline)
        self._table = Table(self._service, self.settings.own["table_name"])

    def prepare(self) -> None:
        """Derive the names of this namespace."""
        settings = self.settings
        self._names = Names(self.namespace, settings.prefix, settings.purpose)
        # What was read last is probably what is changed next: its version is known.
        self._last: tuple[str, Seen] | None = None

    @property
    def client(self) -> Client:
        """The client of this process; its user closes only one that he passed in."""
        return self._service.client

    def place(self) -> str:
        """Return the configured name and where the database is."""
        return self._service.place()

    def fetch(self, key: str) -> bytes | None:
        """Return a record."""
        seen = self._look(key)
        return seen.entry.data if seen.entry.is_record(time.time()) else None

    def store(self, key: str, data: bytes, ttl: float | None) -> None:
        """Store a record, and break the lease on its key."""
        self.store_many({key: data}, ttl)

    def discard(self, key: str) -> bool:
        """Remove a record with its access time, and break the lease on its key."""
        before, after = self._change(key, _removed)
        return after is not None and before.entry.is_record(time.time())

    def replace(
        self, key: str, expected: bytes | None, data: bytes, ttl: float | None
    ) -> bool:
        """Store a record if the stored one is as expected, and break the lease."""

        def replaced(entry: Entry) -> Entry | None:
            now = time.time()
            present = entry.data if entry.is_record(now) else None
            if present != expected:
                return None
            return self._entry(data, ttl)

        # Where nothing is expected, nothing is there in most cases.
        guess = Seen() if expected is None else None
        return self._change(key, replaced, guess)[1] is not None

    def drop(self) -> None:
        """Remove all records and leases, as they are listed."""
        if not self._names.is_listed:
            self.discard("session")
            return
        for page in self._listed():
            self._table.change_all(Change(one.name, None) for one in page)

    def lease(self, key: str) -> Lease:
        """Return a lease on the entity that is to hold the record."""
        slot = self._slot(key)
        identity = (*self._table.identity, slot.name, key)
        return GoogleLease(identity, slot, self._guess(key), self.lease_expires_in)

    def fill(self, key: str, data: bytes, ttl: float | None, lease: Lease) -> bool:
        """Store what the holder of a lease has created, and free the lease."""

        def filled(entry: Entry) -> Entry | None:
            now = time.time()
            if entry.token != lease.token or not entry.is_leased(now):
                return None
            return self._entry(data, ttl)

        slot = self._slot(key)
        if not isinstance(lease, GoogleLease):
            return slot.change(filled)[1] is not None
        _, after = slot.change(filled, lease.seen_of(slot))
        lease.forget()
        return after is not None

    def fetch_many(self, keys: Iterable[str]) -> dict[str, bytes]:
        """Return the records that are there, in one round trip per batch."""
        key_of = {self._names.name(key): key for key in keys}
        records: dict[str, bytes] = {}
        for found in self._table.find(key_of):
            now = time.time()
            for name, seen in found.items():
                data = seen.entry.data
                if data is not None and seen.entry.is_record(now):
                    records[key_of[name]] = data
        return records

    def store_many(self, records: Mapping[str, bytes], ttl: float | None) -> None:
        """Store several records, in one round trip per batch."""
        self._last = None
        self._table.change_all(
            self._slot(key).as_change(self._entry(data, ttl))
            for key, data in records.items()
        )

    def discard_many(self, keys: Iterable[str]) -> int:
        """Remove several records, in two round trips per batch."""
        self._last = None
        gone = 0
        for found in self._table.find({self._names.name(key) for key in keys}):
            now = time.time()
            self._table.change_all(Change(name, None) for name in found)
            gone += sum(seen.entry.is_record(now) for seen in found.values())
        return gone

    def fetch_accessed(self, key: str) -> tuple[bytes, float | None] | None:
        """Return a record and when it was last touched, in one round trip."""
        entry = self._look(key).entry
        if entry.data is None or not entry.is_record(time.time()):
            return None
        return entry.data, entry.accessed

    def touch(self, key: str, ttl: float | None, accessed: float) -> bool:
        """Mark a record that is there as accessed, and keep it for `ttl` seconds."""

        def touched(entry: Entry) -> Entry | None:
            now = time.time()
            if not entry.is_record(now):
                return None
            return entry._replace(expires=ends_at(now, ttl), accessed=accessed)

        return self._change(key, touched)[1] is not None

    def keys(self) -> Iterable[str]:
        """Return the keys of all records."""
        if not self._names.is_listed:
            return ["session"] if self.fetch("session") is not None else []
        names = {one.name: self._names.spelt(one.name) for one in self._records()}
        # Some have to be asked, for they are too long for a name.
        odd = self._table.find(name for name, key in names.items() if key is None)
        asked = [seen.untold for found in odd for seen in found.values()]
        spelt = [key for key in names.values() if key is not None]
        return [*spelt, *map(self._names.key, asked)]

    def size(self) -> int:
        """Return how many records there are."""
        if not self._names.is_listed:
            return len(list(self.keys()))
        return sum(1 for _ in self._records())

    def purge(self) -> int:
        """Remove what has expired, and no policy has removed yet."""
        if not self._names.is_listed:
            before, after = self._change("session", _unexpired)
            return int(after is not None and before.entry.data is not None)
        return sum(map(self._purge, self._listed()))

    def purge_sessions(
        self, unused_for: float, *, dry_run: bool = False
    ) -> Iterator[Purged]:
        """Remove unused sessions; each is read, some hundred in one round trip."""
        before = time.time() - unused_for
        examined = removed = 0
        for page in self._table.named(SESSIONS):
            ours = {
                name: seen
                for name, seen in page.items()
                if self._names.is_session_of_ours(name, seen.untold)
            }
            unused = [
                # Only as it was seen: one may be used just now.
                Change(name, None, seen.version)
                for name, seen in ours.items()
                if not seen.entry.is_used(time.time(), before)
            ]
            examined += len(ours)
            removed += len(unused) if dry_run else self._table.change_all(unused)
            yield Purged(examined, removed)
        yield Purged(examined, removed, examined)

    def session_ids(self) -> Iterator[str]:
        """Return the ids that the names of entities tell."""
        for page in self._table.named(SESSIONS):
            for name, seen in page.items():
                known = self._names.session_id(name)
                if known is not None and self._names.is_session_of_ours(
                    name, seen.untold
                ):
                    yield known

    def _purge(self, page: list[Listed]) -> int:
        now, gone = time.time(), 0
        names = [one.name for one in page if one.state.has_expired(now)]
        for found in self._table.find(names):
            records: list[Change] = []
            leases: list[Change] = []
            for name, seen in found.items():
                if seen.entry.is_over(now):
                    # Only as it was seen: it may have been stored anew since.
                    change = Change(name, None, seen.version)
                    (leases if seen.entry.data is None else records).append(change)
            gone += self._table.change_all(records)
            self._table.change_all(leases)
        return gone

    def _listed(self) -> Iterator[list[Listed]]:
        return self._table.listed(self._names.places())

    def _records(self) -> Iterator[Listed]:
        for page in self._listed():
            now = time.time()
            for one in page:
                if one.state.is_record and not one.state.has_expired(now):
                    yield one

    def _entry(self, data: bytes, ttl: float | None) -> Entry:
        now = time.time()
        # Storing a session is using it.
        accessed = None if self._names.is_listed else now
        return Entry(data, ends_at(now, ttl), accessed)

    def _slot(self, key: str) -> Slot:
        return Slot(self._table, self._names, key)

    def _look(self, key: str) -> Seen:
        seen = self._slot(key).look()
        self._last = key, seen
        return seen

    def _guess(self, key: str) -> Seen | None:
        last = self._last
        return last[1] if last is not None and last[0] == key else None

    def _change(
        self, key: str, decide: Decide, guess: Seen | None = None
    ) -> tuple[Seen, Seen | None]:
        before, after = self._slot(key).change(decide, self._guess(key) or guess)
        self._last = key, before if after is None else after
        return before, after


def _removed(entry: Entry) -> Entry | None:
    return None if entry.is_nothing() else Entry()


def _unexpired(entry: Entry) -> Entry | None:
    return Entry() if entry.is_over(time.time()) else None
