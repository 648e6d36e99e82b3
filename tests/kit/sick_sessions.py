"""Stores with one fault each that breaks what sessions promise."""

# ruff: noqa: ARG002 - a faulty method overlooks what it is given

from __future__ import annotations

import pickle
import time

from beaker.records import MAGIC
from tests.kit.cabinet import Cabinet, Drawers, Name
from tests.kit.sick_caches import Stopped


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
