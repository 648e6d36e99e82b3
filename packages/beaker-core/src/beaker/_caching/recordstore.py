"""The records of one cache: read, judged by their age, and written."""

from __future__ import annotations

import logging
from collections.abc import Callable
from typing import Any

from beaker._caching.freshness import ABSENT, CLOCK_SKEW, FRESH, Freshness
from beaker.exceptions import (
    CorruptRecordError,
    StoreRefusedError,
    StoreUnavailableError,
)
from beaker.listeners import listens, tell
from beaker.protocols import UNTOLD, Lease
from beaker.records import Record, record_of
from beaker.stores import Store

__all__ = ["RecordStore"]

_log = logging.getLogger("beaker.cache")


class RecordStore:
    """The records of one namespace, with the times after which they leave.

    Args:
        store: Where they are.
        clock: Returns the present, in seconds since the epoch.
        grace: Seconds after expiry for which a value may be served as stale; None:
            as `Freshness` has it.
        acquire_timeout: Seconds to wait for another's creation; None: until done.

    Attributes:
        read: Returns the record under a key, however old, or None. One that cannot be
            read counts as none: the next one replaces it.
    """

    def __init__(
        self,
        store: Store,
        clock: Callable[[], float],
        *,
        grace: float | None = None,
        acquire_timeout: float | None = None,
    ) -> None:
        self.store, self.acquire_timeout = store, acquire_timeout
        self.namespace: str = store.manager.namespace
        self.clock, self._freshness = clock, Freshness(grace)
        near: Any = store.nearest
        self._fetch, self._store, self._fill = near.fetch, near.store, near.fill
        self._codec = store.codec
        # Where records are kept as they are, to fetch is to read.
        self.read: Callable[[str], Record | None] = (
            self._fetch if store.holds_objects and not store.is_legacy else self._read
        )

    def _read(self, key: str) -> Record | None:
        try:
            data = self._fetch(key)
            return None if data is None else self._codec.decode(data)
        except CorruptRecordError as e:
            _log.warning("%s: %r counts as missing: %s", self.namespace, key, e)
            facts = {"namespace": self.namespace, "key": key, "reason": str(e)}
            tell("record_rejected", **facts)
            return None

    def read_under(self, key: str, lease: Lease) -> Record | None:
        """Return the record that is there while a lease is held or waited for.

        Between a caller's reading and his taking the lease another may have made the
        value. What cannot be read was told of when it was read first.
        """
        try:
            data = self._fetch(key) if lease.found is UNTOLD else lease.found
            return None if data is None else self._codec.decode(data)
        except (CorruptRecordError, StoreUnavailableError, StoreRefusedError):
            return None

    def does_without(self, error: Exception) -> Record | None:
        """Note that nothing could be read; None stands for the record."""
        if isinstance(error, StoreRefusedError):  # the breaker tells of the other kind
            self.store.goes_without("read", error)
        return None

    def current(self, key: str, starttime: float | None) -> Record | None:
        """Return the record under a key if it is fresh."""
        record = self.read(key)
        if record is None or self.state_of(key, record, starttime) is not FRESH:
            return None
        return record

    def state_of(self, key: str, record: Record | None, starttime: float | None) -> str:
        """Return what a record is good for now: FRESH, STALE or ABSENT."""
        if record is None:
            return ABSENT
        now = self.clock()
        if record.stored > now + CLOCK_SKEW:
            record = self._restamped(key, record, now)
        return self._freshness.state(record, now, starttime)

    def put(
        self,
        key: str,
        value: Any,
        expire: float | None = None,
        stored: float | None = None,
    ) -> None:
        """Store a value.

        Args:
            key: The key.
            value: The value.
            expire: Seconds that it stays fresh from `stored` on; None: for ever.
            stored: When it was made; None: now.

        Raises:
            UnserializableValueError: What was stored before is untouched.
        """
        if stored is None:
            stored = self.clock()
        data = self._codec.encode(value, expire, stored)
        ttl = self._freshness.ttl(expire)
        if ttl == 0:
            self.store.discard(key)
        else:
            self._store(key, data, ttl)

    def fill(self, key: str, value: Any, expire: float | None, lease: Lease) -> None:
        """Store a value that was made under a lease, if that still holds.

        A store that is away or refuses it does not keep it; the caller has it.
        """
        data = self._codec.encode(value, expire, self.clock())
        ttl = self._freshness.ttl(expire)
        if ttl == 0:
            return
        try:
            self._fill(key, data, ttl, lease)
        except StoreUnavailableError:
            # The breaker has told it once.
            return
        except StoreRefusedError as e:
            _log.debug("%s: %r is not kept: %s", self.namespace, key, e)
            self.store.goes_without("store", e)

    def remove(self, key: str) -> None:
        """Remove a value, fresh or not."""
        self.store.discard(key)

    def tell_read(self, key: str, outcome: str) -> None:
        """Tell the listeners how a reading ended: "hit", "stale" or "miss"."""
        if "value_read" in listens:
            tell("value_read", namespace=self.namespace, key=key, outcome=outcome)

    def _restamped(self, key: str, record: Record, now: float) -> Record:
        # Written by a clock that runs ahead, or read by one that is behind: counted
        # from now on, or it would live for as long as they differ. A store with a
        # clock of its own sees to that. There nothing is rewritten: it could be we
        # who are wrong, and our time would end the value for everybody else.
        restamped = record_of(record.value, record.expire, now)
        if record.expire is None or self.store.has_own_clock:
            return restamped
        try:
            data = self._fetch(key)
            if data is not None and self._codec.decode(data).stored == record.stored:
                new = self._codec.encode(record.value, record.expire, now)
                self.store.replace(key, data, new, self._freshness.ttl(record.expire))
        except (CorruptRecordError, StoreUnavailableError, StoreRefusedError):
            # It was replaced, or cannot be: what was read is good all the same.
            pass
        return restamped
