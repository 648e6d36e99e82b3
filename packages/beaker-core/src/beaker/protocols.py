"""The contract between the core and its plugins: all that their author reads.

To write a store, inherit from `NamespaceManager` and give it the six methods
`fetch`, `store`, `discard`, `replace`, `drop` and `lease`. A store moves bytes:
what is in them, and when it expires, is the core's business. To write a cipher,
give a module or an object the methods of `CryptoProvider`. Register either as an
entry point in the group ``beaker.backends``.

A plugin imports from `beaker.protocols`, `beaker.container`,
`beaker.synchronization`, `beaker.exceptions` and `beaker.hookspecs`, and from no
other module of the core.
"""

from __future__ import annotations

import time
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any, ClassVar, NamedTuple, Protocol, Self

import beaker._installation  # noqa: F401  # stops before names of 1.x are missed
from beaker.exceptions import UnsupportedOperationError
from beaker.options import (
    Coercer,
    boolean,
    choice,
    listing,
    number,
    optional,
    seconds,
    text,
    whole_number,
)
from beaker.records import OBJECTS, ObjectCodec, RecordCodec
from beaker.serializers import Serializer

__all__ = [
    "ABILITIES",
    "API_VERSION",
    "UNTOLD",
    "Coercer",
    "CryptoProvider",
    "Lease",
    "NamespaceManager",
    "Purged",
    "Serializer",
    "StoreOptions",
    "Synchronizer",
    "boolean",
    "choice",
    "listing",
    "number",
    "optional",
    "seconds",
    "text",
    "whole_number",
]

#: The contract this core offers. A plugin that asks for more is refused.
API_VERSION = 2

#: What a store may be able to do, as the attributes of its class say.
ABILITIES = (
    "enumerable",
    "expires_natively",
    "updates_atomically",
    "shared_between_processes",
    "shared_between_hosts",
    "durable",
)

#: Where a lease does not tell what the store held when it was taken.
UNTOLD: Any = object()

_BYTES = RecordCodec()


class StoreOptions:
    """What a store is told about itself, checked and of the right types.

    Attributes:
        url: Where the store is, or a client object that its user made and closes;
            None if not given.
        purpose: "cache" or "session". A session's namespace is its id and holds
            the one key ``session``.
        deadline: Seconds that one operation may take (the option
            ``store_timeout``).
        prefix: Keeps two applications on one server apart; often empty.
        data_dir: Directory for stores that keep files; None if not given.
        lock_dir: Directory for lock files; None if not given.
        own: The options that the store's class declares in `options`, those that
            were given.
    """

    __slots__ = (
        "data_dir",
        "deadline",
        "lock_dir",
        "own",
        "prefix",
        "purpose",
        "url",
    )

    url: Any
    purpose: str
    deadline: float
    prefix: str
    data_dir: str | None
    lock_dir: str | None
    own: Mapping[str, Any]

    #: The options that every store shares; the rest it declares itself.
    common: ClassVar[Mapping[str, Coercer]] = {
        "data_dir": optional(text),
        "lock_dir": optional(text),
        "prefix": lambda name, value: text(name, value) if value else "",
        "store_timeout": number,
    }

    def __init__(
        self,
        *,
        url: Any = None,
        purpose: str = "cache",
        deadline: float = 0.2,
        prefix: str = "",
        data_dir: str | None = None,
        lock_dir: str | None = None,
        own: Mapping[str, Any] | None = None,
    ) -> None:
        self.url, self.purpose, self.deadline = url, purpose, deadline
        self.prefix, self.data_dir, self.lock_dir = prefix, data_dir, lock_dir
        self.own = own or {}

    @classmethod
    def parse(
        cls,
        given: Mapping[str, Any],
        declared: Mapping[str, Coercer],
        purpose: str = "cache",
    ) -> StoreOptions:
        """Check and coerce what a user wrote; names that nobody declared are left.

        Raises:
            InvalidOptionError: A value that its option does not take.
        """
        shared = {
            name: coercer(name, given[name])
            for name, coercer in cls.common.items()
            if given.get(name) is not None
        }
        own = {
            name: coercer(name, given[name])
            for name, coercer in declared.items()
            if name in given
        }
        url = given.get("url")
        return cls(
            url=text("url", url) if isinstance(url, str) else url,
            purpose=purpose,
            deadline=shared.get("store_timeout", 0.2),
            prefix=shared.get("prefix", ""),
            data_dir=shared.get("data_dir"),
            lock_dir=shared.get("lock_dir"),
            own=own,
        )


