"""Connections of psycopg that do not wait for ever: libpq has no deadline for answers."""

from __future__ import annotations

import select
import time
from collections.abc import Callable, Generator
from typing import Any

import psycopg
from psycopg.waiting import Ready, Wait

__all__ = ["connect_within"]


def connect_within(deadline: float, *, bounds_connecting: bool) -> Callable[..., Any]:
    """Return a listener that connects for an engine.

    Args:
        deadline: Seconds for which the server may leave us waiting.
        bounds_connecting: Whether this holds for connecting too.
    """

    class Connection(psycopg.Connection[Any]):
        """A connection that is closed when the server leaves it waiting."""

        @classmethod
        def _connect_gen(cls, *args: Any, **keywords: Any) -> Any:
            # Public is an integer from 2 on only; where this is never called, it holds.
            steps = super()._connect_gen(*args, **keywords)
            return _bounded(steps, deadline) if bounds_connecting else steps

        def wait(self, gen: Any, *args: Any, **keywords: Any) -> Any:
            del args, keywords
            socket, ready = self.pgconn.socket, None
            try:
                while True:
                    wanted = gen.send(ready)
                    ready = self._waited(socket, wanted)
            except StopIteration as e:
                return e.value

        def _waited(self, socket: int, wanted: int) -> Ready:
            try:
                ready = _wait(socket, wanted, deadline)
            except BaseException:
                self.close()
                raise
            if not ready:
                # What is left of the answer is nobody else's.
                self.close()
                raise _late(deadline)
            return ready

    def connect(_dialect: Any, _record: Any, cargs: Any, cparams: Any) -> Any:
        return Connection.connect(*cargs, **cparams)

    return connect


def _wait(socket: int, wanted: int, seconds: float) -> Ready:
    if not hasattr(select, "poll"):
        readers = [socket] if wanted & Wait.R else []
        writers = [socket] if wanted & Wait.W else []
        reads, writes, _ = select.select(readers, writers, [], seconds)
        return Ready((Ready.R if reads else 0) | (Ready.W if writes else 0))
    poll = select.poll()
    reading = select.POLLIN if wanted & Wait.R else 0
    poll.register(socket, reading | (select.POLLOUT if wanted & Wait.W else 0))
    found = poll.poll(seconds * 1000)
    if not found:
        return Ready.NONE
    # What is broken is found out by using it.
    events = found[0][1]
    can_write = events & ~select.POLLIN
    return Ready(
        (Ready.R if events & ~select.POLLOUT else 0) | (Ready.W if can_write else 0)
    )


def _bounded(steps: Generator[Any, Any, Any], deadline: float) -> Any:
    # Passes each step on, until nothing was ready for too long.
    since, ready = time.monotonic(), None
    try:
        while True:
            ready = yield steps.send(ready)
            if ready:
                since = time.monotonic()
            elif time.monotonic() - since >= deadline:
                raise _late(deadline)
    except StopIteration as e:
        return e.value


def _late(deadline: float) -> psycopg.OperationalError:
    return psycopg.OperationalError(f"no answer within {deadline:g} seconds")
