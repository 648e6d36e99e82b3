"""The steps of making a value anew: told once, taken by callers and by awaiters.

A regeneration is a generator. It yields what has to be done, is sent the outcome or
thrown the error, and returns the value. So the order of things, and what is undone
when something fails, stands in one place for functions and for coroutines.
"""

from __future__ import annotations

from collections.abc import Callable, Generator, Hashable
from typing import Any

from beaker._caching.background import crew
from beaker._locks.waiting import Patience
from beaker.protocols import Lease
from beaker.stores import Store

__all__ = ["CREATE", "Acquire", "Later", "Regeneration", "run"]

#: Yields steps: `CREATE`, an `Acquire`, a `Later`, or a function without arguments.
Regeneration = Generator[Any, Any, Any]

#: The step that calls the creation function.
CREATE = object()


class Acquire:
    """The step that may wait: take a lease.

    The outcome is whether it was taken. After a wait it need not be, if the value has
    come meanwhile.

    Attributes:
        key: What the lease is on.
        wait: Whether to wait while another holds it.
        timeout: Seconds to wait; None: as long as it takes.
        ready: Returns whether the value has come.
    """

    __slots__ = ("_lease", "_store", "key", "ready", "timeout", "wait")

    def __init__(
        self,
        store: Store,
        key: str,
        lease: Lease,
        ready: Callable[[], bool],
        *,
        wait: bool,
        timeout: float | None,
    ) -> None:
        self._store, self.key, self._lease, self.ready = store, key, lease, ready
        self.wait, self.timeout = wait, timeout

    def __call__(self) -> bool:
        """Take the lease, in this thread."""
        self._lease.ready = self.ready
        return self._store.acquire(self._lease, wait=self.wait, timeout=self.timeout)

    def attempt(self) -> bool:
        """Take the lease if nobody holds it."""
        return self._store.acquire(self._lease, wait=False, timeout=None)

    def patience(self) -> Patience:
        """Return what measures how long the caller waits, from now on."""
        return Patience(self.wait, self.timeout)


class Later:
    """The step that hands a regeneration over to the threads in the background.

    Args:
        name: What is made; while that is under way it is not begun again.
        steps: How.
    """

    __slots__ = ("name", "steps")

    def __init__(self, name: Hashable, steps: Regeneration) -> None:
        self.name, self.steps = name, steps

    def hand_over(self, create: Callable[[], Any]) -> bool:
        """Return at once whether the steps will be taken soon: there may be no room."""
        return crew().ask(self.name, lambda: run(self.steps, create))


def run(steps: Regeneration, create: Callable[[], Any]) -> Any:
    """Take the steps of a regeneration in the calling thread; return the value."""
    advance: Callable[[Any], Any] = steps.send
    argument: Any = None
    stopped: StopIteration | None = None
    while True:
        try:
            return _take(steps, create, advance, argument)
        # The creator's exceptions, KeyboardInterrupt too, are the caller's: on their
        # way to him they pass the step that frees the lease.
        except BaseException as e:
            if steps.gi_frame is None:  # type: ignore[attr-defined]  # it has ended
                if stopped is not None:
                    # No generator lets one pass as it is.
                    raise stopped from stopped.__cause__
                raise
            stopped = e if isinstance(e, StopIteration) else None
            advance, argument = steps.throw, e


def _take(
    steps: Regeneration,
    create: Callable[[], Any],
    advance: Callable[[Any], Any],
    argument: Any,
) -> Any:
    while True:
        try:
            step = advance(argument)
        except StopIteration as end:
            return end.value
        if step is CREATE:
            argument = create()
        elif isinstance(step, Later):
            argument = step.hand_over(create)
        else:
            argument = step()
        advance = steps.send
