"""Who uses a cache in the model test: a process that can be killed, or a thread."""

from __future__ import annotations

import os
import queue
import threading
from multiprocessing import Pipe
from typing import Any, Protocol

from beaker._caching.regeneration import ValueStore
from beaker.cache import Cache
from beaker.exceptions import LockTimeoutError
from beaker.testing._processes import PATIENCE, fork, kill

#: What a call returns that waited for another's creation for too long.
TIMED_OUT = "timed out"

#: What `begin` returns when the creation function runs.
CREATING = "creating"

#: What a call returns whose creation function raised.
FAILED = "failed"

EXPIRE, GRACE = 60.0, 60.0


class Actor(Protocol):
    """Uses one cache, from a process of its own or not."""

    def do(self, what: str, *arguments: Any) -> Any:
        """Call the method of `Worker` of this name."""
        ...

    def crash(self) -> None:
        """End as a process does that is killed."""
        ...

    def close(self) -> None:
        """End in peace."""
        ...


class Worker:
    """Does to a cache what it is told; one creation may be going on meanwhile."""

    def __init__(self, options: dict[str, Any], now: float) -> None:
        self.now = now
        self.cache = Cache(**options, expire=EXPIRE)
        # Who has to wait is told so at once: what he waits for is the test's to do.
        self.cache.values = ValueStore(
            self.cache.values.store, self._clock, grace=GRACE, acquire_timeout=0.02
        )
        self._results: queue.Queue[Any] = queue.Queue()
        self._orders: queue.Queue[Any] = queue.Queue()

    def _clock(self) -> float:
        return self.now

    def advance(self, seconds: float) -> None:
        """Let time pass."""
        self.now += seconds

    def get(self, key: str, value: str) -> Any:
        """Ask for a value; make this one if there is none."""
        return self._answer(lambda: self.cache.get(key, createfunc=lambda: value))

    def refresh(self, key: str, value: str) -> Any:
        """Make this value now."""
        creation = self.cache.values.refreshment(key, EXPIRE)
        return self._answer(lambda: creation.made(lambda: value))

    def put(self, key: str, value: str) -> None:
        """Store a value."""
        self.cache.put(key, value)

    def remove(self, key: str) -> None:
        """Remove a value."""
        self.cache.remove_value(key)

    def clear(self) -> None:
        """Remove all values."""
        self.cache.clear()

    def contains(self, key: str) -> bool:
        """Return whether there is a fresh value."""
        return key in self.cache

    def begin(self, key: str) -> Any:
        """Ask for a value in a thread; return it, or `CREATING`."""

        def create() -> str:
            self._results.put(CREATING)
            order = self._orders.get(timeout=PATIENCE)
            if isinstance(order, BaseException):
                raise order
            return str(order)

        def ask() -> None:
            asked = self._answer(lambda: self.cache.get(key, createfunc=create))
            self._results.put(asked)

        threading.Thread(target=ask, daemon=True).start()
        return self._results.get(timeout=PATIENCE)

    def finish(self, order: str | BaseException) -> Any:
        """Let the creation return this value, or raise; return what its caller gets."""
        self._orders.put(order)
        return self._results.get(timeout=PATIENCE)

    def _answer(self, ask: Any) -> Any:
        try:
            return ask()
        except LockTimeoutError:
            return TIMED_OUT
        except (LookupError, SystemExit):
            return FAILED


class ThreadActor:
    """Works in this process. It cannot be killed: then its creation is interrupted."""

    def __init__(self, options: dict[str, Any], now: float) -> None:
        self._worker = Worker(options, now)
        self.is_creating = False

    def do(self, what: str, *arguments: Any) -> Any:
        """Call the worker."""
        answer = getattr(self._worker, what)(*arguments)
        self.is_creating = answer == CREATING or (self.is_creating and what != "finish")
        return answer

    def crash(self) -> None:
        """Interrupt what it creates."""
        if self.is_creating:
            self.do("finish", SystemExit())

    close = crash


class ProcessActor:
    """Works in a child of this process."""

    def __init__(self, options: dict[str, Any], now: float) -> None:
        self._line, others = Pipe()
        self._pid = fork(lambda: self._serve(others, options, now))
        others.close()

    def do(self, what: str, *arguments: Any) -> Any:
        """Call the worker over there."""
        self._line.send((what, arguments))
        assert self._line.poll(PATIENCE), f"no answer to {what} {arguments}"
        answer = self._line.recv()
        if isinstance(answer, Exception):
            raise answer
        return answer

    def crash(self) -> None:
        """Kill the process."""
        kill(self._pid)
        self._line.close()

    close = crash

    def _serve(self, line: Any, options: dict[str, Any], now: float) -> None:
        self._line.close()
        worker = Worker(options, now)
        while True:
            try:
                what, arguments = line.recv()
            except EOFError:
                os._exit(0)
            try:
                line.send(getattr(worker, what)(*arguments))
            except Exception as e:  # noqa: BLE001 - told to the test
                line.send(e)