class Synchronizer(ABC):
    """Many readers or one writer, among all that know the same name.

    Reentrant for its holder. A holder that reads cannot become one that writes.
    """

    @abstractmethod
    def acquire_read_lock(self, wait: bool = True) -> bool:
        """Begin to read, waiting while someone writes.

        Returns:
            Whether the lock is now ours; always true with `wait`.
        """

    @abstractmethod
    def release_read_lock(self) -> None:
        """End reading."""

    @abstractmethod
    def acquire_write_lock(self, wait: bool = True) -> bool:
        """Begin to write, waiting while anyone else reads or writes.

        Returns:
            Whether the lock is now ours; always true with `wait`.
        """

    @abstractmethod
    def release_write_lock(self) -> None:
        """End writing."""

    def acquire(self, wait: bool = True) -> bool:
        """Take the write lock."""
        return self.acquire_write_lock(wait)

    def release(self) -> None:
        """Free the write lock."""
        self.release_write_lock()


class Purged(NamedTuple):
    """How far the removal of unused sessions has come.

    Attributes:
        examined: How many sessions were looked at.
        removed: How many of them were removed; where only counted, would have been.
        total: How many there are to look at; None: the store cannot tell beforehand.
    """

    examined: int
    removed: int
    total: int | None = None


class Lease(ABC):
    """The right to create one value, held by one caller on all hosts.

    It ends when it is released, when its holder dies (at once where the system tells,
    after `NamespaceManager.lease_expires_in` where not), and when it is broken, as
    whoever changes the record does. From then on `NamespaceManager.fill` stores
    nothing for it. The next may take it, but where a lock of the system or of the
    process is part of it, not before its former holder has released that.

    A lease is not reentrant and belongs to the object, not to a thread: the
    thread that releases it need not be the one that took it. Make one per
    creation with `NamespaceManager.lease`.

    Inherit from `beaker.synchronization.RemoteLease` for a store on a server: it
    brings the loop, the waiting, the renewal and the exclusion within the process,
    and asks for four small operations. Stores of one machine use
    `beaker.synchronization.LocalLease`.

    Attributes:
        token: Random text that names this holder; new with each acquisition.
        found: What the store held under the key when the lease was taken, if taking
            it tells so in the same round trip; else `UNTOLD`.
        ready: Asked by one who has waited: whether what is to be created has come
            meanwhile, so that he can go without the lease. Set by who acquires;
            None: he wants the lease in any case.
    """

    token: str
    found: Any = UNTOLD
    ready: Callable[[], bool] | None = None

    @abstractmethod
    def acquire(self, wait: bool = True, timeout: float | None = None) -> bool:
        """Take the lease.

        Args:
            wait: Whether to wait while another holds it.
            timeout: Seconds to wait; None: as long as it takes.

        Returns:
            Whether it is now ours. With `wait`, it is not only where `ready` says
            that it need not be.

        Raises:
            LockTimeoutError: `timeout` seconds have passed.
        """

    @abstractmethod
    def release(self) -> None:
        """Free the lease if it is still ours; never raises for one that is not."""


