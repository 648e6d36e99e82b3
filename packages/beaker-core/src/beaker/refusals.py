"""What a store refuses is told when it begins and when it ends, not at every call."""

from __future__ import annotations

import logging
from time import monotonic

from beaker.exceptions import StoreRefusedError
from beaker.listeners import tell

__all__ = ["Refusals"]

#: Seconds between two lines about the same operation: a store that refuses one
#: value and takes the next, again and again, would fill the log.
TOLD_EVERY = 60.0


class Refusals:
    """Tells about the refusals of one store, once per change.

    Args:
        store: The store's name and place.
    """

    def __init__(self, store: str) -> None:
        self._store = store
        self._log = logging.getLogger(f"beaker.store.{store.partition(' ')[0]}")
        self._told_at: dict[str, float] = {}
        self._is_told = False
        #: The operations that were refused last time, and why.
        self.refused: dict[str, str] = {}

    def begin(self, operation: str, error: StoreRefusedError, meanwhile: str) -> None:
        """Note that an operation was refused.

        Args:
            operation: What was asked of the store.
            error: What it said.
            meanwhile: What becomes of the values.
        """
        if operation in self.refused:
            return
        cause, now = str(error), monotonic()
        # One cause may stand in the way of several operations.
        is_news = cause not in self.refused.values()
        self.refused[operation] = cause
        if is_news and now >= self._told_at.get(operation, now):
            self._told_at[operation] = now + TOLD_EVERY
            self._is_told = True
            self._log.warning("%s; meanwhile %s", error, meanwhile)
            tell("store_refused", store=self._store, error=error)

    def end(self, operation: str) -> None:
        """Note that an operation was not refused."""
        self.refused.pop(operation, None)
        if self._is_told and not self.refused:
            self._is_told = False
            self._log.warning("%s refuses no longer", self._store)
