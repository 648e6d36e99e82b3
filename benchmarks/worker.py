"""A process that times works in its own environment, one slot at a time.

It is told on its standard input, one line of JSON for each slot, and answers with
one line. So the works of several environments take turns, and a machine that is slow
for a while is slow for all of them.
"""

from __future__ import annotations

import gc
import itertools
import json
import sys
import tempfile
import threading
import time
import warnings
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from caches import CACHES
from opened import BATCH, Opened
from sessions import SESSIONS
from works import VALUE, Work

__all__ = ["main"]

#: Seconds that one slot takes.
SLOT = 0.02

#: Threads at one key, and how often each asks for it in one call.
THREADS, ASKED = 8, 500

Timed = tuple[Callable[[], Any], Callable[[], Any] | None, int]


def prepared(work: Work, system: str, place: Path) -> Timed:
    """Return what to call, what of it does not count, and how often it does the work."""
    place.mkdir(parents=True, exist_ok=True)
    if work.is_session:
        with_one, without = SESSIONS[work.store][system](work.store, place).ready(
            work.act
        )
        return with_one, without, BATCH
    opened = CACHES[work.store][system](work.store, place)
    if work.act == "threads":
        opened.set("key", VALUE)
        return _in_threads(opened), None, THREADS * ASKED
    return _call(opened, work), None, 1


def _call(opened: Opened, work: Work) -> Callable[[], Any]:
    if work.act == "decorated":
        if opened.decorate is None:
            raise NotImplementedError
        load = opened.decorate(_load)
        load("alpha", 7)
        return lambda: load("alpha", 7)
    if work.act == "create":
        create, number = opened.create, itertools.count(time.time_ns())
        if create is None:
            raise NotImplementedError
        return lambda: create(f"new{next(number)}", lambda: VALUE)
    _fill(opened, {f"key{number}": VALUE for number in range(work.keys)})
    key = f"key{work.keys // 2}"
    if work.act == "set":
        return lambda: opened.set(key, VALUE)
    if opened.get(key) != VALUE:
        message = "another value came back"
        raise RuntimeError(message)
    return lambda: opened.get(key)


def _fill(opened: Opened, values: dict[str, Any]) -> None:
    if opened.fill is not None:
        opened.fill(values)
        return
    for key, value in values.items():
        opened.set(key, value)


def _load(_a: str, _b: int) -> Any:
    return VALUE


def _in_threads(opened: Opened) -> Callable[[], None]:
    def ask() -> None:
        for _ in range(ASKED):
            opened.get("key")

    def run() -> None:
        team = [threading.Thread(target=ask) for _ in range(THREADS)]
        for one in team:
            one.start()
        for one in team:
            one.join()

    return run


class Stopwatch:
    """Times works, each prepared when it is first asked for."""

    def __init__(self, place: Path) -> None:
        self._place = place
        self._ready: dict[tuple[Work, str], tuple[Timed, int]] = {}

    def microseconds(self, work: Work, system: str) -> tuple[float, float]:
        """Return what one slot gave for once: with what counts, and what does not."""
        if (work, system) not in self._ready:
            place = self._place / str(len(self._ready))
            timed = prepared(work, system, place)
            self._ready[work, system] = timed, _calls_in_slot(timed[0])
        (act, base, times), calls = self._ready[work, system]
        # Fewer calls, but of both, so that a slot takes as long.
        scale = 1e6 / (calls * times)
        return (
            _seconds(act, calls) * scale,
            0.0 if base is None else _seconds(base, calls) * scale,
        )


def _calls_in_slot(act: Callable[[], Any]) -> int:
    calls = 1
    while (taken := _seconds(act, calls)) < SLOT / 4:
        calls *= 2
    gc.collect()
    gc.freeze()
    return max(1, round(calls * SLOT / taken))


def _seconds(act: Callable[[], Any], calls: int) -> float:
    began = time.perf_counter()
    for _ in itertools.repeat(None, calls):
        act()
    return time.perf_counter() - began


def answers(lines: Iterator[str], place: Path) -> Iterator[dict[str, Any]]:
    """Yield the answer to each line: a work by its fields, and the system."""
    watch = Stopwatch(place)
    for line in lines:
        asked = json.loads(line)
        try:
            spent, base = watch.microseconds(Work(*asked["work"]), asked["system"])
            yield {"spent": spent, "base": base}
        # Whatever a library raises, it drops out of this work and of no other.
        except Exception as e:  # noqa: BLE001
            yield {"skipped": f"{type(e).__name__}: {e}"}


def main() -> None:
    """Answer until the standard input ends."""
    warnings.simplefilter("ignore")
    with tempfile.TemporaryDirectory() as place:
        for answer in answers(sys.stdin, Path(place)):
            print(json.dumps(answer), flush=True)


if __name__ == "__main__":
    main()
