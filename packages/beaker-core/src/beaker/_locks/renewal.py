"""The few threads that keep alive what this process has on lease."""

from __future__ import annotations

import atexit
import logging
import threading
import time
from collections.abc import Callable, Hashable

from beaker.perprocess import PerProcess

__all__ = ["Holding", "renewer"]

#: Seconds for which a thread stays when there is nothing to renew.
LINGER = 10.0

#: Seconds after which it looks again. A lease that need not be renewed before wakes no
#: thread: two that take turns with every creation cost more than the creation.
LOOK_EVERY = 1.0

#: Threads at most, however many stores there are: more than a program's stores that
#: are away at the same time.
MAX_THREADS = 8

#: No thread is known to look again before this.
_UNKNOWN = float("inf")

_log = logging.getLogger("beaker.store")


class Holding:
    """One lease from the moment it was taken: until when it is ours for sure.

    Args:
        renew: Makes it last for `expires_in` seconds from now; answers whether it
            was still ours.
        expires_in: Seconds until it lapses.
        taken_at: When it was asked for, in monotonic seconds.
        place: Equal for leases of one store, which are renewed one after another.
    """

    __slots__ = ("_expires_in", "_renew", "failures", "lapses_at", "place", "renew_at")

    def __init__(
        self,
        renew: Callable[[], bool],
        expires_in: float,
        taken_at: float,
        place: Hashable,
    ) -> None:
        self._renew, self._expires_in, self.place = renew, expires_in, place
        self.failures = 0
        self._extend(taken_at)

    @property
    def is_lost(self) -> bool:
        """Whether someone else may hold the lease now."""
        return time.monotonic() >= self.lapses_at

    def renew(self) -> bool:
        """Renew the lease, and return whether to try again at `renew_at`.

        One that has lapsed by our own clock is lost, even where the store would still
        renew it: who was frozen so long knows nothing of what happened since.
        """
        if self.is_lost:
            return False
        asked_at = time.monotonic()
        try:
            is_ours = self._renew()
        except Exception as error:  # noqa: BLE001 - whatever the store's client raises
            _log.debug("a lease is not renewed, to be tried again: %s", error)
            self.failures += 1
            self.renew_at = time.monotonic() + self._expires_in / 10
            return not self.is_lost
        if is_ours:
            self.failures = 0
            self._extend(asked_at)
        else:
            self.lapses_at = asked_at
        return is_ours

    def _extend(self, since: float) -> None:
        self.lapses_at = since + self._expires_in
        self.renew_at = since + self._expires_in / 3


class Renewer:
    """Renews holdings in threads that start with the first and end when idle.

    There are as many as there are stores with something to renew, up to a bound, and
    one store has no more than one of them: a store that keeps its thread waiting
    costs no other store's lease.
    """

    def __init__(self) -> None:
        self._changed = threading.Condition()
        self._holdings: dict[Hashable, set[Holding]] = {}
        self._busy: set[Hashable] = set()
        self._threads = 0
        self._stopped = False
        self._wakes_at = _UNKNOWN

    def add(self, holding: Holding) -> None:
        """Renew this from now on."""
        with self._changed:
            self._stopped = False
            self._holdings.setdefault(holding.place, set()).add(holding)
            if self._threads < min(len(self._holdings), MAX_THREADS):
                self._start()
            elif holding.renew_at < self._wakes_at:
                self._changed.notify()

    def discard(self, holding: Holding) -> None:
        """Renew this no longer."""
        # No thread is woken for it: one will see when it wakes.
        with self._changed:
            held = self._holdings.get(holding.place, set())
            held.discard(holding)
            if not held:
                self._holdings.pop(holding.place, None)

    def stop(self) -> None:
        """End the threads; the next lease starts another."""
        with self._changed:
            self._stopped = True
            self._changed.notify_all()

    def _start(self) -> None:
        thread = threading.Thread(
            target=self._run, name="beaker-lease-renewal", daemon=True
        )
        try:
            thread.start()
        except RuntimeError as error:
            # The next lease tries again; this one lapses unless it is quick.
            _log.warning("leases are not renewed: %s", error)
        else:
            self._threads += 1

    def _run(self) -> None:
        while (holding := self._next()) is not None:
            goes_on = holding.renew()
            with self._changed:
                self._busy.discard(holding.place)
            if not goes_on:
                self.discard(holding)

    def _next(self) -> Holding | None:
        with self._changed:
            ends_at = time.monotonic() + LINGER
            while not self._stopped:
                now = time.monotonic()
                free = [
                    held
                    for place in self._holdings.keys() - self._busy
                    for held in self._holdings[place]
                ]
                ready = [held for held in free if held.renew_at <= now]
                if ready:
                    return self._chosen(ready)
                if not free and now >= ends_at:
                    break
                due = min((held.renew_at for held in free), default=ends_at)
                self._wakes_at = min(due, now + LOOK_EVERY)
                self._changed.wait(self._wakes_at - now)
            self._threads -= 1
            # Another may still wait, and for longer than until we looked.
            self._wakes_at = _UNKNOWN
            return None

    def _chosen(self, ready: list[Holding]) -> Holding:
        holding = min(ready, key=_urgency)
        self._busy.add(holding.place)
        # Whoever still waits may do so for longer than until then.
        self._wakes_at = _UNKNOWN
        return holding


def _urgency(holding: Holding) -> tuple[int, float]:
    # Where the threads are fewer than the stores, those that answer come first.
    return holding.failures, holding.lapses_at


def _new_renewer() -> Renewer:
    atexit.register(_stop)
    return Renewer()


#: Returns the renewer of this process.
renewer = PerProcess(_new_renewer)


def _stop() -> None:
    renewer().stop()
