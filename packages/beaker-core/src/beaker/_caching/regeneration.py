"""The life of a cached value: fresh, then stale, then made anew by one caller."""

from __future__ import annotations

import logging
from collections.abc import Callable, Hashable
from contextvars import ContextVar
from time import perf_counter
from typing import Any

from beaker._caching.freshness import ABSENT, CLOCK_SKEW, FRESH, STALE, Freshness
from beaker._caching.steps import CREATE, Acquire, Regeneration, run
from beaker.exceptions import (
    CorruptRecordError,
    InvalidOptionError,
    RecursiveCreationError,
    StoreRefusedError,
    StoreUnavailableError,
)
from beaker.listeners import listens, tell
from beaker.protocols import UNTOLD, Lease
from beaker.records import Record, record_of
from beaker.stores import Store

__all__ = ["ValueStore"]

_log = logging.getLogger("beaker.cache")

#: What the listeners are to be told once the lease is free: hooks and their facts.
_News = list[tuple[str, dict[str, Any]]]


class _Creation:
    """A creation that runs, or has run: tasks begun in it remember it."""

    __slots__ = ("runs", "value")

    def __init__(self, value: tuple[Hashable, str]) -> None:
        self.value, self.runs = value, True


#: The values that this thread or task is creating.
_creating: ContextVar[tuple[_Creation, ...]] = ContextVar("creating", default=())


