"""Stores and ciphers with one fault each that breaks what caches or sessions promise."""

# ruff: noqa: ARG002 - a faulty method overlooks what it is given

from __future__ import annotations

import hmac
import os
import pickle
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import ClassVar, NamedTuple

from beaker.exceptions import CorruptRecordError
from beaker.records import MAGIC, RecordCodec
from beaker.testing import CipherSuite, RegionSuite, SessionSuite
from tests.core.sessions import ToySeal
from tests.kit.cabinet import Cabinet, CabinetLease, Drawers, Name
from tests.kit.mutants import Mutant
from tests.kit.sick_records import DropsNeighbours, TouchMakes
from tests.kit.sick_sharing import (
    DiscardsOnlyWhatIsThere,
    DropKeepsLeases,
    FillsWithoutToken,
    Leasing,
    NeverLapses,
    ReplacesInTwoSteps,
)

__all__ = ["CIPHER_MUTANTS", "STORE_MUTANTS", "CipherMutant", "Stopped", "Toy"]


class Stopped(Cabinet):
    """A cabinet whose room can be closed, by a file."""

    unavailable: ClassVar[tuple[type[BaseException], ...]] = (OSError,)

    def is_away(self) -> bool:
        """Return whether nobody can get at it."""
        return os.path.exists(f"{self._path}.away")

    @contextmanager
    def opened(self) -> Iterator[Drawers]:
        """Give what is in it, if it can be reached."""
        if self.is_away():
            yield self.locked_out()
        else:
            with super().opened() as drawers:
                yield drawers

    def locked_out(self) -> Drawers:
        """Say that nobody can get in."""
        raise OSError("the room is closed")


# -- one computation per value


class EndsAtExpiry(Cabinet):
    """It keeps a value for as long as it is fresh: nobody can be served a stale one."""

    def put(self, drawers: Drawers, key: str, data: bytes, ttl: float | None) -> None:
        try:
            record = RecordCodec().decode(data)
        except CorruptRecordError:
            pass
        else:
            ttl = record.expire and record.fresh_until - self.now()
        super().put(drawers, key, data, ttl)

    def now(self) -> float:
        """Return the present."""
        return self.ends(0)


class LetsEverybodyCreate(Leasing):
    """Each process thinks that it is the only one."""

    class lease_class(CabinetLease):  # noqa: N801 - an attribute of its store
        def take(self) -> bool:
            super().take()
            return True


class MakesAllWait(Leasing):
    """Who only wants to know whether somebody creates waits until he does not."""

    class lease_class(CabinetLease):  # noqa: N801
        def acquire(self, wait: bool = True, timeout: float | None = None) -> bool:
            return super().acquire(True, timeout)


class FreesLate(Leasing):
    """A lock is left to lapse."""

    class lease_class(CabinetLease):  # noqa: N801
        def free(self) -> None:
            pass


_only = threading.Lock()


class HasOneLock(Leasing):
    """For all keys, and children inherit it as it is."""

    class lease_class(CabinetLease):  # noqa: N801
        def acquire(self, wait: bool = True, timeout: float | None = None) -> bool:
            return _only.acquire(wait) and super().acquire(wait, timeout)

        def forget(self) -> None:
            self.unlock()
            super().forget()

        def release(self) -> None:
            self.unlock()
            super().release()

        def unlock(self) -> None:
            """Let the next one have it."""
            if self._held_in is not None and _only.locked():
                _only.release()


class SharedFillsWithoutToken(FillsWithoutToken):
    """Whoever has created something stores it, however long he slept."""

    shared_between_hosts = True


# -- values


class TakesNoneForMissing(Cabinet):
    """A function that answers None is called each time."""

    def present(self, drawers: Drawers, key: str) -> bytes | None:
        data = super().present(drawers, key)
        try:
            is_none = data is None or RecordCodec().decode(data).value is None
        except CorruptRecordError:
            is_none = False
        return None if is_none else data


class ChokesOnDamage(Cabinet):
    """A record that is damaged can be neither read nor put over."""

    def present(self, drawers: Drawers, key: str) -> bytes | None:
        data = super().present(drawers, key)
        if data is not None and not data.startswith(MAGIC):
            raise RuntimeError("what is this?")
        return data


class RaisesWhatItLikes(Stopped):
    """It is away, and says so by an error that it has told nobody about."""

    unavailable = ()


# -- sessions


class AlwaysReplaces(Cabinet):
    """It does not compare: the later save has the whole session."""

    def replace(
        self, key: str, expected: bytes | None, data: bytes, ttl: float | None
    ) -> bool:
        self.store(key, data, ttl)
        return True


class Resurrects(Cabinet):
    """What was removed meanwhile is saved all the same."""

    def replace(
        self, key: str, expected: bytes | None, data: bytes, ttl: float | None
    ) -> bool:
        if self.fetch(key) is None:
            expected = None
        return super().replace(key, expected, data, ttl)


