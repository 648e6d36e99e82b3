"""Stores with one fault each, met in Beaker 1.x, and the test that catches it."""

# ruff: noqa: ARG002 - a faulty method overlooks what it is given

from __future__ import annotations

import os
import time
from collections.abc import Iterable
from typing import Any, NamedTuple

from beaker.protocols import Lease, NamespaceManager
from beaker.testing import LeaseSuite, NamespaceManagerSuite, StoreSuite
from tests.kit.cabinet import Cabinet, CabinetLease, Drawers, Name, Record

__all__ = ["MUTANTS", "Mutant"]


class Mutant(NamedTuple):
    """A sick store, the suite that it is given to, and the test that finds it out."""

    store: type[NamespaceManager]
    caught_by: str
    suite: type[StoreSuite] = NamespaceManagerSuite


# -- names


class JoinsCarelessly(Cabinet):
    """Namespace "a" with key "b:c" is namespace "a:b" with key "c"."""

    def name(self, key: str) -> Name:
        return *self.space()[:2], f"{self.namespace}:{key}"

    def is_mine(self, name: Name) -> bool:
        return bool(name[-1].startswith(f"{self.namespace}:"))


class IgnoresCase(Cabinet):
    """As databases compare text that nobody told how."""

    def name(self, key: str) -> Name:
        return *self.space(), key.lower()


class ListsPrefixes(Cabinet):
    """Its keys are those of the server."""

    def keys(self) -> Iterable[str]:
        return [f"beaker:{self.namespace}:{key}" for key in super().keys()]  # noqa: SIM118 - no dictionary's


class ForgetsThePrefix(Cabinet):
    """Two applications on one server share their records."""

    def space(self) -> Name:
        return self.settings.purpose, self.namespace


class TakesSessionsForCaches(Cabinet):
    """Emptying a cache logs out whoever has its name for an id."""

    def space(self) -> Name:
        return self.settings.prefix, self.namespace


class NamesByHash(Cabinet):
    """Text has another hash in each process."""

    def space(self) -> Name:
        return self.settings.prefix, self.settings.purpose, hash(self.namespace)


class DropsNeighbours(Cabinet):
    """By a pattern: clearing "user" clears "user:x"."""

    def is_mine(self, name: Name) -> bool:
        return name[:2] == self.space()[:2] and name[2].startswith(self.namespace)


class DropsAll(Cabinet):
    """The server is flushed."""

    def drop(self) -> None:
        with self.opened() as drawers:
            drawers.records.clear()
            drawers.leases.clear()


# -- records


class TellsNothingForMissing(Cabinet):
    """What is not there is an empty record."""

    def fetch(self, key: str) -> bytes | None:
        return super().fetch(key) or b""


class TakesEmptyForMissing(Cabinet):
    """``if not data``."""

    def present(self, drawers: Drawers, key: str) -> bytes | None:
        return super().present(drawers, key) or None


class CutsLargeRecords(Cabinet):
    """As a column does that is too short."""

    def put(self, drawers: Drawers, key: str, data: bytes, ttl: float | None) -> None:
        super().put(drawers, key, data[:1_000_000], ttl)


class TouchMakes(Cabinet):
    """Marking a session that has gone brings it back."""

    def touch(self, key: str, ttl: float | None, accessed: float) -> bool:
        if not super().touch(key, ttl, accessed):
            self.store(key, b"", ttl)
        return True


class KeepsMarks(Cabinet):
    """A new record was accessed when the former one was."""

    def fetch_accessed(self, key: str) -> tuple[bytes, float | None] | None:
        found, mark = self.fetch(key), self.sibling("marks").fetch(key)
        return None if found is None else (found, float(mark) if mark else None)

    def touch(self, key: str, ttl: float | None, accessed: float) -> bool:
        found = super().touch(key, ttl, accessed)
        if found:
            self.sibling("marks").store(key, repr(accessed).encode(), ttl)
        return found


