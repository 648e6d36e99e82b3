"""The life of a cached value: fresh, then stale, then made anew by one caller."""

from __future__ import annotations

import logging
from collections.abc import Callable
from typing import Any

from beaker._caching.creation import (
    News,
    acquired,
    created,
    is_creating,
    leased,
    spread,
)
from beaker._caching.freshness import ABSENT, CLOCK_SKEW, FRESH, STALE, Freshness
from beaker._caching.steps import Later, Regeneration, run
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


class ValueStore:
    """The values of one namespace, each read, expired and regenerated once.

    Args:
        store: Where they are.
        clock: Returns the present, in seconds since the epoch.
        grace: Seconds after expiry for which a value may be served as stale; None:
            as `Freshness` has it.
        acquire_timeout: Seconds to wait for another's creation; None: until done.
        background: Whether all callers are served the stale value, and threads in
            the background make the new one.

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
        background: bool = False,
    ) -> None:
        self.store = store
        self.namespace: str = store.manager.namespace
        self._clock = clock
        self.acquire_timeout, self.background = acquire_timeout, background
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
        except (StoreUnavailableError, StoreRefusedError) as e:
            if create is None:
                raise
            record = self.does_without(e)
        # Nearly every call ends here, so it goes no further for it.
        if (
            record is not None
            and starttime is None
            and record.stored - CLOCK_SKEW <= self._clock() < record.fresh_until
        ):
            if "value_read" in listens:
                self.tell_read(key, "hit")
            return record.value
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
        if stale is not None and self.background:
            anew = self.regeneration_unseen(key, stale, expire, starttime)
            yield Later((self.store.identity, key), anew)
            self.tell_read(key, "stale")
            return stale.value
        news: News = []
        try:
            return (yield from self._made(key, stale, expire, starttime, news))
        finally:
            spread(news, self.namespace, key)

    def regeneration_unseen(
        self,
        key: str,
        stale: Record,
        expire: float | None = None,
        starttime: float | None = None,
    ) -> Regeneration:
        """Make a stale value anew for no caller: what goes wrong is logged."""
        news: News = []
        try:
            yield from self._made(key, stale, expire, starttime, news)
        except Exception as e:  # noqa: BLE001 - whatever the program's function raises
            what = f"{self.namespace}: {key!r}"
            _log.warning("%s is not made anew in the background", what, exc_info=e)
        finally:
            # Nobody has read it here.
            seen = [one for one in news if one[0] != "value_read"]
            spread(seen, self.namespace, key)

    def refreshment(self, key: str, expire: float | None = None) -> Regeneration:
        """Make a value now and store it, whatever is there, step by step."""
        if self.is_creating(key):
            raise RecursiveCreationError(self.namespace, key)
        news: News = []

        def make(lease: Lease) -> Regeneration:
            wants, timeout = lambda: False, self.acquire_timeout
            yield from acquired(
                self.store, key, lease, wants, wait=True, timeout=timeout
            )
            value = yield from created(self.store, key, news)
            yield lambda: self._fill(key, value, expire, lease)
            return value

        try:
            return (yield from leased(self.store, key, make))
        finally:
            spread(news, self.namespace, key)

    def is_creating(self, key: str) -> bool:
        """Return whether this thread or task is creating this very value."""
        return is_creating(self.store, key)

    def does_without(self, error: Exception) -> Record | None:
        """Note that nothing could be read; None stands for the record."""
        if isinstance(error, StoreRefusedError):  # the breaker tells of the other kind
            self.store.goes_without("read", error)
        return None

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
        news: News,
    ) -> Regeneration:
        come: list[Record] = []

        def make(lease: Lease) -> Regeneration:
            def has_come() -> bool:
                record = self._made_meanwhile(key, lease)
                if record is None or self.state_of(key, record, starttime) is not FRESH:
                    return False
                come.append(record)
                return True

            wait, timeout = stale is None, self.acquire_timeout
            held = yield from acquired(
                self.store, key, lease, has_come, wait=wait, timeout=timeout
            )
            if come or (held and (yield has_come)):
                news.append(("value_read", {"outcome": "hit"}))
                return come[-1].value
            if stale is not None and not held:
                news.append(("value_read", {"outcome": "stale"}))
                return stale.value
            news.append(("value_read", {"outcome": "miss"}))
            value = yield from created(self.store, key, news)
            yield lambda: self._fill(key, value, expire, lease)
            return value

        return leased(self.store, key, make)

    def _made_meanwhile(self, key: str, lease: Lease) -> Record | None:
        # Between our reading and our taking the lease another may have filled it.
        try:
            data = self._fetch(key) if lease.found is UNTOLD else lease.found
            return None if data is None else self._codec.decode(data)
        except (CorruptRecordError, StoreUnavailableError, StoreRefusedError):
            # Told when it was read first.
            return None

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
            _log.debug("%s: %r is not kept: %s", self.namespace, key, e)
            self.store.goes_without("store", e)

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
                new = self._codec.encode(restamped)
                self.store.replace(key, data, new, self._freshness.ttl(record.expire))
        except (CorruptRecordError, StoreUnavailableError, StoreRefusedError):
            # It was replaced, or cannot be: what was read is good all the same.
            pass
        return restamped