class NamespaceManager:
    """One namespace of one store: inherit from this to write a store.

    The core makes many of these, so construction touches neither network nor
    disk. All methods may be called from any thread at once.

    A store tells that it cannot be reached by an exception whose class is listed
    in `unavailable`; the core turns it into a `StoreUnavailableError` and spares
    the store until it is back. Everything else is a mistake and travels as it is.

    Args:
        namespace: The name. Any text; two names never share a record.
        url: Where the store is, or a client that the caller made and closes.
        keywords: The other options, by name, as they stand in a configuration.
    """

    #: The contract this class was written for.
    api: ClassVar[int] = 2
    #: Options beside `StoreOptions.common`: name and coercer.
    options: ClassVar[Mapping[str, Coercer]] = {}
    #: What the client raises when the store is away, or too slow.
    unavailable: ClassVar[tuple[type[BaseException], ...]] = (OSError,)

    #: What its user can do when it is away, as `StoreUnavailableError` tells it.
    remedy: ClassVar[str] = "check that it runs and that the option 'url' leads to it"

    #: How long the first call waits while it is away, in words for the table of
    #: abilities: what the client cannot undercut. Later calls do not wait.
    first_wait: ClassVar[str] = "`store_timeout`"

    # What the store can do. A claimed ability works; a method of one that is not
    # claimed refuses with UnsupportedOperationError, or does not need it.
    #: `keys`, `size`, `purge` and `purge_sessions` work.
    enumerable: ClassVar[bool] = False
    #: The store forgets records by itself some time after their `ttl` has passed.
    expires_natively: ClassVar[bool] = False
    #: `replace` and `fill` are atomic among all who can reach the store. Where not,
    #: they may refuse; if not, they hold for one caller at a time.
    updates_atomically: ClassVar[bool] = False
    shared_between_processes: ClassVar[bool] = False
    shared_between_hosts: ClassVar[bool] = False
    #: What was stored survives a restart of program and store.
    durable: ClassVar[bool] = False
    #: Records are kept as Python objects: they are never encoded.
    holds_objects: ClassVar[bool] = False

    #: Seconds after which a lease lapses whose holder no longer renews it. Stores of
    #: one machine have no use for it: there a dead holder's lease is free at once.
    lease_expires_in: float = 5.0

    #: Subclasses written for 1.x: the attribute by which one brings its own client or
    #: dictionary in ``__init__``, and the class with the methods that then work on it.
    former: ClassVar[tuple[str, type] | None] = None
    _is_former: ClassVar[bool] = False

    namespace: str
    settings: StoreOptions

    def __init_subclass__(cls, **keywords: Any) -> None:
        """Let a subclass that was written for 1.x work on what it brings."""
        super().__init_subclass__(**keywords)
        own = vars(cls)
        code = getattr(own.get("__init__"), "__code__", None)
        if cls.former is None or code is None or cls.former[0] not in code.co_names:
            return
        cls._is_former = True
        for name, method in _methods(cls.former[1]).items():
            if name not in own:
                setattr(cls, name, method)

    def __init__(self, namespace: str, url: Any = None, **keywords: Any) -> None:
        self._init_dependencies()
        self.namespace = namespace
        if _moves_bytes(type(self)) and not self._is_former:
            purpose = keywords.pop("purpose", "cache")
            given = {**keywords, "url": url}
            self.settings = StoreOptions.parse(given, self.options, purpose)
            self.prepare()

    def sibling(self, namespace: str) -> Self:
        """Return a manager of another namespace with the same options, cheaply."""
        # copy.copy takes five times as long, and each session needs one.
        other = object.__new__(type(self))
        other.__dict__ = self.__dict__.copy()
        other.namespace = namespace
        other.prepare()
        return other

    @classmethod
    def _init_dependencies(cls) -> None:
        # The hook that 1.x plugins use to import their client.
        pass

    def prepare(self) -> None:
        """Derive names from `namespace` and `settings`, and forget all else of them.

        Called at the end of `NamespaceManager.__init__`, and for each `sibling`: that
        one begins with all attributes of the manager it comes from, and so has to
        forget here what was remembered of another namespace.
        """

    # -- the six methods a store implements

    def fetch(self, key: str) -> bytes | None:
        """Return the record's bytes, or None if there is none, in one round trip.

        One that is past its `ttl` may still be returned: the core knows it by its
        header.
        """
        raise NotImplementedError

    def store(self, key: str, data: bytes, ttl: float | None) -> None:
        """Store a record, whatever was there, and break the lease on its key.

        Args:
            key: Any text.
            data: Bytes, to be returned unchanged.
            ttl: Seconds until the store may forget it, more than 0; None: never.

        Raises:
            StoreRefusedError: It is larger than the store takes, or there is no room.
                The record that was there may be gone.
        """
        raise NotImplementedError

    def discard(self, key: str) -> bool:
        """Remove a record, break the lease on its key, and return if it was there.

        The lease is broken even where there is no record: the creation that holds
        it began before this removal, and must not store.
        """
        raise NotImplementedError

    def replace(
        self, key: str, expected: bytes | None, data: bytes, ttl: float | None
    ) -> bool:
        """Store a record if the stored one is still `expected`: compare and set.

        If it is stored, the lease on its key is broken; if not, nothing has changed.

        Args:
            key: Any text.
            expected: What `fetch` returned; None: only if there is no record, which a
                lease alone is not, nor what is past its `ttl` where the store can tell.
            data: Bytes.
            ttl: As for `store`.

        Returns:
            Whether it was stored.
        """
        raise NotImplementedError

    def drop(self) -> None:
        """Remove all records of this namespace, and break all leases in it.

        Exactly those, whatever else is on the server, and at a cost that does not
        depend on it. No lease that was taken before the call outlives it: where the
        records are removed page by page, no change moves one to where was looked
        already. The namespace of a session is dropped, too.
        """
        raise NotImplementedError

    def lease(self, key: str) -> Lease:
        """Return a new lease on the creation of this key; takes nothing yet."""
        raise NotImplementedError

    def fill(self, key: str, data: bytes, ttl: float | None, lease: Lease) -> bool:
        """Store what the holder of a lease has created, and free the lease.

        One atomic step, for it keeps two promises: a holder that was frozen until
        its lease lapsed does not overwrite its successor, and nothing whose
        creation began before a `discard`, `store` or `drop` is stored after it. A
        `RemoteLease` is told by its method `forget` that it need not be freed again.

        Returns:
            Whether the lease still held, and so the record was stored.
        """
        raise NotImplementedError

    # -- what a store may do better than these

    def fetch_many(self, keys: Iterable[str]) -> dict[str, bytes]:
        """Return the records that are there, in one round trip where it can."""
        found = ((key, self.fetch(key)) for key in keys)
        return {key: data for key, data in found if data is not None}

    def store_many(self, records: Mapping[str, bytes], ttl: float | None) -> None:
        """Store several records that live equally long."""
        for key, data in records.items():
            self.store(key, data, ttl)

    def discard_many(self, keys: Iterable[str]) -> int:
        """Remove several records and return how many were there."""
        return sum(self.discard(key) for key in keys)

    def fetch_accessed(self, key: str) -> tuple[bytes, float | None] | None:
        """Return a record and when `touch` last marked it, in seconds since 1970.

        None for the record if there is none. For a record that was never marked the
        time is None, or when it was stored. A mark goes with its record: one that is
        stored after a removal has none.
        """
        data = self.fetch(key)
        if data is None:
            return None
        mark = self._marks().fetch(key)
        accessed, _, marked = (mark or b"").partition(b" ")
        is_its = mark is not None and marked == _digest(data)
        return data, float(accessed) if is_its else None

    def touch(self, key: str, ttl: float | None, accessed: float) -> bool:
        """Mark a record as accessed and keep it for `ttl` seconds from now.

        Returns:
            Whether there is such a record; nothing is made where there is none.
        """
        data = self.fetch(key)
        if data is None or not self.replace(key, data, data, ttl):
            return False
        mark = b"%r %s" % (accessed, _digest(data))
        self._marks().store(key, mark, ttl)
        return True

    def _marks(self) -> Self:
        # Not beside the records, where `keys` would list them. Nobody removes them:
        # each names the record that it is of, and lives no longer.
        return self.sibling(f"{self.namespace}\0accessed")

    def keys(self) -> Iterable[str]:
        """Return the keys of all records that are not past their `ttl`, in any order.

        Exactly as they were given, whatever was written in their place.
        """
        raise UnsupportedOperationError(self.place(), "list its keys", "enumerable")

    def size(self) -> int:
        """Return how many records there are."""
        return sum(1 for _ in self.keys())

    def purge(self) -> int:
        """Remove what is past its `ttl`, and return how many records that was.

        It breaks no lease: what it finds under one is just being made anew.
        """
        raise UnsupportedOperationError(self.place(), "purge itself", "enumerable")

    def purge_sessions(
        self, unused_for: float, *, dry_run: bool = False
    ) -> Iterator[Purged]:
        """Remove all sessions of this store that nobody has used for so long.

        Whichever session this namespace is. Those past their `ttl` are removed too,
        where the store has not forgotten them by itself. One that is used meanwhile
        stays. Where the place of a session does not tell its `prefix`, the sessions of
        all applications that share the place are looked at.

        Args:
            unused_for: Seconds since a session was last stored or touched.
            dry_run: Whether to count only.

        Yields:
            The counts so far, every few hundred sessions and at the end.

        Raises:
            UnsupportedOperationError: The store cannot tell which sessions it holds.
        """
        del unused_for, dry_run
        operation = "look for its unused sessions"
        raise UnsupportedOperationError(self.place(), operation, "enumerable")

    def ping(self) -> None:
        """Return if the store answers; raise one of `unavailable` if not."""
        self.fetch("beaker_ping")

    def version(self) -> str | None:
        """Return the name and version of what keeps the records; None: nothing does."""
        return None

    def session_ids(self) -> Iterator[str]:
        """Return the ids of the sessions in this store, for a look at some of them.

        One whose name on the store does not tell its id is left out.

        Raises:
            UnsupportedOperationError: The store cannot tell which sessions it holds.
        """
        raise UnsupportedOperationError(self.place(), "list its sessions", "enumerable")

    def place(self) -> str:
        """Return the store's name and where it is, without passwords, for errors."""
        return type(self).__name__

    # -- the dictionary face of Beaker 1.x, built on the above

    def _codec(self) -> RecordCodec | ObjectCodec:
        return OBJECTS if self.holds_objects else _BYTES

    def __getitem__(self, key: str) -> Any:
        data = self.fetch(key)
        if data is not None:
            record = self._codec().decode(data)
            if time.time() < record.fresh_until:
                return record.value
        raise KeyError(key)

    def __setitem__(self, key: str, value: Any) -> None:
        if not _moves_bytes(type(self)):
            raise NotImplementedError
        self.set_value(key, value)

    def set_value(self, key: str, value: Any, expiretime: float | None = None) -> None:
        """Store a value that expires in so many seconds; None: never."""
        if not _moves_bytes(type(self)):
            self[key] = value
            return
        data = self._codec().encode(value, expiretime, time.time())
        self.store(key, data, expiretime)

    def __contains__(self, key: str) -> bool:
        try:
            self[key]
        except KeyError:
            return False
        return True

    def has_key(self, key: str) -> bool:
        """Return whether there is a current value, as ``key in manager`` does."""
        return key in self

    def __delitem__(self, key: str) -> None:
        if not self.discard(key):
            raise KeyError(key)

    def __iter__(self) -> Iterator[str]:
        return iter(self.keys())

    def do_remove(self) -> None:
        """Remove all records; 1.x stores override this one."""
        self.drop()

    def remove(self) -> None:
        """Remove all records of this namespace."""
        self.do_remove()

    def get_creation_lock(self, key: str) -> Any:
        """Return the lock that a creator of this key holds."""
        return self.lease(key)

    # A record is read and written in one step, so a reader needs no lock and a
    # writer none that lasts. 1.x programs and stores still say when they begin.

    def acquire_read_lock(self) -> None:
        """Begin to read; nothing to do."""

    def release_read_lock(self) -> None:
        """End reading; nothing to do."""

    def acquire_write_lock(
        self,
        wait: bool = True,  # noqa: ARG002 - 1.x stores use it
        replace: bool = False,  # noqa: ARG002 - likewise
    ) -> bool:
        """Begin to write; always granted."""
        return True

    def release_write_lock(self) -> None:
        """End writing; nothing to do."""


