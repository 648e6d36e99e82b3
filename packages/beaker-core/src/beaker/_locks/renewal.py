"""One thread per process that keeps alive what this process has on lease."""

from __future__ import annotations

import atexit
import logging
import threading
import time
from collections.abc import Callable

from beaker.perprocess import PerProcess

__all__ = ["Holding", "renewer"]

#: Seconds for which the thread stays when there is nothing to renew.
LINGER = 10.0

_log = logging.getLogger("beaker.store")


class Holding:
    """One lease from the moment it was taken: until when it is ours for sure.

    Args:
        renew: Makes it last for `expires_in` seconds from now; answers whether it
            was still ours.
        expires_in: Seconds until it lapses.
        taken_at: When it was asked for, in monotonic seconds.
    """

    __slots__ = ("_expires_in", "_renew", "failures", "lapses_at", "renew_at")

    def __init__(
        self, renew: Callable[[], bool], expires_in: float, taken_at: float
    ) -> None:
        self._renew, self._expires_in = renew, expires_in
        self.failures = 0
        self._extend(taken_at)

    @property
    def is_lost(self) -> bool:
        """Whether someone else may hold the lease now."""
        return time.monotonic() >= self.lapses_at

    def renew(self) -> bool:
        """Renew the lease, and return whether to try again at `renew_at`."""
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
    """Renews holdings in a thread that starts with the first and ends when idle."""

    def __init__(self) -> None:
        self._changed = threading.Condition()
        self._holdings: set[Holding] = set()
        self._runs = self._stopped = False
        self._wakes_at = 0.0

    def add(self, holding: Holding) -> None:
        """Renew this from now on."""
        with self._changed:
            self._holdings.add(holding)
            if not self._runs:
                self._start()
            elif holding.renew_at < self._wakes_at:
                self._changed.notify()

    def discard(self, holding: Holding) -> None:
        """Renew this no longer."""
        # The thread is not woken for it: it will see when it wakes.
        with self._changed:
            self._holdings.discard(holding)

    def stop(self) -> None:
        """End the thread; the next lease starts another."""
        with self._changed:
            self._stopped = True
            self._changed.notify()

    def _start(self) -> None:
        self._stopped = False
        thread = threading.Thread(
            target=self._run, name="beaker-lease-renewal", daemon=True
        )
        try:
            thread.start()
        except RuntimeError as error:
            # The next lease tries again; this one lapses unless it is quick.
            _log.warning("leases are not renewed: %s", error)
        else:
            self._runs = True

    def _run(self) -> None:
        while (holding := self._next()) is not None:
            if not holding.renew():
                self.discard(holding)

    def _next(self) -> Holding | None:
        with self._changed:
            ends_at = time.monotonic() + LINGER
            while not self._stopped:
                now = time.monotonic()
                ready = [held for held in self._holdings if held.renew_at <= now]
                if ready:
                    return min(ready, key=_urgency)
                if not self._holdings and now >= ends_at:
                    break
                self._wakes_at = min(
                    (held.renew_at for held in self._holdings), default=ends_at
                )
                self._changed.wait(self._wakes_at - now)
            self._runs = False
            return None


def _urgency(holding: Holding) -> tuple[int, float]:
    # One store that does not answer must not cost the leases of the others.
    return holding.failures, holding.lapses_at


def _new_renewer() -> Renewer:
    atexit.register(_stop)
    return Renewer()


#: Returns the renewer of this process.
renewer = PerProcess(_new_renewer)


def _stop() -> None:
    renewer().stop()
