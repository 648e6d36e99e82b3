"""A circuit breaker: a store that is away is left alone until it is back."""

from __future__ import annotations

import logging
import os
import threading
import weakref
from collections.abc import Callable, Hashable

from beaker.exceptions import StoreUnavailableError
from beaker.listeners import tell
from beaker.refusals import Refusals

__all__ = ["Breaker", "breaker_for"]

#: Seconds between two probes of a store that is away. Together with one deadline
#: it must stay under a second: that is how soon its return is noticed.
PROBE_EVERY = 0.5


class Breaker:
    """Remembers that a store is away, so that nobody waits for it again.

    The first call that fails trips it. From then on every call fails at once, and
    one thread asks the store every half second whether it is back, for as long as
    anybody uses the store.

    Args:
        store: The store's name and place, for errors and logs.
        remedy: What its user can do when it is away.

    Attributes:
        refusals: What the store refuses though it is there.
        cause: Why the store is believed to be away; None: it is not.
    """

    def __init__(self, store: str, remedy: str = "") -> None:
        self.store, self.remedy = store, remedy
        self.refusals = Refusals(store)
        self._lock = threading.Lock()
        self.cause: BaseException | None = None
        self._retired = threading.Event()
        self._log = logging.getLogger(f"beaker.store.{store.partition(' ')[0]}")

    def check(self) -> None:
        """Pass if the store is believed to answer.

        Raises:
            StoreUnavailableError: It is away; nothing was tried.
        """
        cause = self.cause
        if cause is not None:
            raise StoreUnavailableError(self.store, cause, self.remedy)

    def trip(
        self, cause: BaseException, probe: Callable[[], object]
    ) -> StoreUnavailableError:
        """Note a failure and begin to probe; return the error to raise."""
        with self._lock:
            first = self.cause is None
            self.cause = cause
        if first:
            self._log.warning("%s is unavailable: %s", self.store, cause)
            self._begin_to_probe(probe)
            tell("store_failed", store=self.store, error=cause)
        return StoreUnavailableError(self.store, cause, self.remedy)

    def reset(self) -> None:
        """Count the store as present again; its next failure is a first one."""
        self._lock, self._retired = threading.Lock(), threading.Event()
        self.cause = None

    def retire(self) -> None:
        """Do as `reset` does, and end the thread that asks whether the store is back."""
        self._retired.set()
        self.reset()

    def back(self) -> None:
        """Note that the store answers again."""
        with self._lock:
            self.cause = None
        self._log.warning("%s is back", self.store)
        tell("store_back", store=self.store)

    def _begin_to_probe(self, probe: Callable[[], object]) -> None:
        try:
            threading.Thread(
                target=_probe_until_back,
                # Whoever uses the store keeps its breaker: the thread ends with them.
                args=(weakref.ref(self), self._log, probe, self._retired),
                name=f"beaker probe of {self.store}",
                daemon=True,
            ).start()
        except RuntimeError as e:
            # No thread is to be had: the next call finds out for itself.
            self._log.warning("%s is not probed: %s", self.store, e)
            self.cause = None


def _probe_until_back(
    known: weakref.ref[Breaker],
    log: logging.Logger,
    probe: Callable[[], object],
    retired: threading.Event,
) -> None:
    while not retired.wait(PROBE_EVERY):
        if known() is None:
            return
        try:
            probe()
        # A probe asks only whether: every kind of failure means no.
        except Exception as e:  # noqa: BLE001
            log.debug("still unavailable: %s", e)
        else:
            break
    breaker = known()
    if breaker is not None and not retired.is_set():
        breaker.back()


_lock = threading.Lock()
_breakers: weakref.WeakValueDictionary[Hashable, Breaker] = (
    weakref.WeakValueDictionary()
)


def breaker_for(key: Hashable, store: str, remedy: str = "") -> Breaker:
    """Return the breaker that all users of one store and URL share."""
    with _lock:
        breaker = _breakers.get(key)
        if breaker is None:
            breaker = _breakers[key] = Breaker(store, remedy)
        return breaker


def _forget_in_child() -> None:
    # The probing thread did not come along: a child finds out for itself.
    global _lock  # noqa: PLW0603  # another thread may have held it
    _lock = threading.Lock()
    for breaker in list(_breakers.values()):
        breaker.reset()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_forget_in_child)
