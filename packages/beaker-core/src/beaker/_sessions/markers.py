"""What stands for a while where a session was removed, and how it goes away again."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from time import monotonic

from beaker._sessions.envelopes import laid_in, taken_from
from beaker._sessions.records import removed, removed_at
from beaker.exceptions import (
    CorruptRecordError,
    StoreRefusedError,
    StoreUnavailableError,
)
from beaker.stores import Store

__all__ = ["MARKED_FOR", "Markers", "is_marker", "marker"]

#: Seconds in which a request that still has a removed id cannot save under it.
MARKED_FOR = 60.0

_KEY = "session"

#: How many old markers one removal cleans up: more than it leaves.
_AT_ONCE = 4

#: How many markers a process remembers. The rest waits for a purge.
_REMEMBERED = 100_000


class Markers:
    """The markers that this process has left in a store that forgets nothing itself.

    Each removal cleans up some that have had their time; those that a process leaves
    behind when it ends are cleaned up by whoever meets them, and by a purge.

    Args:
        open_store: Opens the namespace of a session.
    """

    def __init__(self, open_store: Callable[[str], Store]) -> None:
        self._open = open_store
        self._left: deque[tuple[float, str]] = deque(maxlen=_REMEMBERED)

    def left(self, session_id: str) -> None:
        """Note that a marker was left, and clean up old ones."""
        self._left.append((monotonic() + MARKED_FOR, session_id))
        for _ in range(_AT_ONCE):
            if not self._clean_up_oldest():
                break

    def _clean_up_oldest(self) -> bool:
        try:
            due, session_id = self._left.popleft()
        except IndexError:
            return False
        if due > monotonic():
            self._left.appendleft((due, session_id))
            return False
        store = self._open(session_id)
        try:
            # A program may have given its own id to a new session meanwhile.
            if is_marker(store, store.fetch(_KEY)):
                store.discard(_KEY)
        except (StoreUnavailableError, StoreRefusedError):
            # Nobody's request fails for that.
            return False
        return True


def marker(store: Store, now: float) -> object:
    """Return what a store is given to keep in the place of a removed session."""
    return laid_in(store, removed(now), now)


def is_marker(store: Store, kept: object) -> bool:
    """Return whether what a store kept stands for a removed session."""
    if kept is None:
        return False
    try:
        return removed_at(taken_from(store, kept)) is not None
    except CorruptRecordError:
        return False
