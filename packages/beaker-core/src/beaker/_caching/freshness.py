"""What a record is good for: fresh, stale but usable for a while, or not there."""

from __future__ import annotations

from beaker.records import Record

__all__ = ["ABSENT", "CLOCK_SKEW", "FRESH", "STALE", "Freshness"]

FRESH, STALE, ABSENT = "fresh", "stale", "absent"

#: Seconds for which an expired value may still be served while one caller makes the
#: new one, if the value itself did not live shorter.
DEFAULT_GRACE = 300.0

#: Seconds by which the clocks of two hosts may differ before a record counts as
#: coming from the future.
CLOCK_SKEW = 2.0


class Freshness:
    """Decides about the records of one cache.

    Args:
        grace: Seconds after its expiry for which a record may be served as stale;
            None: for as long as it was fresh, at most `DEFAULT_GRACE`.
    """

    __slots__ = ("_grace",)

    def __init__(self, grace: float | None = None) -> None:
        self._grace = grace

    def state(self, record: Record, now: float, starttime: float | None) -> str:
        """Return FRESH, STALE (to be served while somebody makes a new one) or ABSENT.

        Args:
            record: The record.
            now: The present, in seconds since the epoch.
            starttime: What was stored before this time does not count, not even as
                stale; None: no such limit.
        """
        if starttime is not None and record.stored < starttime:
            return ABSENT
        if now < record.fresh_until:
            return FRESH
        return STALE if now < record.fresh_until + self._after(record) else ABSENT

    def ttl(self, expire: float | None) -> float | None:
        """Return for how many seconds a store has to keep a record; None: for ever."""
        if expire is None:
            return None
        # Each storing comes here, and min() and max() take three times as long.
        fresh = expire if expire > 0 else 0  # noqa: FURB136
        if self._grace is not None:
            return fresh + self._grace
        return fresh + (fresh if fresh < DEFAULT_GRACE else DEFAULT_GRACE)  # noqa: FURB136

    def _after(self, record: Record) -> float:
        return (self.ttl(record.expire) or 0.0) - (record.expire or 0.0)
