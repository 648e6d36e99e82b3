"""Many threads, of this process or of several, that do one thing at once."""

from __future__ import annotations

import multiprocessing
import queue
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any, Self

__all__ = ["SPAWN", "Crowd"]

#: Seconds after which a test gives up on the others.
PATIENCE = 60.0

#: Makes what a crowd shares, such as events. Its processes begin with nothing of ours,
#: as those of another program would.
SPAWN = multiprocessing.get_context("spawn")


class Crowd:
    """Threads that are all given one task, begin it at once, and answer.

    Args:
        act: Called by each thread with the task, the thread's number and what is
            shared; it returns the answer. A function of a module, for the processes
            look it up by its name.
        shared: What it is given beside; events and the like are made by `SPAWN`.
        processes: How many processes; 0: all threads are in this one.
        threads: How many threads in each.

    Attributes:
        size: How many threads there are in all.
        asked: How many of them have begun the task.
    """

    def __init__(
        self, act: Callable[..., Any], *shared: Any, processes: int, threads: int
    ) -> None:
        self.size = max(processes, 1) * threads
        self._answers: Any = SPAWN.Queue()
        self._begun = SPAWN.Value("i", 0)
        numbers = [
            range(first, first + threads) for first in range(0, self.size, threads)
        ]
        self._tasks: list[Any] = [SPAWN.SimpleQueue() for _ in numbers]
        meeting = (SPAWN.Barrier(self.size), self._begun, self._answers)
        # Held here, or it would be gone before a process has taken it up.
        self._shared = (shared, meeting)
        given = [
            (act, shared, *each, meeting)
            for each in zip(numbers, self._tasks, strict=True)
        ]
        self._members: list[Any] = [
            SPAWN.Process(target=_member, args=each, daemon=True)
            if processes
            else threading.Thread(target=_member, args=each, daemon=True)
            for each in given
        ]

    def give(self, task: Any) -> None:
        """Let everybody begin; the task is anything that can be pickled but None."""
        self._begun.value = 0
        for tasks in self._tasks:
            tasks.put(task)

    @property
    def asked(self) -> int:
        """How many have begun the task that was given last."""
        return int(self._begun.value)

    def answers(
        self, count: int, give_up: Callable[[], bool] = lambda: False
    ) -> list[Any]:
        """Return the next answers: as many as that, or those that came in time.

        Args:
            count: How many.
            give_up: Whether there is no sense in waiting any longer.
        """
        found: list[Any] = []
        ends_at = time.monotonic() + PATIENCE
        while len(found) < count and time.monotonic() < ends_at:
            try:
                found.append(self._answers.get(timeout=0.2))
            except queue.Empty:
                if give_up():
                    break
        return found

    @contextmanager
    def gathered(self) -> Iterator[Self]:
        """Start the threads, and end them with the block."""
        for member in self._members:
            member.start()
        try:
            yield self
        finally:
            for tasks in self._tasks:
                tasks.put(None)
            for member in self._members:
                if isinstance(member, threading.Thread):
                    member.join(PATIENCE)
                else:
                    member.kill()
                    member.join()


def _member(
    act: Callable[..., Any],
    shared: tuple[Any, ...],
    numbers: range,
    tasks: Any,
    meeting: tuple[Any, Any, Any],
) -> None:
    while (task := tasks.get()) is not None:
        team = [
            threading.Thread(target=_one, args=(act, task, number, shared, meeting))
            for number in numbers
        ]
        for one in team:
            one.start()
        for one in team:
            one.join()


def _one(
    act: Callable[..., Any],
    task: Any,
    number: int,
    shared: tuple[Any, ...],
    meeting: tuple[Any, Any, Any],
) -> None:
    start, begun, answers = meeting
    start.wait(PATIENCE)
    with begun.get_lock():
        begun.value += 1
    try:
        answer = act(task, number, *shared)
    except Exception as e:  # noqa: BLE001 - told to the test
        answer = f"thread {number}: {e!r}"
    answers.put(answer)
