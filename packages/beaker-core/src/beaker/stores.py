"""Opens a backend by name or class, and guards every call to it."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterable, Iterator, Mapping
from typing import Any, TypeVar

from beaker.breaker import Breaker, breaker_for
from beaker.exceptions import StoreRefusedError
from beaker.legacy import LegacyStore, is_legacy
from beaker.protocols import Lease, NamespaceManager, Purged
from beaker.records import OBJECTS, ObjectCodec, RecordCodec
from beaker.serializers import serializer_named

__all__ = ["Store", "StoreOpener", "open_store"]

_T = TypeVar("_T")

#: What happens while an operation is refused.
_MEANWHILE = {
    "lock": "values are made without a lock",
    "read": "values are made each time",
    "store": "values are made and not kept",
}


class Store:
    """One namespace of an opened store, as the core uses it.

    It has the methods of `NamespaceManager` and their meaning. What means that the
    store is away becomes a `StoreUnavailableError`, at once while the breaker that
    all users of the store share is open.

    Attributes:
        manager: What the backend's class made.
        has_own_clock: Whether the store forgets records by a clock that is not this
            process's, nor this process's alone to suffer from.
        is_legacy: Whether that class was written for Beaker 1.x.
        holds_objects: Whether data are `Record` objects rather than bytes.
        codec: Turns records into data and back.
        identity: Equal for two that are the same namespace of the same store.
    """

    __slots__ = (
        "_away",
        "_breaker",
        "_inner",
        "_refusals",
        "codec",
        "has_own_clock",
        "holds_objects",
        "identity",
        "is_legacy",
        "manager",
    )

    def __init__(
        self,
        manager: NamespaceManager,
        inner: NamespaceManager,
        breaker: Breaker,
        codec: RecordCodec | ObjectCodec,
    ) -> None:
        self.manager, self._inner, self._breaker = manager, inner, breaker
        self._away, self._refusals = inner.unavailable, breaker.refusals
        self.is_legacy = inner is not manager
        self.holds_objects = inner.holds_objects
        self.has_own_clock = inner.expires_natively and inner.shared_between_processes
        self.codec = codec
        self.identity: Hashable = (breaker, manager.namespace)

    @classmethod
    def around(cls, manager: NamespaceManager, purpose: str = "cache") -> Store:
        """Return the store that a manager made elsewhere stands for."""
        inner = LegacyStore(manager, purpose) if is_legacy(type(manager)) else manager
        place = inner.place()
        codec = OBJECTS if inner.holds_objects else RecordCodec()
        breaker = breaker_for((type(manager), place, None), place, inner.remedy)
        return cls(manager, inner, breaker, codec)

    def sibling(self, namespace: str) -> Store:
        """Return another namespace of the same store, cheaply; not of one of 1.x."""
        other = object.__new__(Store)
        other.manager = other._inner = self.manager.sibling(namespace)
        other._away, other._breaker = self._away, self._breaker
        other._refusals, other.codec = self._refusals, self.codec
        other.is_legacy, other.holds_objects = False, self.holds_objects
        other.has_own_clock = self.has_own_clock
        other.identity = self._breaker, namespace
        return other

    @property
    def nearest(self) -> Store | NamespaceManager:
        """Where those who do it a lot fetch, store and fill, by the shortest way."""
        # What is in this process is never away, so there is nothing to guard.
        return self if self._away else self._inner

    def fetch(self, key: str) -> Any:
        """Return a record's data, or None."""
        self._breaker.check()
        try:
            data = self._inner.fetch(key)
        except self._away as e:
            raise self._trip(e) from e
        if self._refusals.refused:
            self._refusals.end("read")
        return data

    def store(self, key: str, data: Any, ttl: float | None) -> None:
        """Store a record."""
        self._guarded(self._inner.store, key, data, ttl)

    def discard(self, key: str) -> bool:
        """Remove a record."""
        return self._guarded(self._inner.discard, key)

    def replace(self, key: str, expected: Any, data: Any, ttl: float | None) -> bool:
        """Compare and set."""
        return self._guarded(self._inner.replace, key, expected, data, ttl)

    def drop(self) -> None:
        """Remove the namespace."""
        self._guarded(self._inner.drop)

    def lease(self, key: str) -> Lease:
        """Return a new lease; its own calls are guarded by `acquire`."""
        return self._inner.lease(key)

    def acquire(self, lease: Lease, *, wait: bool, timeout: float | None) -> bool:
        """Take a lease."""
        if not self._away:
            return lease.acquire(wait, timeout)
        held = self._guarded(lease.acquire, wait, timeout)
        if self._refusals.refused:
            self._refusals.end("lock")
        return held

    def release(self, lease: Lease) -> None:
        """Free a lease; if the store is away it lapses by itself."""
        try:
            lease.release()
        except self._away as e:
            self._trip(e)

    def fill(self, key: str, data: Any, ttl: float | None, lease: Lease) -> bool:
        """Store what the holder of a lease has created."""
        filled = self._guarded(self._inner.fill, key, data, ttl, lease)
        if self._refusals.refused:
            self._refusals.end("store")
        return filled

    def goes_without(self, operation: str, error: StoreRefusedError) -> None:
        """Tell, once, that the caller does without what the store refuses."""
        self._refusals.begin(operation, error, _MEANWHILE[operation])

    def fetch_many(self, keys: Iterable[str]) -> dict[str, Any]:
        """Return the records that are there."""
        return self._guarded(self._inner.fetch_many, keys)

    def store_many(self, records: Mapping[str, Any], ttl: float | None) -> None:
        """Store several records."""
        self._guarded(self._inner.store_many, records, ttl)

    def discard_many(self, keys: Iterable[str]) -> int:
        """Remove several records."""
        return self._guarded(self._inner.discard_many, keys)

    def fetch_accessed(self, key: str) -> tuple[Any, float | None] | None:
        """Return a record and when it was last touched."""
        return self._guarded(self._inner.fetch_accessed, key)

    def touch(self, key: str, ttl: float | None, accessed: float) -> bool:
        """Mark a record as accessed."""
        return self._guarded(self._inner.touch, key, ttl, accessed)

    def ping(self) -> None:
        """Return if the store answers."""
        self._guarded(self._inner.ping)

    def place(self) -> str:
        """Return the store's name and where it is, without passwords."""
        return self._inner.place()

    def keys(self) -> list[str]:
        """Return the keys of all records."""
        return self._guarded(lambda: list(self._inner.keys()))

    def purge_sessions(self, unused_for: float, *, dry_run: bool) -> Iterator[Purged]:
        """Remove the store's unused sessions."""
        self._breaker.check()
        try:
            yield from self._inner.purge_sessions(unused_for, dry_run=dry_run)
        except self._away as e:
            raise self._trip(e) from e

    def _guarded(self, operation: Callable[..., _T], *arguments: Any) -> _T:
        if self._breaker.cause is not None:
            self._breaker.check()
        try:
            return operation(*arguments)
        except self._away as e:
            raise self._trip(e) from e

    def _trip(self, cause: BaseException) -> Exception:
        return self._breaker.trip(cause, self._inner.ping)


