"""Stores with one fault each where many meet, or in what they claim of themselves."""

# ruff: noqa: ARG002 - a faulty method overlooks what it is given

from __future__ import annotations

import os
import time
from collections.abc import Iterable, Iterator
from typing import Any

from beaker.protocols import Lease, Purged
from tests.kit.cabinet import Cabinet, CabinetLease, Drawers, Record

__all__ = [
    "ChildrenFree",
    "ClaimsToBeShared",
    "ClaimsToForget",
    "ClaimsToList",
    "CountsByRemoving",
    "DiscardsOnlyWhatIsThere",
    "DropKeepsLeases",
    "FillsWithoutToken",
    "FreesAnybodys",
    "IsNotRenewed",
    "Leasing",
    "ListsNothing",
    "MistakesLeasesForRecords",
    "NeverLapses",
    "PurgeBreaksLeases",
    "ReadsOnce",
    "RenewsWhatHasLapsed",
    "ReplacesInTwoSteps",
    "SharesItsConnection",
]


# -- many at once


class ReplacesInTwoSteps(Cabinet):
    """Read, compare, write: another may have written meanwhile."""

    def replace(
        self, key: str, expected: bytes | None, data: bytes, ttl: float | None
    ) -> bool:
        if self.fetch(key) != expected:
            return False
        # The others get in between, not only where chance has it.
        time.sleep(0.001)
        self.store(key, data, ttl)
        return True


class MistakesLeasesForRecords(Cabinet):
    """What is absent is made where nothing has changed since, a lease neither."""

    def replace(
        self, key: str, expected: bytes | None, data: bytes, ttl: float | None
    ) -> bool:
        before = self.lease_on(key)
        time.sleep(0.001)
        if expected is None and self.lease_on(key) != before:
            return False
        return super().replace(key, expected, data, ttl)

    def lease_on(self, key: str) -> Any:
        with self.opened() as drawers:
            return drawers.leases.get(self.name(key))


class ReadsOnce(Cabinet):
    """A namespace is loaded once, and what others write is never seen."""

    def prepare(self) -> None:
        self.seen: dict[str, bytes | None] = {}

    def fetch(self, key: str) -> bytes | None:
        if self.seen.get(key) is None:
            self.seen[key] = super().fetch(key)
        return self.seen[key]

    def store(self, key: str, data: bytes, ttl: float | None) -> None:
        self.seen[key] = data
        super().store(key, data, ttl)


class SharesItsConnection(Cabinet):
    """Children go on with the connection of their parent, and read each other's."""

    connections: dict[str, int] = {}  # noqa: RUF012 - that is the fault

    def fetch(self, key: str) -> bytes | None:
        data = super().fetch(key)
        if data is None:
            return None
        path = f"{self._path}.asked"
        if path not in self.connections:
            self.connections[path] = os.open(path, os.O_RDWR | os.O_CREAT, 0o600)
        connection, place = self.connections[path], 64 * int(data)
        os.pwrite(connection, data, place)
        os.lseek(connection, place, os.SEEK_SET)
        time.sleep(0.0001)
        return os.read(connection, 64).rstrip(b"\0")


# -- leases


class FillsWithoutToken(Cabinet):
    """Whoever has created something stores it."""

    def holds_lease(self, drawers: Drawers, key: str, lease: Lease) -> bool:
        return True


class DropKeepsLeases(Cabinet):
    """What was being created when the namespace was cleared is there afterwards."""

    def drop(self) -> None:
        with self.opened() as drawers:
            for name in list(filter(self.is_mine, drawers.records)):
                del drawers.records[name]


class DiscardsOnlyWhatIsThere(Cabinet):
    """Removing a key that is just being created does nothing."""

    def take_out(self, drawers: Drawers, key: str) -> bool:
        if self.present(drawers, key) is None:
            return False
        return super().take_out(drawers, key)


class PurgeBreaksLeases(Cabinet):
    """Who creates the successor of what has expired does so in vain."""

    def purge(self) -> int:
        with self.opened() as drawers:
            gone = [
                name
                for name in filter(self.is_mine, drawers.records)
                if drawers.records[name].ends <= time.time()
            ]
            return sum(self.take_out(drawers, name[-1]) or 1 for name in gone)


class Leasing(Cabinet):
    """One with leases of another kind."""

    lease_class: type[CabinetLease]

    def lease(self, key: str) -> Lease:
        return self.lease_class(self, key, self.lease_expires_in)


class FreesAnybodys(Leasing):
    """A lock is deleted by whoever thinks he has it."""

    class lease_class(CabinetLease):  # noqa: N801 - an attribute of its store
        def free(self) -> None:
            with self.cabinet.opened() as drawers:
                drawers.leases.pop(self.name, None)


class NeverLapses(Leasing):
    """After a kill -9 the lock stays for a quarter of an hour."""

    class lease_class(CabinetLease):  # noqa: N801
        def __init__(self, cabinet: Cabinet, key: str, expires_in: float) -> None:
            super().__init__(cabinet, key, 900.0)


class IsNotRenewed(Leasing):
    """Who takes longer than the lock lives is not alone."""

    class lease_class(CabinetLease):  # noqa: N801
        def renew(self) -> bool:
            return True


class RenewsWhatHasLapsed(Leasing):
    """Who was frozen past his lease has it again when he wakes."""

    class lease_class(CabinetLease):  # noqa: N801
        def renew(self) -> bool:
            with self.cabinet.opened() as drawers:
                token, _ = drawers.leases.get(self.name, ("", 0.0))
                drawers.leases[self.name] = token, time.time() + self.expires_in
                return token == self.token


class ChildrenFree(Leasing):
    """A forked child frees what its parent holds."""

    class lease_class(CabinetLease):  # noqa: N801
        def release(self) -> None:
            self.free()
            super().release()


# -- abilities


class ListsNothing(Cabinet):
    """It cannot list its keys, and answers that there are none."""

    enumerable = False

    def keys(self) -> Iterable[str]:
        return []


class ClaimsToList(Cabinet):
    """It says that it lists its keys, by a method that its client does not have."""

    def keys(self) -> Iterable[str]:
        server: Any = self.opened()
        return [str(key) for key in server.find_all()]


class ClaimsToBeShared(Cabinet):
    """It is shared between hosts as far as they share a directory."""

    shared_between_hosts = True


class ClaimsToForget(Cabinet):
    """It says that it forgets by itself, and waits for somebody to purge it."""

    def present(self, drawers: Drawers, key: str) -> bytes | None:
        record: Record | None = drawers.records.get(self.name(key))
        return record and record.data


class CountsByRemoving(Cabinet):
    """Who only wants to know how many sessions nobody uses removes them."""

    def purge_sessions(
        self, unused_for: float, *, dry_run: bool = False
    ) -> Iterator[Purged]:
        return super().purge_sessions(unused_for)


class TellsNamesForIds(Cabinet):
    """It tells what its sessions are called in the store, which nobody can ask for."""

    def session_ids(self) -> Iterator[str]:
        return (f"session:{known}" for known in super().session_ids())
