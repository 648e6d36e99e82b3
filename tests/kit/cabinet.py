"""A store of six methods, to be healthy here and sick in `mutants`."""

from __future__ import annotations

import fcntl
import os
import pickle
import threading
import time
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any, NamedTuple

from beaker.perprocess import PerProcess
from beaker.protocols import Lease, NamespaceManager, Purged
from beaker.synchronization import RemoteLease

__all__ = ["Cabinet", "CabinetLease", "Drawers", "Name", "Record"]

#: What tells a record from all others.
Name = tuple[Any, ...]


_guard = PerProcess(threading.Lock)


class Record(NamedTuple):
    """The bytes, when they go, and when they were stored or touched."""

    data: bytes
    ends: float
    used: float


class Drawers:
    """All that is in a cabinet."""

    def __init__(self) -> None:
        self.records: dict[Name, Record] = {}
        #: Who holds a lease, and until when.
        self.leases: dict[Name, tuple[str, float]] = {}


class Cabinet(NamespaceManager):
    """Keeps everything in one file, which is read and written as a whole."""

    enumerable = True
    expires_natively = True
    updates_atomically = True
    shared_between_processes = True
    durable = True

    @property
    def _path(self) -> str:
        return os.path.join(self.settings.data_dir or "", "cabinet")

    @contextmanager
    def opened(self) -> Iterator[Drawers]:
        """Give what is in it to this caller alone, and write what he leaves."""
        os.makedirs(os.path.dirname(self._path), exist_ok=True)
        # A lock of the process: no child inherits it, and threads need another one.
        with _guard(), open(f"{self._path}.lock", "wb") as lock:
            fcntl.lockf(lock, fcntl.LOCK_EX)
            before = self._read()
            drawers = pickle.loads(before) if before else Drawers()
            yield drawers
            after = pickle.dumps(drawers)
            if after != before:
                with open(f"{self._path}.new", "wb") as new:
                    new.write(after)
                os.replace(new.name, self._path)

    def _read(self) -> bytes:
        try:
            with open(self._path, "rb") as file:
                return file.read()
        except FileNotFoundError:
            return b""

    def space(self) -> Name:
        """Return what the names of all records of this namespace begin with."""
        return self.settings.prefix, self.settings.purpose, self.namespace

    def name(self, key: str) -> Name:
        """Return the name of a record."""
        return *self.space(), key

    def ends(self, ttl: float | None) -> float:
        """Return when a record goes that is stored now."""
        return float("inf") if ttl is None else time.time() + ttl

    def fetch(self, key: str) -> bytes | None:
        with self.opened() as drawers:
            return self.present(drawers, key)

    def fetch_many(self, keys: Iterable[str]) -> dict[str, bytes]:
        with self.opened() as drawers:
            found = ((key, self.present(drawers, key)) for key in keys)
            return {key: data for key, data in found if data is not None}

    def present(self, drawers: Drawers, key: str) -> bytes | None:
        """Return a record that has not gone."""
        record = drawers.records.get(self.name(key))
        return record.data if record and time.time() < record.ends else None

    def store(self, key: str, data: bytes, ttl: float | None) -> None:
        with self.opened() as drawers:
            self.put(drawers, key, data, ttl)

    def store_many(self, records: Mapping[str, bytes], ttl: float | None) -> None:
        with self.opened() as drawers:
            for key, data in records.items():
                self.put(drawers, key, data, ttl)

    def put(self, drawers: Drawers, key: str, data: bytes, ttl: float | None) -> None:
        """Store a record, and break its lease."""
        drawers.records[self.name(key)] = Record(data, self.ends(ttl), time.time())
        drawers.leases.pop(self.name(key), None)

    def discard(self, key: str) -> bool:
        return self.discard_many([key]) == 1

    def discard_many(self, keys: Iterable[str]) -> int:
        with self.opened() as drawers:
            return sum(self.take_out(drawers, key) for key in keys)

    def take_out(self, drawers: Drawers, key: str) -> bool:
        """Remove a record, break its lease, and return if it was there."""
        was_there = self.present(drawers, key) is not None
        drawers.records.pop(self.name(key), None)
        drawers.leases.pop(self.name(key), None)
        return was_there

    def replace(
        self, key: str, expected: bytes | None, data: bytes, ttl: float | None
    ) -> bool:
        with self.opened() as drawers:
            if self.present(drawers, key) != expected:
                return False
            self.put(drawers, key, data, ttl)
            return True

    def is_mine(self, name: Name) -> bool:
        """Return whether a name is one of this namespace."""
        return name[:-1] == self.space()

    def drop(self) -> None:
        with self.opened() as drawers:
            for part in (drawers.records, drawers.leases):
                for name in list(filter(self.is_mine, part)):
                    del part[name]

    def lease(self, key: str) -> Lease:
        return CabinetLease(self, key, self.lease_expires_in)

    def fill(self, key: str, data: bytes, ttl: float | None, lease: Lease) -> bool:
        with self.opened() as drawers:
            if not self.holds_lease(drawers, key, lease):
                return False
            self.put(drawers, key, data, ttl)
        assert isinstance(lease, CabinetLease)
        lease.forget()
        return True

    def holds_lease(self, drawers: Drawers, key: str, lease: Lease) -> bool:
        """Return whether this lease is the one on this key, and has not lapsed."""
        token, lapses = drawers.leases.get(self.name(key), ("", 0.0))
        return lease.token == token != "" and time.time() < lapses

    def keys(self) -> Iterable[str]:
        with self.opened() as drawers:
            return [
                name[-1]
                for name in filter(self.is_mine, drawers.records)
                if self.present(drawers, name[-1]) is not None
            ]

    def purge(self) -> int:
        with self.opened() as drawers:
            gone = [
                name
                for name in filter(self.is_mine, drawers.records)
                if drawers.records[name].ends <= time.time()
            ]
            for name in gone:
                del drawers.records[name]
            return len(gone)

    def purge_sessions(
        self, unused_for: float, *, dry_run: bool = False
    ) -> Iterator[Purged]:
        with self.opened() as drawers:
            prefix = self.settings.prefix, "session"
            names = [name for name in drawers.records if name[:2] == prefix]
            before = time.time() - unused_for
            unused = [n for n in names if drawers.records[n].used < before]
            for name in [] if dry_run else unused:
                del drawers.records[name]
        yield Purged(len(names), len(unused), len(names))

    def session_ids(self) -> Iterator[str]:
        with self.opened() as drawers:
            prefix = self.settings.prefix, "session"
            ids = [name[2] for name in drawers.records if name[:2] == prefix]
        return iter(ids)

    def place(self) -> str:
        return f"cabinet at {self._path}"


class CabinetLease(RemoteLease):
    """A lease that lies in the cabinet."""

    def __init__(self, cabinet: Cabinet, key: str, expires_in: float) -> None:
        name = cabinet.name(key)
        super().__init__((cabinet.place(), *name), expires_in=expires_in)
        self.cabinet, self.name = cabinet, name

    def take(self) -> bool:
        with self.cabinet.opened() as drawers:
            _, lapses = drawers.leases.get(self.name, ("", 0.0))
            if time.time() < lapses:
                return False
            drawers.leases[self.name] = self.token, time.time() + self.expires_in
            return True

    def renew(self) -> bool:
        with self.cabinet.opened() as drawers:
            token, lapses = drawers.leases.get(self.name, ("", 0.0))
            if token != self.token or lapses <= time.time():
                return False
            drawers.leases[self.name] = token, time.time() + self.expires_in
            return True

    def free(self) -> None:
        with self.cabinet.opened() as drawers:
            if drawers.leases.get(self.name, ("", 0.0))[0] == self.token:
                del drawers.leases[self.name]