class WritesInTwoSteps(Cabinet):
    """Who reads meanwhile sees a part."""

    def store(self, key: str, data: bytes, ttl: float | None) -> None:
        super().store(key, data[: len(data) // 2], ttl)
        super().store(key, data, ttl)


class ConnectsAtOnce(Cabinet):
    """Opening a namespace makes its directory."""

    def prepare(self) -> None:
        with self.opened():
            pass


# -- time to live


class IgnoresTtl(Cabinet):
    """Sessions on memcached never ended."""

    def ends(self, ttl: float | None) -> float:
        return float("inf")


class CutsTtlToSeconds(Cabinet):
    """Half a second is none."""

    def ends(self, ttl: float | None) -> float:
        return super().ends(None if ttl is None else int(ttl))


class TakesMonthsForDates(Cabinet):
    """As memcached does with more than 30 days."""

    def ends(self, ttl: float | None) -> float:
        return super().ends(ttl) if (ttl or 0) <= 86400 * 30 else ttl or 0


class ReplacesWithoutTtl(Cabinet):
    """A session that was changed stays for ever."""

    def replace(
        self, key: str, expected: bytes | None, data: bytes, ttl: float | None
    ) -> bool:
        return super().replace(key, expected, data, None)


# -- many at once


class ReplacesInTwoSteps(Cabinet):
    """Read, compare, write: another may have written meanwhile."""

    def replace(
        self, key: str, expected: bytes | None, data: bytes, ttl: float | None
    ) -> bool:
        if self.fetch(key) != expected:
            return False
        self.store(key, data, ttl)
        return True


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


class _Leasing(Cabinet):
    lease_class: type[CabinetLease]

    def lease(self, key: str) -> Lease:
        return self.lease_class(self, key, self.lease_expires_in)


class FreesAnybodys(_Leasing):
    """A lock is deleted by whoever thinks he has it."""

    class lease_class(CabinetLease):  # noqa: N801 - an attribute of its store
        def free(self) -> None:
            with self.cabinet.opened() as drawers:
                drawers.leases.pop(self.name, None)


class NeverLapses(_Leasing):
    """After a kill -9 the lock stays for a quarter of an hour."""

    class lease_class(CabinetLease):  # noqa: N801
        def __init__(self, cabinet: Cabinet, key: str, expires_in: float) -> None:
            super().__init__(cabinet, key, 900.0)


class IsNotRenewed(_Leasing):
    """Who takes longer than the lock lives is not alone."""

    class lease_class(CabinetLease):  # noqa: N801
        def renew(self) -> bool:
            return True


class RenewsWhatHasLapsed(_Leasing):
    """Who was frozen past his lease has it again when he wakes."""

    class lease_class(CabinetLease):  # noqa: N801
        def renew(self) -> bool:
            with self.cabinet.opened() as drawers:
                token, _ = drawers.leases.get(self.name, ("", 0.0))
                drawers.leases[self.name] = token, time.time() + self.expires_in
                return token == self.token


class ChildrenFree(_Leasing):
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


MUTANTS = [
    Mutant(JoinsCarelessly, "test_hostile_names_never_share_a_record"),
    Mutant(IgnoresCase, "test_hostile_names_never_share_a_record"),
    Mutant(ListsPrefixes, "test_hostile_keys_are_listed_as_they_were_given"),
    Mutant(ForgetsThePrefix, "test_a_prefix_keeps_applications_apart"),
    Mutant(TakesSessionsForCaches, "test_a_session_is_no_cache_of_the_same_name"),
    Mutant(NamesByHash, "test_a_new_process_finds_what_this_one_stored"),
    Mutant(DropsNeighbours, "test_dropping_leaves_neighbours_alone"),
    Mutant(DropsAll, "test_dropping_leaves_neighbours_alone"),
    Mutant(TellsNothingForMissing, "test_an_absent_record_is_none"),
    Mutant(TakesEmptyForMissing, "test_an_empty_record_is_not_an_absent_one"),
    Mutant(CutsLargeRecords, "test_a_large_record_is_kept_whole_or_refused"),
    Mutant(TouchMakes, "test_touching_what_is_absent_makes_nothing"),
    Mutant(KeepsMarks, "test_the_mark_goes_with_its_record"),
    Mutant(WritesInTwoSteps, "test_a_reader_among_threads_sees_whole_records_only"),
    Mutant(ConnectsAtOnce, "test_opening_reaches_for_nothing"),
    Mutant(IgnoresTtl, "test_what_expires_natively_is_forgotten"),
    Mutant(CutsTtlToSeconds, "test_a_record_is_there_before_its_ttl"),
    Mutant(TakesMonthsForDates, "test_a_record_is_there_before_its_ttl"),
    Mutant(ReplacesWithoutTtl, "test_a_shorter_end_comes_sooner"),
    Mutant(ReplacesInTwoSteps, "test_no_update_is_lost_among_threads"),
    Mutant(ReplacesInTwoSteps, "test_no_update_is_lost_among_processes"),
    Mutant(ReplacesInTwoSteps, "test_one_of_many_makes_what_was_absent"),
    Mutant(ReadsOnce, "test_parent_and_children_see_what_the_others_write"),
    Mutant(SharesItsConnection, "test_no_child_reads_what_another_asked_for"),
    Mutant(FillsWithoutToken, "test_a_lease_that_is_not_held_stores_nothing"),
    Mutant(FillsWithoutToken, "test_a_frozen_holder_stores_nothing", LeaseSuite),
    Mutant(DropKeepsLeases, "test_what_began_before_an_invalidation"),
    Mutant(DiscardsOnlyWhatIsThere, "test_what_began_before_an_invalidation"),
    Mutant(PurgeBreaksLeases, "test_a_purge_breaks_no_lease"),
    Mutant(FreesAnybodys, "test_who_was_replaced_frees_nothing", LeaseSuite),
    Mutant(NeverLapses, "test_a_killed_holder_is_replaced", LeaseSuite),
    Mutant(IsNotRenewed, "test_a_lease_outlives_its_life", LeaseSuite),
    Mutant(RenewsWhatHasLapsed, "test_a_frozen_holder_stores_nothing", LeaseSuite),
    Mutant(ChildrenFree, "test_a_forked_child_does_not_hold", LeaseSuite),
    Mutant(ListsNothing, "test_what_it_cannot_list_it_refuses_to"),
    Mutant(ClaimsToList, "test_what_it_cannot_list_it_refuses_to"),
    Mutant(ClaimsToBeShared, "test_a_process_elsewhere_finds_it_too"),
    Mutant(ClaimsToForget, "test_what_expires_natively_is_forgotten"),
]