class ValueStore:
    """The values of one namespace, each read, expired and regenerated once.

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
        self.store = store
        self.namespace: str = store.manager.namespace
        self._clock, self._timeout = clock, acquire_timeout
        self._freshness = Freshness(grace)
        self._fetch, self._store, self._codec = store.fetcher, store.storer, store.codec
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

    def current(self, key: str, starttime: float | None) -> Record | None:
        """Return the record under a key if it is fresh."""
        record = self.read(key)
        if record is None or self.state_of(key, record, starttime) is not FRESH:
            return None
        return record

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
        except StoreUnavailableError:
            if create is None:
                raise
            record = None
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
        if record is not None and self.state_of(key, record, starttime) is FRESH:
            self.tell_read(key, "hit")
            return record.value
        if create is None:
            self.tell_read(key, "miss")
            raise KeyError(key)
        if not callable(create):
            takes = "a function without arguments"
            raise InvalidOptionError("createfunc", create, takes)
        return run(self.regeneration(key, record, expire, starttime), create)

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
        record = record_of(value, expire, self._clock() if stored is None else stored)
        data, ttl = self._codec.encode(record), self._freshness.ttl(expire)
        if ttl == 0:
            self.store.discard(key)
        else:
            self._store(key, data, ttl)

    def remove(self, key: str) -> None:
        """Remove a value, fresh or not."""
        self.store.discard(key)

    def regeneration(
        self,
        key: str,
        record: Record | None,
        expire: float | None = None,
        starttime: float | None = None,
    ) -> Regeneration:
        """Go from a record that is not fresh to a value, step by step.

        It yields what has to be done and is sent the outcome, so that the order of
        things is told once for those who call and for those who await. It returns
        the value. Use `run`, or its counterpart for coroutines.

        Args:
            key: The key.
            record: What `read` returned.
            expire: Seconds that a new value stays fresh; None: for ever.
            starttime: What was stored before does not count.
        """
        stale = None
        if record is not None and self.state_of(key, record, starttime) is STALE:
            stale = record
        if self.is_creating(key):
            if stale is not None:
                return stale.value
            raise RecursiveCreationError(self.namespace, key)
        news: _News = []
        try:
            return (yield from self._made(key, stale, expire, starttime, news))
        finally:
            for hook, facts in news:
                tell(hook, namespace=self.namespace, key=key, **facts)

    def is_creating(self, key: str) -> bool:
        """Return whether this thread or task is creating this very value."""
        value = self.store.identity, key
        return any(one.runs and one.value == value for one in _creating.get())

    def state_of(self, key: str, record: Record | None, starttime: float | None) -> str:
        """Return what a record is good for now: FRESH, STALE or ABSENT."""
        if record is None:
            return ABSENT
        now = self._clock()
        if record.stored > now + CLOCK_SKEW:
            record = self._restamped(key, record, now)
        return self._freshness.state(record, now, starttime)

    def tell_read(self, key: str, outcome: str) -> None:
        """Tell the listeners how a reading ended: "hit", "stale" or "miss"."""
        if "value_read" in listens:
            tell("value_read", namespace=self.namespace, key=key, outcome=outcome)

    def _made(
        self,
        key: str,
        stale: Record | None,
        expire: float | None,
        starttime: float | None,
        news: _News,
    ) -> Regeneration:
        lease = self.store.lease(key)
        come: list[Record] = []

        def has_come() -> bool:
            record = self._made_meanwhile(key, lease)
            if record is None or self.state_of(key, record, starttime) is not FRESH:
                return False
            come.append(record)
            return True

        try:
            held = yield from self._acquired(lease, stale, has_come)
            if come or (held and (yield has_come)):
                news.append(("value_read", {"outcome": "hit"}))
                return come[-1].value
            if stale is not None and not held:
                news.append(("value_read", {"outcome": "stale"}))
                return stale.value
            news.append(("value_read", {"outcome": "miss"}))
            value = yield from self._created(key, news)
            yield lambda: self._fill(key, value, expire, lease)
            return value
        finally:
            # Where it is not held this does nothing.
            yield lambda: self.store.release(lease)

    def _acquired(
        self, lease: Lease, stale: Record | None, has_come: Callable[[], bool]
    ) -> Regeneration:
        wait, timeout = stale is None, self._timeout
        try:
            return (
                yield Acquire(self.store, lease, has_come, wait=wait, timeout=timeout)
            )
        except StoreUnavailableError:
            # Nobody can tell whether another makes it: who has nothing, does.
            return wait
        except StoreRefusedError as e:
            _log.warning("%s: created without a lock: %s", self.namespace, e)
            return wait

    def _made_meanwhile(self, key: str, lease: Lease) -> Record | None:
        # Between our reading and our taking the lease another may have filled it.
        try:
            data = self._fetch(key) if lease.found is UNTOLD else lease.found
            return None if data is None else self._codec.decode(data)
        except (CorruptRecordError, StoreUnavailableError):
            # Told when it was read first.
            return None

    def _created(self, key: str, news: _News) -> Regeneration:
        creation = _Creation((self.store.identity, key))
        before = _creating.set((*_creating.get(), creation))
        began = perf_counter()
        try:
            value = yield CREATE
        finally:
            creation.runs = False
            _creating.reset(before)
        news.append(("value_created", {"seconds": perf_counter() - began}))
        return value

    def _fill(self, key: str, value: Any, expire: float | None, lease: Lease) -> None:
        data = self._codec.encode(record_of(value, expire, self._clock()))
        ttl = self._freshness.ttl(expire)
        if ttl == 0:
            return
        try:
            self.store.fill(key, data, ttl, lease)
        except StoreUnavailableError:
            # The breaker has told it once; the caller has his value.
            return
        except StoreRefusedError as e:
            _log.warning("%s: %r is not kept: %s", self.namespace, key, e)

    def _restamped(self, key: str, record: Record, now: float) -> Record:
        # Written by a clock that runs ahead: counted from now on, or it would live
        # for as long as that clock is ahead.
        restamped = record_of(record.value, record.expire, now)
        if record.expire is None:
            return restamped
        try:
            data = self._fetch(key)
            if data is not None and self._codec.decode(data).stored == record.stored:
                new = self._codec.encode(restamped)
                self.store.replace(key, data, new, self._freshness.ttl(record.expire))
        except (CorruptRecordError, StoreUnavailableError):
            # It was replaced, or cannot be: what was read is good all the same.
            pass
        return restamped
