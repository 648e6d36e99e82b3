"""Leases: the creation locks of stores on a server and of stores on one machine."""

from __future__ import annotations

import logging
import os
import time
from abc import abstractmethod
from collections.abc import Callable, Hashable

from beaker._locks.filelock import FileLock
from beaker._locks.renewal import Holding, renewer
from beaker._locks.turns import Turns
from beaker._locks.waiting import Patience, pause
from beaker.exceptions import LockError
from beaker.perprocess import PerProcess
from beaker.protocols import UNTOLD, Lease

__all__ = ["Lease", "LocalLease", "RemoteLease"]

#: Seconds after which a waiter asks again, even where the store would wake it: a
#: holder that died wakes nobody.
LONGEST_WAIT = 1.0

#: Of one who does not wait at all.
_AT_ONCE = Patience(wait=False)

_log = logging.getLogger("beaker.store")
_turns = PerProcess(Turns)


class _LeaseInTurn(Lease):
    """What all leases share: within the process, one caller at a time goes on.

    A child that is forked while the lease is held does not hold it.
    """

    def __init__(self, name: Hashable) -> None:
        self.token = ""
        self._name = (type(self), name)
        self._held_in: Turns | None = None

    def acquire(self, wait: bool = True, timeout: float | None = None) -> bool:
        """Take the lease; see `Lease.acquire`.

        Raises:
            LockTimeoutError: `timeout` seconds have passed.
            LockError: This object holds the lease already.
        """
        patience, turns = Patience(wait, timeout), _turns()
        if self._held_in is turns:
            raise LockError(f"lease {self._label()!r} is held by this object already")
        self.token, self.found = "", UNTOLD
        try:
            if self._take_turn(turns, patience) and self._begin(patience):
                self._held_in = turns
                return True
        except BaseException as error:
            self._back_out(turns, error)
            raise
        turns.leave(self._name, self)
        if wait and timeout is not None and not self._is_ready():
            raise patience.timed_out(self._label())
        return False

    def release(self) -> None:
        """Free the lease if this object holds it."""
        self._end(self._give_back)

    def forget(self) -> None:
        """Note that the store has freed the lease already, as `fill` does."""
        self._end(self._let_go)

    def _take_turn(self, turns: Turns, patience: Patience) -> bool:
        if turns.take(self._name, self, _AT_ONCE):
            return True
        return turns.take(self._name, self, patience) and not self._is_ready()

    def _is_ready(self) -> bool:
        return self.ready is not None and self.ready()

    @abstractmethod
    def _begin(self, patience: Patience) -> bool:
        """Take the lease from those outside of this process."""

    @abstractmethod
    def _give_back(self) -> None:
        """Undo what `_begin` did, all of it."""

    @abstractmethod
    def _let_go(self) -> None:
        """Undo what `_begin` did, but for what the store was told."""

    def _end(self, end: Callable[[], None]) -> None:
        turns, self._held_in = self._held_in, None
        if turns is None or turns is not _turns():
            return
        try:
            end()
        except Exception as error:  # noqa: BLE001 - whatever the store's client raises
            # The value is made, and its caller shall have it.
            _log.warning("lease %r is not given back: %s", self._label(), error)
        finally:
            turns.leave(self._name, self)

    def _back_out(self, turns: Turns, error: BaseException) -> None:
        self._held_in = None
        try:
            # Interrupted, we may hold it. But a store that has just failed is not
            # asked again: what it may have given us lapses.
            if isinstance(error, Exception):
                self._let_go()
            else:
                self._give_back()
        finally:
            turns.leave(self._name, self)

    def _label(self) -> str:
        # Of a tuple the last item alone: the others may hold an URL with a password.
        name = self._name[1]
        return str(name[-1] if isinstance(name, tuple) and name else name)


