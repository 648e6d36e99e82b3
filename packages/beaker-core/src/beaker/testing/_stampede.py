"""A stampede: everybody wants one cached value at once."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

from beaker.cache import CacheManager
from beaker.testing._crowd import PATIENCE, SPAWN, Crowd
from beaker.testing._servers import wait_until

__all__ = ["Stampede"]


class Stampede:
    """A crowd that asks one cache for one key, whose creators wait to be let go.

    So it is no matter of luck what the others are served meanwhile.

    Args:
        namespace: The name of the cache.
        options: Those of the cache, its store's among them.
        processes: How many processes; 0: this one.
        threads: How many threads in each.
        awaits: Whether each thread has a loop, in which it awaits a decorated
            coroutine function.
    """

    def __init__(
        self,
        namespace: str,
        options: Mapping[str, Any],
        processes: int,
        threads: int,
        *,
        awaits: bool = False,
    ) -> None:
        self._may_finish = SPAWN.Event()
        self._created = SPAWN.Value("i", 0)
        shared = (namespace, dict(options), self._may_finish, self._created)
        ask = _await if awaits else _ask
        self._crowd = Crowd(ask, *shared, processes=processes, threads=threads)

    @property
    def size(self) -> int:
        """How many they are."""
        return self._crowd.size

    @property
    def creations(self) -> int:
        """How many creation functions were called since everybody was asked."""
        return int(self._created.value)

    def ask_for(self, key: str) -> None:
        """Let everybody ask at once, and return when one of them creates."""
        self._created.value = 0
        self._may_finish.clear()
        self._crowd.give(key)
        wait_until(
            lambda: self._crowd.asked == self.size and self.creations > 0,
            lambda: f"{self._crowd.asked} asked for {key!r}, and nobody creates it",
            PATIENCE,
        )

    def answers(self, count: int) -> Counter[Any]:
        """Return the next answers; fewer, if more than one of them creates."""
        return Counter(self._crowd.answers(count, lambda: self.creations > 1))

    def let_creators_finish(self) -> None:
        """Let the creation functions return."""
        self._may_finish.set()

    @contextmanager
    def gathered(self) -> Iterator[Stampede]:
        """Start the crowd, and end it with the block."""
        with self._crowd.gathered():
            try:
                yield self
            finally:
                self.let_creators_finish()


def _ask(
    key: str,
    number: int,
    namespace: str,
    options: Mapping[str, Any],
    may_finish: Any,
    created: Any,
) -> Any:
    del number

    def create() -> str:
        with created.get_lock():
            created.value += 1
        may_finish.wait(PATIENCE)
        return "new"

    cache = CacheManager(**options).get_cache(namespace)
    return cache.get(key, createfunc=create)


def _await(
    key: str,
    number: int,
    namespace: str,
    options: Mapping[str, Any],
    may_finish: Any,
    created: Any,
) -> Any:
    del number

    @CacheManager(**options).cache(namespace)
    async def load(_: str) -> str:
        with created.get_lock():
            created.value += 1
        await asyncio.to_thread(may_finish.wait, PATIENCE)
        return "new"

    return asyncio.run(load(key))
