"""The life of a cached value: fresh, then stale, then made anew by one caller."""

from __future__ import annotations

import logging
from collections.abc import Callable
from typing import Any

from beaker._caching.creation import Creation, is_creating
from beaker._caching.freshness import FRESH, STALE
from beaker._caching.recordstore import RecordStore
from beaker.exceptions import (
    InvalidOptionError,
    RecursiveCreationError,
    StoreRefusedError,
    StoreUnavailableError,
)
from beaker.records import Record
from beaker.stores import Store

__all__ = ["ValueStore"]

_log = logging.getLogger("beaker.cache")


class ValueStore(RecordStore):
    """The values of one namespace, each read, expired and regenerated once.

    Args:
        store: Where they are.
        clock: Returns the present, in seconds since the epoch.
        grace: Seconds after expiry for which a value may be served as stale; None:
            as `Freshness` has it.
        acquire_timeout: Seconds to wait for another's creation; None: until done.
        background: Whether all callers are served the stale value, and threads in
            the background make the new one.
    """

    def __init__(
        self,
        store: Store,
        clock: Callable[[], float],
        *,
        grace: float | None = None,
        acquire_timeout: float | None = None,
        background: bool = False,
    ) -> None:
        super().__init__(store, clock, grace=grace, acquire_timeout=acquire_timeout)
        self.background = background

    def get(
        self,
        key: str,
        create: Callable[[], Any] | None = None,
        expire: float | None = None,
        starttime: float | None = None,
    ) -> Any:
        """Return the value under a key; create and store it if there is no fresh one.

        Args:
            key: The key.
            create: Returns the new value; None: do not make one.
            expire: Seconds that a new value stays fresh; None: for ever.
            starttime: What was stored before does not count.

        Raises:
            KeyError: There is no fresh value, and nothing to create it with.
            RecursiveCreationError: This very value is being created by the caller.
            LockTimeoutError: Another's creation took too long.
        """
        try:
            record = self.read(key)
        except (StoreUnavailableError, StoreRefusedError) as e:
            if create is None:
                raise
            record = self.does_without(e)
        return self.resolve(key, record, create, expire, starttime)

    def resolve(
        self,
        key: str,
        record: Record | None,
        create: Callable[[], Any] | None,
        expire: float | None,
        starttime: float | None,
    ) -> Any:
        """Return the value that a record gives, as `get` does after its `read`."""
        stale = None
        if record is not None:
            state = self.state_of(key, record, starttime)
            if state is FRESH:
                self.tell_read(key, "hit")
                return record.value
            stale = record if state is STALE else None
        if create is None:
            self.tell_read(key, "miss")
            raise KeyError(key)
        if not callable(create):
            takes = "a function without arguments"
            raise InvalidOptionError("createfunc", create, takes)
        if is_creating(self, key):
            return self.value_within(key, stale)
        creation = Creation(self, key, stale, expire, starttime)
        if stale is None or not self.background:
            return creation.made(create)
        from beaker._caching.background import crew

        name = self.store.identity, key
        crew().ask(name, lambda: self._made_unseen(creation, create))
        self.tell_read(key, "stale")
        return stale.value

    def value_within(self, key: str, stale: Record | None) -> Any:
        """Return what a creation gets that asks for the value it is creating.

        Raises:
            RecursiveCreationError: There is no stale value.
        """
        if stale is None:
            raise RecursiveCreationError(self.namespace, key)
        return stale.value

    def refreshment(self, key: str, expire: float | None = None) -> Creation:
        """Return how a value is made now and stored, whatever is there.

        Raises:
            RecursiveCreationError: This very value is being created by the caller.
        """
        if is_creating(self, key):
            raise RecursiveCreationError(self.namespace, key)
        return Creation(self, key, None, expire, anew=True)

    def failed_unseen(self, key: str, error: Exception) -> None:
        """Log what kept a value from being made for no caller."""
        what = f"{self.namespace}: {key!r}"
        _log.warning("%s is not made anew in the background", what, exc_info=error)

    def _made_unseen(self, creation: Creation, create: Callable[[], Any]) -> None:
        creation.is_read = False
        try:
            creation.made(create)
        except Exception as e:  # noqa: BLE001 - whatever the program's function raises
            self.failed_unseen(creation.key, e)
