"""How long a session lives, and how often its use is written down."""

from __future__ import annotations

__all__ = ["AHEAD", "MARGIN", "Lifetime"]

#: Seconds that a store keeps a session beyond its end, so that it does not vanish
#: while it is read.
MARGIN = 120

#: Seconds that the clocks of two hosts may be apart. A session that was written later
#: than that in the future is written anew by who uses it, or it would live for longer.
AHEAD = 60.0


class Lifetime:
    """The clocks of a session.

    Args:
        timeout: Seconds that it may go unused; None: for ever.
        absolute_timeout: Seconds after which it ends, used or not; None: never.
        accessed_every: Seconds for which one note of its use is enough. It is at
            most a tenth of `timeout`.
    """

    __slots__ = ("_absolute", "_every", "_idle")

    def __init__(
        self,
        timeout: float | None,
        absolute_timeout: float | None,
        accessed_every: float,
    ) -> None:
        self._idle, self._absolute = timeout, absolute_timeout
        most = accessed_every if timeout is None else timeout / 10
        self._every = min(accessed_every, most)

    @property
    def unused_at_most(self) -> float | None:
        """Seconds after which one that was not used is over; None: it never is."""
        return self._absolute if self._idle is None else self._idle

    def ended(self, created: float, accessed: float, now: float) -> str | None:
        """Return why a session is over; None: it is not."""
        # A time in the future counts as now: the difference is not above 0.
        if self._idle is not None and now - accessed > self._idle:
            return f"it was not used for {self._idle:g} seconds"
        if self._absolute is not None and now - created > self._absolute:
            return f"it is older than {self._absolute:g} seconds"
        return None

    def ttl(self, created: float, now: float) -> float | None:
        """Return how long a store keeps a session that is used now; None: for ever."""
        ends = [] if self._idle is None else [self._idle]
        if self._absolute is not None:
            ends.append(max(created + self._absolute - now, 0.0))
        return min(ends) + MARGIN if ends else None

    def is_due(self, accessed: float, now: float) -> bool:
        """Return whether use is to be written down again."""
        # One from the future was written by a clock that was wrong.
        return not 0 <= now - accessed < self._every