class RemoteLease(_LeaseInTurn):
    """A lease that a server keeps for some seconds, renewed while it is held.

    Inherit from it and write `take`, `renew` and `free`, each one atomic operation
    at the store, and `wait`, where the store can wake us. Only one thread of a
    process calls them for one identity at a time, but `renew` is called by a
    thread of its own.

    Args:
        identity: What tells this lease from all others that this class makes in
            this process, such as ``(url, namespace, key)``. The first item tells the
            store: one that keeps renewals waiting delays only those of the same
            store. Errors show the last item only.
        expires_in: Seconds until the lease lapses that is no longer renewed: the
            holder has died, was frozen, or cannot reach the store.

    Attributes:
        token: Random text that names this holder at the store; new with each
            acquisition.
        expires_in: As given.
    """

    def __init__(self, identity: Hashable, *, expires_in: float = 5.0) -> None:
        super().__init__(identity)
        self._renewed_with = identity[0] if isinstance(identity, tuple) else identity
        self.expires_in = expires_in
        self._holding: Holding | None = None

    @abstractmethod
    def take(self) -> bool:
        """Put `token` at the store for `expires_in` seconds, if no other is there.

        One that has lapsed is not there. Set `found` to what record there is, or None,
        where this tells it without another round trip: the holder need not ask again.

        Returns:
            Whether the lease is now ours.
        """

    @abstractmethod
    def renew(self) -> bool:
        """Give `token` another `expires_in` seconds, if it is there and has not lapsed.

        Called by another thread, also while `fill` or `free` are on their way.

        Returns:
            Whether it was.
        """

    @abstractmethod
    def free(self) -> None:
        """Remove `token` from the store, if it is still there."""

    def wait(self, seconds: float) -> None:
        """Wait until the lease may be free, at most for so many seconds.

        Args:
            seconds: From 0.001 to 1.
        """
        pause(seconds)

    @property
    def is_lost(self) -> bool:
        """Whether the lease is not held, or may have passed to another holder."""
        if self._holding is None or self._held_in is not _turns():
            return True
        return self._holding.is_lost

    def _begin(self, patience: Patience) -> bool:
        self.token = _new_token()
        asked_at = time.monotonic()
        while not self.take():
            left = patience.left()
            if left == 0:
                return False
            # Never nearly nothing: some servers take 0 ms for "as long as it takes".
            self.wait(LONGEST_WAIT if left is None else min(left + 0.001, LONGEST_WAIT))
            if self._is_ready():
                return False
            asked_at = time.monotonic()
        self._holding = Holding(
            self.renew, self.expires_in, asked_at, self._renewed_with
        )
        renewer().add(self._holding)
        return True

    def _give_back(self) -> None:
        self._let_go()
        if self.token:
            self.free()

    def _let_go(self) -> None:
        holding, self._holding = self._holding, None
        if holding is not None:
            renewer().discard(holding)


class LocalLease(_LeaseInTurn):
    """A lease among the processes of one machine, which ends with its holder.

    Args:
        name: Any text that tells this lease from others.
        lock_dir: Directory of the lock files; None: this process alone.
        mark: Called with the token once the lease is held, so that the store can
            write it beside the record, as a fence.
        unmark: Called with the token on release, unless the store has removed it.

    Attributes:
        token: Random text that names this holder; new with each acquisition.
    """

    def __init__(
        self,
        name: str,
        lock_dir: str | None,
        mark: Callable[[str], object],
        unmark: Callable[[str], object],
    ) -> None:
        super().__init__((lock_dir, name))
        self._mark, self._unmark = mark, unmark
        self._lock = None if lock_dir is None else FileLock(lock_dir, f"lease:{name}")

    def _begin(self, patience: Patience) -> bool:
        if self._lock is not None and not self._lock.acquire(timeout=patience.left()):
            return False
        self.token = _new_token()
        self._mark(self.token)
        return True

    def _give_back(self) -> None:
        try:
            if self.token:
                self._unmark(self.token)
        finally:
            self._let_go()

    def _let_go(self) -> None:
        if self._lock is not None:
            self._lock.release()


def _new_token() -> str:
    return os.urandom(16).hex()
