"""A stampede: many threads of many processes that want one value at once."""

from __future__ import annotations

import multiprocessing
import os
import queue
import threading
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from beaker.cache import Cache

#: Seconds after which a test gives up on the other processes.
PATIENCE = 60.0

#: Seconds for which a value is fresh in these tests: longer than any of them takes.
EXPIRE = 600.0


class Stampede:
    """Processes that all open one cache, and all their threads ask it for one key.

    The creation function blocks until the test lets it go, so that what the others
    are served meanwhile is no matter of luck.

    Args:
        options: The options of the cache, its backend's among them.
        processes: How many processes.
        threads: How many threads in each.
    """

    def __init__(
        self, options: dict[str, Any], *, processes: int = 8, threads: int = 16
    ) -> None:
        self._context = multiprocessing.get_context("spawn")
        self.callers = processes * threads
        self._answers: Any = self._context.Queue()
        self._may_finish = self._context.Event()
        self._created = self._context.Value("i", 0)
        self._start = self._context.Barrier(processes + 1)
        self._keys = [self._context.SimpleQueue() for _ in range(processes)]
        shared = (self._answers, self._may_finish, self._created, self._start)
        self._members = [
            self._context.Process(
                target=_member, args=(options, threads, keys, shared), daemon=True
            )
            for keys in self._keys
        ]

    def ask_for(self, key: str) -> None:
        """Let everybody ask at once."""
        self._created.value = 0
        self._may_finish.clear()
        for keys in self._keys:
            keys.put(key)
        self._start.wait(PATIENCE)

    def answers(self, count: int) -> Counter[str]:
        """Return the next answers that callers get."""
        return Counter(self._answers.get(timeout=PATIENCE) for _ in range(count))

    def has_answers(self) -> bool:
        """Return whether a caller got an answer that was not fetched yet."""
        try:
            self._answers.put(self._answers.get(timeout=0.2))
        except queue.Empty:
            return False
        return True

    def let_creators_finish(self) -> None:
        """Let the creation functions return."""
        self._may_finish.set()

    @property
    def creations(self) -> int:
        """How many creation functions were called since everybody was asked."""
        return int(self._created.value)

    def processes(self) -> list[int]:
        """Return the ids of the processes."""
        return [member.pid or 0 for member in self._members]

    @contextmanager
    def running(self) -> Iterator[Stampede]:
        """Start the processes, and end them with the block."""
        for member in self._members:
            member.start()
        try:
            yield self
        finally:
            for member in self._members:
                member.kill()
                member.join()


def _member(
    options: dict[str, Any],
    threads: int,
    keys: Any,
    shared: tuple[Any, Any, Any, Any],
) -> None:
    answers, may_finish, created, start = shared
    cache = Cache(**options)

    def create() -> str:
        with created.get_lock():
            created.value += 1
        may_finish.wait(PATIENCE)
        return "fresh"

    def ask(key: str, gate: threading.Barrier) -> None:
        gate.wait(PATIENCE)
        try:
            answers.put(cache.get(key, createfunc=create))
        except Exception as e:  # noqa: BLE001 - told to the test
            answers.put(f"error in {os.getpid()}: {e!r}")

    while True:
        key, gate = keys.get(), threading.Barrier(threads)
        team = [threading.Thread(target=ask, args=(key, gate)) for _ in range(threads)]
        start.wait(PATIENCE)
        for caller in team:
            caller.start()
        for caller in team:
            caller.join()
