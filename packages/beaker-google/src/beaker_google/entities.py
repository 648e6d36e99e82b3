"""What an entity holds: a record, the lease on it, or both."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NamedTuple

from google.protobuf.timestamp_pb2 import Timestamp

__all__ = ["Entry", "State", "ends_at"]

#: The last second of the year 9999, where the time of Datastore ends.
LAST = 253_402_300_799.0


class State(NamedTuple):
    """What the list tells of an entity.

    Attributes:
        is_record: Whether it is a record; else it is a lease only.
        expires: When the record expires, or the lease lapses; None: never.
    """

    is_record: bool
    expires: float | None

    @classmethod
    def read(cls, written: str) -> State:
        """Return what `written` has made of it."""
        return cls(written[:1] == "r", float(written[1:]) if written[1:] else None)

    def written(self) -> str:
        """Return it as text."""
        return ("r" if self.is_record else "l") + (
            "" if self.expires is None else repr(self.expires)
        )

    def has_expired(self, now: float) -> bool:
        """Return whether that time has come."""
        return self.expires is not None and self.expires <= now


class Entry(NamedTuple):
    """What an entity holds; all None: what an absent one does. Times are since 1970.

    Attributes:
        data: The record's bytes; None: it is no record.
        expires: When the record expires; None: never.
        accessed: When the record was last touched, or a session stored; None: never.
        token: Who holds the lease on it; None: nobody.
        lapses: When that lease lapses.
    """

    data: bytes | None = None
    expires: float | None = None
    accessed: float | None = None
    token: str | None = None
    lapses: float = 0.0

    @classmethod
    def read(cls, properties: Mapping[str, Any]) -> Entry:
        """Return what properties, as protobuf has them, say."""
        return cls(
            properties["data"].blob_value if "data" in properties else None,
            properties["ends"].double_value if "ends" in properties else None,
            properties["accessed"].double_value if "accessed" in properties else None,
            properties["token"].string_value if "token" in properties else None,
            properties["lapses"].double_value if "lapses" in properties else 0.0,
        )

    def properties(self) -> dict[str, dict[str, Any]]:
        """Return it as properties, none of which is indexed."""
        values: dict[str, dict[str, Any]] = {}
        if self.data is not None:
            values["data"] = {"blob_value": self.data}
        if self.expires is not None:
            values["ends"] = {"double_value": self.expires}
        if self.accessed is not None:
            values["accessed"] = {"double_value": self.accessed}
        if self.token is not None:
            values["token"] = {"string_value": self.token}
            values["lapses"] = {"double_value": self.lapses}
        reaped = self._reaped()
        if reaped is not None:
            # A policy of Datastore goes by this one: it has to be a time.
            values["expires"] = {"timestamp_value": _timestamp(reaped)}
        for value in values.values():
            # An index of the times would be written at one end only, by all at once.
            value["exclude_from_indexes"] = True
        return values

    def is_nothing(self) -> bool:
        """Return whether there is neither a record nor a lease."""
        return self.data is None and self.token is None

    def is_record(self, now: float) -> bool:
        """Return whether there is a record that has not expired."""
        return self.data is not None and not self.state().has_expired(now)

    def is_used(self, now: float, before: float) -> bool:
        """Return whether there is a record that was used at that time or later."""
        accessed = now if self.accessed is None else self.accessed
        return self.is_record(now) and accessed >= before

    def is_leased(self, now: float) -> bool:
        """Return whether there is a lease that has not lapsed."""
        return self.token is not None and now < self.lapses

    def leased(self, token: str, lapses: float, now: float) -> Entry:
        """Return it under a lease; what has expired does not come along."""
        kept = self if self.is_record(now) else Entry()
        return kept._replace(token=token, lapses=lapses)

    def freed(self) -> Entry:
        """Return it without its lease."""
        return self._replace(token=None, lapses=0.0)

    def state(self) -> State:
        """Return what is listed of it."""
        if self.data is None:
            return State(is_record=False, expires=self.lapses)
        return State(is_record=True, expires=self.expires)

    def is_over(self, now: float) -> bool:
        """Return whether nobody needs it any more."""
        return self.state().has_expired(now) and not self.is_leased(now)

    def _reaped(self) -> float | None:
        # Neither before its record has expired nor before its lease has lapsed.
        if self.data is None:
            return self.lapses
        return None if self.expires is None else max(self.expires, self.lapses)


def ends_at(now: float, ttl: float | None) -> float | None:
    """Return when what lives for `ttl` seconds from now ends; None: never."""
    return None if ttl is None else min(now + ttl, LAST)


def _timestamp(seconds: float) -> Timestamp:
    # Datastore keeps microseconds.
    whole, part = divmod(round(seconds * 1_000_000), 1_000_000)
    return Timestamp(seconds=whole, nanos=part * 1000)
