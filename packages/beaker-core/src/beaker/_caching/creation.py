"""One value is being made: by whom, under which lease, and how it ends."""

from __future__ import annotations

from collections.abc import Callable
from contextvars import ContextVar
from time import perf_counter
from typing import Any
from weakref import ref

from beaker._caching.freshness import FRESH
from beaker._caching.recordstore import RecordStore
from beaker.exceptions import (
    LockTimeoutError,
    StoreRefusedError,
    StoreUnavailableError,
)
from beaker.listeners import listens, tell
from beaker.records import Record

__all__ = ["Creation", "is_creating"]


class Creation:
    """One caller's way to a value that is not fresh.

    He takes the lease. Unless the value has come meanwhile, or he is served the stale
    one, he makes it within ``with creation:`` and fills it in. At last he frees the
    lease, and then tells the listeners. `made` goes this way for a function; where
    all is awaited, `coroutines` does.

    Args:
        values: Where the value belongs.
        key: Its key.
        stale: The record to serve while another makes the value; None: wait for it.
        expire: Seconds that the new value stays fresh; None: for ever.
        starttime: What was stored before does not count.
        anew: Make the value even if another has made it meanwhile; nobody reads it.

    Attributes:
        is_read: Whether somebody reads the value, which the listeners are told.
        makes: Whether this caller makes the value.
        served: The record that he is served instead: what has come, or the stale one.
    """

    makes = False
    served: Record | None = None
    _runs = False
    _error: Exception | None = None
    _seconds: float | None = None

    def __init__(
        self,
        values: RecordStore,
        key: str,
        stale: Record | None,
        expire: float | None,
        starttime: float | None = None,
        *,
        anew: bool = False,
    ) -> None:
        self.values, self.key = values, key
        self._stale, self._expire, self._starttime = stale, expire, starttime
        self._anew, self.is_read = anew, not anew
        self._lease = values.store.lease(key)

    def made(self, create: Callable[[], Any]) -> Any:
        """Return the value, made by this function unless another has made it.

        Raises:
            LockTimeoutError: Another's creation took too long.
        """
        try:
            try:
                self.take(wait=self._stale is None)
                if self.served is not None:
                    return self.served.value
                with self:
                    value = create()
                self.fill(value)
                return value
            finally:
                self.free()
        except BaseException:
            # An interrupt may have come before the line above.
            self.free()
            raise
        finally:
            self.tell()

    def take(self, *, wait: bool) -> bool:
        """Take the lease.

        Args:
            wait: Whether to wait while another holds it, until the value has come.

        Returns:
            Whether it is settled if this caller makes the value or what he is served.

        Raises:
            LockTimeoutError: The cache's `acquire_timeout` has passed.
        """
        store, lease = self.values.store, self._lease
        if not self._anew:
            lease.ready = self.has_come
        timeout = self.values.acquire_timeout
        try:
            self.makes = store.acquire(lease, wait=wait, timeout=timeout)
        except StoreUnavailableError:
            # Nobody can tell whether another makes it: who has nothing, does.
            self.makes = self._stale is None
        except StoreRefusedError as e:
            store.goes_without("lock", e)
            self.makes = self._stale is None
        except LockTimeoutError as e:
            # A lease may have a name that only its store understands.
            raise LockTimeoutError(self.key, e.waited) from e
        # Where taking it told that there is nothing, nobody looks.
        if self.makes and not self._anew and lease.found is not None:
            self.makes = not self.has_come()
        if not self.makes and self.served is None:
            self.served = self._stale
        return self.makes or self.served is not None

    def has_come(self) -> bool:
        """Return whether another has made the value; then it is `served`."""
        record = self.values.read_under(self.key, self._lease)
        if record is None:
            return False
        if self.values.state_of(self.key, record, self._starttime) is not FRESH:
            return False
        self.served = record
        return True

    def __enter__(self) -> None:
        """Begin to call the creation function, in this thread or task."""
        self._before = _creating.get()
        self._runs = True
        _creating.set((*self._before, ref(self)))
        self._began = perf_counter()

    def __exit__(self, kind: object, error: BaseException | None, at: object) -> None:
        """End it, or note that it failed."""
        self._runs = False
        _creating.set(self._before)
        if error is None:
            self._seconds = perf_counter() - self._began
        elif isinstance(error, Exception):
            self._error = error

    def fill(self, value: Any) -> None:
        """Store the value that was made, if the lease still holds."""
        self.values.fill(self.key, value, self._expire, self._lease)

    def free(self) -> None:
        """Free the lease if it is held."""
        self._lease.ready = None
        self.values.store.release(self._lease)

    def tell(self) -> None:
        """Tell the listeners what there was; no lease is held now."""
        # It holds the frames of those who hold this.
        error, self._error = self._error, None
        if not listens:
            return
        about = {"namespace": self.values.namespace, "key": self.key}
        if self.is_read and (self.makes or self.served is not None):
            self.values.tell_read(self.key, self._outcome())
        if error is not None:
            tell("creation_failed", **about, error=error)
        elif self._seconds is not None:
            tell("value_created", **about, seconds=self._seconds)

    def _outcome(self) -> str:
        if self.makes:
            return "miss"
        return "stale" if self.served is self._stale else "hit"

    def is_of(self, values: RecordStore, key: str) -> bool:
        """Return whether this value is what it makes, and it is still at it."""
        if not self._runs or self.key != key:
            return False
        return self.values.store.identity == values.store.identity


#: What this thread or task is creating: a task that was begun in a creation remembers
#: it. An interrupt may keep a creation from saying that it runs no longer, but only
#: its caller holds it; the others merely know of it.
_creating: ContextVar[tuple[ref[Creation], ...]] = ContextVar("creating", default=())


def is_creating(values: RecordStore, key: str) -> bool:
    """Return whether this thread or task is creating this very value."""
    known = _creating.get()
    if not known:
        return False
    creations = (one() for one in known)
    return any(one is not None and one.is_of(values, key) for one in creations)
