"""The few threads that make values anew while everybody is served the stale ones."""

from __future__ import annotations

import atexit
import logging
import threading
import time
from collections.abc import Callable, Hashable

from beaker.perprocess import PerProcess

__all__ = ["Crew", "crew"]

#: Threads at most in one process.
MAX_THREADS = 4

#: Jobs that may wait for a thread. What finds no room is asked for again by the next
#: reader, who is served the stale value as well.
MAX_WAITING = 1000

#: Seconds for which a thread stays when there is nothing to do.
LINGER = 10.0

#: Seconds for which the end of the process waits for what is being made: long enough
#: for most to be stored, and for the locks of the rest to lapse by themselves.
PATIENCE_AT_EXIT = 2.0

_log = logging.getLogger("beaker.cache")


class Crew:
    """Threads that do jobs in the order in which they were asked for."""

    def __init__(self) -> None:
        self._changed = threading.Condition()
        self._waiting: dict[Hashable, Callable[[], object]] = {}
        self._under_way: set[Hashable] = set()
        self._threads = self._idle = 0
        self._ends = False

    def ask(self, name: Hashable, job: Callable[[], object]) -> bool:
        """Do this soon, unless a job of this name waits or is under way.

        Returns:
            Whether it will be done.
        """
        with self._changed:
            known = name in self._waiting or name in self._under_way
            if known or self._ends or len(self._waiting) >= MAX_WAITING:
                return False
            self._waiting[name] = job
            if self._idle < len(self._waiting) and self._threads < MAX_THREADS:
                self._start()
            self._changed.notify()
            return True

    def end(self, patience: float = PATIENCE_AT_EXIT) -> None:
        """Begin nothing more; wait for what is under way, but not for ever."""
        gives_up_at = time.monotonic() + patience
        with self._changed:
            self._ends = True
            self._waiting.clear()
            self._changed.notify_all()
            while self._under_way and (left := gives_up_at - time.monotonic()) > 0:
                self._changed.wait(left)

    def _start(self) -> None:
        thread = threading.Thread(
            target=self._work, name="beaker-background", daemon=True
        )
        try:
            thread.start()
        except RuntimeError as error:
            _log.warning("no thread makes values in the background: %s", error)
            if not self._threads:
                self._waiting.clear()
        else:
            self._threads += 1

    def _work(self) -> None:
        while (taken := self._next()) is not None:
            name, job = taken
            try:
                job()
            # A creator may raise what ends a thread elsewhere: not this one.
            except BaseException:  # noqa: BLE001
                _log.exception("%s: not made anew in the background", name)
            finally:
                with self._changed:
                    self._under_way.discard(name)
                    self._changed.notify_all()

    def _next(self) -> tuple[Hashable, Callable[[], object]] | None:
        with self._changed:
            leaves_at = time.monotonic() + LINGER
            self._idle += 1
            while not self._waiting:
                left = leaves_at - time.monotonic()
                if self._ends or left <= 0:
                    break
                self._changed.wait(left)
            self._idle -= 1
            if not self._waiting:
                self._threads -= 1
                return None
            name = next(iter(self._waiting))
            self._under_way.add(name)
            return name, self._waiting.pop(name)


def _new_crew() -> Crew:
    atexit.register(_end)
    return Crew()


#: Returns the crew of this process.
crew = PerProcess(_new_crew)


def _end() -> None:
    crew().end()