class StoreOpener:
    """Opens many namespaces of one store with the same options.

    Args:
        backend: The store's class.
        given: All options as the user gave them. A class of 2.x takes those that
            it declares, a class of 1.x is given all.
        purpose: "cache" or "session".

    Raises:
        InvalidOptionError: An option has a value that it does not take.
    """

    def __init__(
        self, backend: type[Any], given: Mapping[str, Any], purpose: str
    ) -> None:
        self.backend, self.purpose = backend, purpose
        self.is_legacy = is_legacy(backend)
        self._given = dict(given)
        serializer = self._given.get("data_serializer") or "pickle"
        self._codec = RecordCodec(serializer_named(serializer))
        self._first: Store | None = None
        self._breaker: Breaker | None = None

    def open(self, namespace: str) -> Store:
        """Return the store's namespace of this name."""
        if self._first is not None:
            return self._first.sibling(namespace)
        manager = self._manager(namespace)
        inner = LegacyStore(manager, self.purpose) if self.is_legacy else manager
        breaker = self._breaker
        if breaker is None:
            place = inner.place()
            # What a 1.x class does not tell of where it is, its options do.
            told = str(self._given) if self.is_legacy else None
            breaker = breaker_for((self.backend, place, told), place, inner.remedy)
            self._breaker = breaker
        codec = OBJECTS if inner.holds_objects else self._codec
        opened = Store(manager, inner, breaker, codec)
        if self.purpose == "session" and not self.is_legacy:
            # A request opens one namespace for its session: options are parsed once.
            self._first = opened
        return opened

    def _manager(self, namespace: str) -> NamespaceManager:
        if self.is_legacy or self.purpose == "cache":
            return self.backend(namespace, **self._given)  # type: ignore[no-any-return]  # what a plugin registered
        return self.backend(namespace, **{**self._given, "purpose": "session"})  # type: ignore[no-any-return]  # likewise


def open_store(
    backend: type[Any], namespace: str, given: Mapping[str, Any], purpose: str
) -> Store:
    """Return one namespace of a store; see `StoreOpener` for several."""
    return StoreOpener(backend, given, purpose).open(namespace)