class TouchWritesBack(Cabinet):
    """Marking a session writes it as this request has read it."""

    seen: bytes | None = None

    def fetch_accessed(self, key: str) -> tuple[bytes, float | None] | None:
        found = super().fetch_accessed(key)
        self.seen = found[0] if found else None
        return found

    def touch(self, key: str, ttl: float | None, accessed: float) -> bool:
        was_there = super().touch(key, ttl, accessed)
        if was_there and self.seen is not None:
            self.store(key, self.seen, ttl)
        return was_there


class AsksForWhatWasAskedLast(Cabinet):
    """It notes what is asked for where other threads note it, too."""

    asked = ""

    def fetch_accessed(self, key: str) -> tuple[bytes, float | None] | None:
        AsksForWhatWasAskedLast.asked = self.namespace
        time.sleep(0.0001)
        other = self.sibling(AsksForWhatWasAskedLast.asked)
        return Cabinet.fetch_accessed(other, key)


class MarksNothing(Cabinet):
    """Who only looks has not been there."""

    def touch(self, key: str, ttl: float | None, accessed: float) -> bool:
        return self.fetch(key) is not None


class KeepsWhatIsRemoved(Cabinet):
    """A session that was deleted is emptied, and stays."""

    def discard(self, key: str) -> bool:
        self.store(key, b"", None)
        return True


class MakesOnRead(Cabinet):
    """Each id that is asked for gets a place."""

    def fetch_accessed(self, key: str) -> tuple[bytes, float | None] | None:
        with self.opened() as drawers:
            drawers.leases.setdefault(self.name(key), ("", 0.0))
        return super().fetch_accessed(key)


class IgnoresTheCaseOfIds(Cabinet):
    """As databases compare text that nobody told how."""

    def space(self) -> Name:
        return *super().space()[:2], self.namespace.lower()


class CutsTheName(Cabinet):
    """As a column does that is too short."""

    def space(self) -> Name:
        return *super().space()[:2], self.namespace[:255]


class CutsTheRecord(Cabinet):
    """A column of 64 kB."""

    def put(self, drawers: Drawers, key: str, data: bytes, ttl: float | None) -> None:
        super().put(drawers, key, data[:65_535], ttl)


class ThrowsDamagedAway(Cabinet):
    """What it cannot read is gone, and its owner logged out."""

    def fetch_accessed(self, key: str) -> tuple[bytes, float | None] | None:
        found = super().fetch_accessed(key)
        if found is None or found[0].startswith(MAGIC):
            return found
        self.discard(key)
        return None


class Unpickles(Cabinet):
    """As memcached clients do where a flag of the record says so."""

    shared_between_hosts = True

    def present(self, drawers: Drawers, key: str) -> bytes | None:
        data = super().present(drawers, key)
        if data is not None and data.startswith(b"\x80"):
            pickle.loads(data)
        return data


class IsEmptyWhenAway(Stopped):
    """It is away, and answers that there is no such session."""

    def locked_out(self) -> Drawers:
        return Drawers()


STORE_MUTANTS = [
    Mutant(EndsAtExpiry, "test_while_one_makes_an_expired_value", RegionSuite),
    Mutant(MakesAllWait, "test_while_one_makes_an_expired_value", RegionSuite),
    Mutant(LetsEverybodyCreate, "test_an_absent_value_is_made_once", RegionSuite),
    Mutant(HasOneLock, "test_different_values_are_made_at_the_same", RegionSuite),
    Mutant(HasOneLock, "test_a_child_forked_while_a_thread_creates", RegionSuite),
    Mutant(FreesLate, "test_a_creator_that_raises_frees_the_lock", RegionSuite),
    Mutant(NeverLapses, "test_a_creator_that_is_killed_is_replaced", RegionSuite),
    Mutant(SharedFillsWithoutToken, "test_a_creator_that_was_frozen", RegionSuite),
    Mutant(DropKeepsLeases, "test_nothing_computed_before", RegionSuite),
    Mutant(DiscardsOnlyWhatIsThere, "test_an_invalidation_by_another", RegionSuite),
    Mutant(DropsNeighbours, "test_clear_empties_its_own_namespace", RegionSuite),
    Mutant(TakesNoneForMissing, "test_a_value_that_is_nothing_much", RegionSuite),
    Mutant(ChokesOnDamage, "test_a_damaged_record_is_a_miss", RegionSuite),
    Mutant(RaisesWhatItLikes, "test_a_store_that_is_away_costs", RegionSuite),
    Mutant(AlwaysReplaces, "test_each_keeps_what_it_set", SessionSuite),
    Mutant(ReplacesInTwoSteps, "test_each_of_64_requests_keeps", SessionSuite),
    Mutant(Resurrects, "test_a_request_that_ends_after_a_logout", SessionSuite),
    Mutant(Resurrects, "test_a_logout_among_writers_is_final", SessionSuite),
    Mutant(TouchMakes, "test_a_request_that_ends_after_a_logout", SessionSuite),
    Mutant(TouchWritesBack, "test_a_reader_writes_nothing_back", SessionSuite),
    Mutant(AsksForWhatWasAskedLast, "test_no_thread_is_given_anothers", SessionSuite),
    Mutant(MarksNothing, "test_use_keeps_a_session_alive", SessionSuite),
    Mutant(KeepsWhatIsRemoved, "test_a_deleted_session_is_gone", SessionSuite),
    Mutant(MakesOnRead, "test_looking_for_sessions_makes_none", SessionSuite),
    Mutant(IgnoresTheCaseOfIds, "test_each_id_that_a_program_gives", SessionSuite),
    Mutant(CutsTheName, "test_each_id_that_a_program_gives", SessionSuite),
    Mutant(CutsTheRecord, "test_a_large_session_is_found_whole", SessionSuite),
    Mutant(ThrowsDamagedAway, "test_a_damaged_session_is_an_error", SessionSuite),
    Mutant(Unpickles, "test_no_pickle_that_another_put_there", SessionSuite),
    Mutant(IsEmptyWhenAway, "test_a_store_that_is_away_is_an_error", SessionSuite),
]


