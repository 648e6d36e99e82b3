"""Stores with one fault each while they are away."""

from __future__ import annotations

import time

from tests.kit.sick_caches import Stopped

__all__ = ["AnswersLate", "TriesAgain", "WaitsAsItLikes"]


class TriesAgain(Stopped):
    """What is known to be away is asked again, and again."""

    def fetch(self, key: str) -> bytes | None:
        for _ in range(10):
            try:
                return super().fetch(key)
            except OSError:
                time.sleep(0.1)
        return super().fetch(key)


class WaitsAsItLikes(Stopped):
    """Its client has a patience of its own."""

    def waits(self) -> float:
        return 2.0


class AnswersLate(Stopped):
    """An answer that nobody waits for any more is the next one's."""

    def prepare(self) -> None:
        self.due: list[str] = []

    def fetch(self, key: str) -> bytes | None:
        self.due.append(key)
        found = super().fetch(self.due[0])
        del self.due[0]
        return found
