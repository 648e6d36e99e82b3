"""Stores with one fault each in what they do to a record or its name."""

# ruff: noqa: ARG002 - a faulty method overlooks what it is given

from __future__ import annotations

from collections.abc import Iterable

from tests.kit.cabinet import Cabinet, Drawers, Name

__all__ = [
    "ConnectsAtOnce",
    "CutsLargeRecords",
    "CutsTtlToSeconds",
    "DropsAll",
    "DropsNeighbours",
    "ForgetsThePrefix",
    "IgnoresCase",
    "IgnoresTtl",
    "JoinsCarelessly",
    "KeepsMarks",
    "ListsPrefixes",
    "NamesByHash",
    "ReplacesWithoutTtl",
    "TakesEmptyForMissing",
    "TakesMonthsForDates",
    "TakesSessionsForCaches",
    "TellsNothingForMissing",
    "TouchMakes",
    "WritesInTwoSteps",
]


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


class JoinsThePrefix(Cabinet):
    """The application ``a`` has the sessions of ``ab``, if their ids begin with b."""

    def space(self) -> Name:
        return self.settings.purpose, self.settings.prefix + self.namespace


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
