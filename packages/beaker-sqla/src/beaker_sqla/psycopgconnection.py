"""Connections of psycopg that do not wait for ever: libpq has no deadline for answers."""

from __future__ import annotations

import time
from collections.abc import Callable, Generator
from typing import Any

import psycopg

__all__ = ["connect_within"]

#: Seconds between two looks at the clock, at most.
_LOOK_EVERY = 0.1


def connect_within(deadline: float) -> Callable[..., Any]:
    """Return a listener that connects for an engine.

    Args:
        deadline: Seconds for which the server may leave us waiting.
    """

    class Connection(psycopg.Connection[Any]):
        """A connection that is closed when the server leaves it waiting."""

        @classmethod
        def _connect_gen(cls, *args: Any, **keywords: Any) -> Any:
            # Public is an integer from 2 on only; where this is never called, it holds.
            return _bounded(super()._connect_gen(*args, **keywords), deadline)

        def wait(self, gen: Any, *args: Any, **keywords: Any) -> Any:
            del args, keywords
            interval = min(_LOOK_EVERY, deadline / 4)
            try:
                return super().wait(_bounded(gen, deadline), interval)
            except TimeoutError as e:
                # What is left of the answer is nobody else's.
                self.close()
                raise psycopg.OperationalError(str(e)) from None

    def connect(_dialect: Any, _record: Any, cargs: Any, cparams: Any) -> Any:
        try:
            return Connection.connect(*cargs, **cparams)
        except TimeoutError as e:
            raise psycopg.OperationalError(str(e)) from None

    return connect


def _bounded(steps: Generator[Any, Any, Any], deadline: float) -> Any:
    # Passes each step on, until nothing was ready for too long.
    since = time.monotonic()
    ready = None
    try:
        while True:
            wants = steps.send(ready)
            ready = yield wants
            if ready:
                since = time.monotonic()
            elif time.monotonic() - since >= deadline:
                raise TimeoutError(f"no answer within {deadline:g} seconds")
    except StopIteration as e:
        return e.value