# -- ciphers


class Toy(ToySeal):
    """Healthy."""


class IgnoresTheAssociated(ToySeal):
    """What is sealed for Ann opens for Bob."""

    def mac(self, key: bytes, sealed: bytes, associated: bytes) -> bytes:
        return super().mac(key, sealed, b"")


class JoinsTheAssociated(ToySeal):
    """One ends where the other begins, wherever that is."""

    def mac(self, key: bytes, sealed: bytes, associated: bytes) -> bytes:
        return hmac.digest(key, sealed + associated, "sha256")


class ProvesNothing(ToySeal):
    """It encrypts, and whoever flips a bit flips one of the plain text."""

    def mac(self, key: bytes, sealed: bytes, associated: bytes) -> bytes:
        return bytes(32)


class IgnoresTheKey(ToySeal):
    """It proves that somebody has sealed it."""

    def mac(self, key: bytes, sealed: bytes, associated: bytes) -> bytes:
        return super().mac(b"", sealed, associated)


class ComparesAPart(ToySeal):
    """What is missing of the proof proves as much."""

    def open(self, key: bytes, data: bytes, associated: bytes) -> bytes:
        for length in range(len(data) - 48, len(data)):
            mac = self.mac(key, data[:length], associated)
            if length > 16 and mac.startswith(data[length:]):
                return self.aesDecrypt(data[16:length], key + data[:16])
        raise ValueError("another key")


class RepeatsItsNonce(ToySeal):
    """Equal sessions look equal."""

    def seal(self, key: bytes, data: bytes, associated: bytes) -> bytes:
        sealed = bytes(16) + self.aesEncrypt(data, key + bytes(16))
        return sealed + self.mac(key, sealed, associated)


class EncryptsNothing(ToySeal):
    """It proves, and anybody can read it."""

    def aesEncrypt(self, data: bytes, key: bytes) -> bytes:  # noqa: N802 - as 1.x called it
        return data


class FillsUpKeys(ToySeal):
    """A short key is as good as a long one."""

    def seal(self, key: bytes, data: bytes, associated: bytes) -> bytes:
        return super().seal(key.ljust(32)[:32], data, associated)

    def open(self, key: bytes, data: bytes, associated: bytes) -> bytes:
        return super().open(key.ljust(32)[:32], data, associated)


class StripsZeros(ToySeal):
    """It takes the end of the data for what fills up a block."""

    def aesDecrypt(self, data: bytes, key: bytes) -> bytes:  # noqa: N802 - likewise
        return super().aesDecrypt(data, key).rstrip(b"\0")


class CipherMutant(NamedTuple):
    """A sick cipher, and the test that finds it out."""

    cipher: type[ToySeal]
    caught_by: str
    suite: type[CipherSuite] = CipherSuite


CIPHER_MUTANTS = [
    CipherMutant(IgnoresTheAssociated, "test_no_other_associated_bytes_are_accepted"),
    CipherMutant(JoinsTheAssociated, "test_no_byte_moves_between"),
    CipherMutant(ProvesNothing, "test_no_changed_byte_is_accepted"),
    CipherMutant(IgnoresTheKey, "test_no_other_key_is_accepted"),
    CipherMutant(ComparesAPart, "test_nothing_cut_off_or_added_is_accepted"),
    CipherMutant(RepeatsItsNonce, "test_the_same_bytes_are_never_sealed_twice"),
    CipherMutant(EncryptsNothing, "test_sealed_bytes_show_nothing"),
    CipherMutant(EncryptsNothing, "test_what_was_encrypted_as_in_1x_shows_nothing"),
    CipherMutant(FillsUpKeys, "test_a_key_of_another_length_is_refused"),
    CipherMutant(StripsZeros, "test_what_was_encrypted_as_in_1x_is_decrypted"),
]