class CryptoProvider(Protocol):
    """A cipher: a module or an object with these functions.

    The first four are the interface of Beaker 1.x and read what it wrote; the last
    two seal the records of 2.x with authenticated encryption.

    Of those installed, the one with the highest `priority` is the default; without
    that attribute it is 0. One that lacks its library raises
    `InvalidCryptoBackendError` when it is imported, and another is the default.
    """

    has_aes: bool

    def getKeyLength(self) -> int:  # noqa: N802 - as 1.x called it
        """Return the length of a key in bytes."""
        ...

    def aesEncrypt(self, data: bytes, key: bytes) -> bytes:  # noqa: N802 - as 1.x called it
        """Encrypt a payload of 1.x."""
        ...

    def aesDecrypt(self, data: bytes, key: bytes) -> bytes:  # noqa: N802 - as 1.x called it
        """Decrypt a payload of 1.x; raise on one that cannot be."""
        ...

    def seal(self, key: bytes, data: bytes, associated: bytes) -> bytes:
        """Encrypt and authenticate `data`, and authenticate `associated` with it.

        Args:
            key: 32 bytes.
            data: The plain bytes.
            associated: What the sealed bytes are bound to; needed to open them.
        """
        ...

    def open(self, key: bytes, data: bytes, associated: bytes) -> bytes:
        """Return what was sealed.

        Raises:
            ValueError: Another key, other associated data, or changed bytes.
        """
        ...


def _methods(face: type) -> dict[str, Any]:
    """Return the methods of a class, and of its bases before `NamespaceManager`."""
    bases = face.__mro__[: face.__mro__.index(NamespaceManager)]
    found = {k: v for base in reversed(bases) for k, v in vars(base).items()}
    return {k: v for k, v in found.items() if callable(v)}


def _moves_bytes(manager: type[NamespaceManager]) -> bool:
    return manager.fetch is not NamespaceManager.fetch


def _digest(data: Any) -> bytes:
    from hashlib import blake2b

    # Objects are no two times the same, and cost nothing to tell apart.
    known = data if isinstance(data, bytes) else repr(id(data)).encode()
    return blake2b(known, digest_size=16).hexdigest().encode()
