"""The records of one namespace in memory, and the leases on making them."""

from __future__ import annotations

import os
import threading
import weakref
from collections.abc import MutableMapping
from time import monotonic
from typing import Any

from beaker._locks.waiting import Patience
from beaker.protocols import Lease

__all__ = ["Shelf", "ShelfLease", "tidy"]

_shelves: weakref.WeakValueDictionary[int, Shelf] = weakref.WeakValueDictionary()


class Shelf(dict[Any, Any]):
    """The records of one namespace, and when each has to leave.

    Records leave within a second of their deadline, when anybody reads or writes
    after it. At the bound those leave that came first and were not read since
    (second chance, Corbató 1968), which is nearly those unused for longest.
    """

    def __init__(self) -> None:
        super().__init__()
        self.lock = threading.RLock()
        self.leases: dict[Any, ShelfLease] = {}
        self.accessed: dict[Any, float] = {}
        self.read_since: set[Any] = set()
        self.next_sweep = float("inf")
        #: The managers that would not notice if another shelf took its place.
        self.users: weakref.WeakSet[Any] = weakref.WeakSet()
        self._leaves_at: dict[Any, int] = {}
        self._leaving: dict[int, set[Any]] = {}
        _shelves[id(self)] = self

    def lease_to(self, key: Any, lease: ShelfLease) -> threading.Lock | None:
        """Give the lease on a key away if nobody holds it.

        Returns:
            None, or the lock that its holder releases at the end.
        """
        with self.lock:
            holder = self.leases.setdefault(key, lease)
            if holder is lease:
                lease.found = self.get(key)
                return None
            if holder.ended is None:
                holder.ended = threading.Lock()
                holder.ended.acquire()
            return holder.ended

    def put(self, key: Any, data: Any, ttl: float | None, limit: int) -> None:
        """Keep a record, as one of so many; the lock is held by the caller."""
        now = monotonic()
        if now >= self.next_sweep:
            self.sweep()
        if len(self) >= limit and key not in self:
            self.make_room(limit)
        if self.leases:
            self.break_lease(key)
        self[key] = data
        before = self._leaves_at.get(key)
        second = None if ttl is None else int(now + ttl)
        if before != second:
            if before is not None:
                self._unschedule(key)
            if second is not None:
                self._schedule(key, second)

    def prolong(self, key: Any, ttl: float | None) -> None:
        """Let a record leave at another time; the lock is held by the caller."""
        second = None if ttl is None else int(monotonic() + ttl)
        if self._leaves_at.get(key) != second:
            self._unschedule(key)
            if second is not None:
                self._schedule(key, second)

    def take_out(self, key: Any) -> bool:
        """Remove a record and break its lease; the lock is held by the caller."""
        self.break_lease(key)
        return self._let_go(key)

    def used(self, key: Any) -> float:
        """Return when a record was last touched, or else when it was stored."""
        marked: float | None = self.accessed.get(key)
        return self[key].stored if marked is None else marked

    def sweep(self) -> int:
        """Remove what is past its deadline and return how many that were."""
        with self.lock:
            now = monotonic()
            due = [second for second in self._leaving if second + 1 <= now]
            gone = [key for second in due for key in self._leaving.pop(second)]
            for key in gone:
                self._let_go(key)
            self.next_sweep = min(self._leaving, default=float("inf")) + 1
            return len(gone)

    def make_room(self, limit: int) -> None:
        """Remove what was not read for longest, until there are fewer than `limit`."""
        while len(self) >= limit:
            oldest = next(iter(self))
            if oldest in self.read_since:
                self.read_since.discard(oldest)
                self[oldest] = self.pop(oldest)
            else:
                self._let_go(oldest)

    def empty(self) -> None:
        """Remove everything and break all leases."""
        with self.lock:
            self.clear()
            for key in list(self.leases):
                self.break_lease(key)
            for part in (self.accessed, self._leaves_at, self._leaving):
                part.clear()
            self.read_since.clear()
            self.next_sweep = float("inf")

    def break_lease(self, key: Any) -> None:
        """End whatever creation is going on; the lock is held by the caller."""
        lease = self.leases.pop(key, None)
        if lease is not None and lease.ended is not None:
            lease.ended.release()

    def _let_go(self, key: Any) -> bool:
        # Its successor may be in the making: that nobody needs it is no invalidation.
        self.accessed.pop(key, None)
        self.read_since.discard(key)
        self._unschedule(key)
        return self.pop(key, None) is not None

    def _unschedule(self, key: Any) -> None:
        second = self._leaves_at.pop(key, None)
        if second is not None and second in self._leaving:
            leaving = self._leaving[second]
            leaving.discard(key)
            if not leaving:
                del self._leaving[second]

    def _schedule(self, key: Any, second: int) -> None:
        self._leaves_at[key] = second
        if second in self._leaving:
            self._leaving[second].add(key)
        else:
            self._leaving[second] = {key}
            self.next_sweep = min(self.next_sweep, second + 1)


def tidy(shelves: MutableMapping[Any, Shelf]) -> None:
    """Remove the shelves on which nothing is left and which nobody uses."""
    for name, shelf in list(shelves.items()):
        shelf.sweep()
        if not shelf and not shelf.users:
            del shelves[name]


class ShelfLease(Lease):
    """The lease on one key of a shelf; who waits for it is woken when it ends.

    It ends when it is released, and when its key is stored or removed by another.

    Attributes:
        ended: Released at the end; made by the first who waits for it.
    """

    token = ""

    def __init__(self, shelf: Shelf, key: Any) -> None:
        self.ended: threading.Lock | None = None
        self._shelf, self._key = shelf, key

    def acquire(self, wait: bool = True, timeout: float | None = None) -> bool:
        """Take the lease; see `Lease.acquire`."""
        ended = self._shelf.lease_to(self._key, self)
        return ended is None or self._wait(ended, Patience(wait, timeout), wait=wait)

    def _wait(self, ended: threading.Lock, patience: Patience, *, wait: bool) -> bool:
        other: threading.Lock | None = ended
        while other is not None:
            left = patience.left()
            if not other.acquire(timeout=-1 if left is None else left):
                if wait:
                    raise patience.timed_out(str(self._key))
                return False
            other.release()
            if self.ready is not None and self.ready():
                return False
            other = self._shelf.lease_to(self._key, self)
        return True

    def release(self) -> None:
        """End the lease if it has not ended."""
        leases = self._shelf.leases
        if leases.get(self._key) is self:
            with self._shelf.lock:
                if leases.get(self._key) is self:
                    self._shelf.break_lease(self._key)


def _forget_in_child() -> None:
    # The threads that held locks and leases did not come along.
    for shelf in list(_shelves.values()):
        shelf.lock = threading.RLock()
        shelf.leases = {}


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_forget_in_child)
