"""How long callers wait while one of them makes a value that all of them want.

Needs: Python 3.11 or newer, beaker-core and beaker-redis, and a redis-server.
Run: python benchmarks/stampedes.py [STORE ...]
Shows: 4 processes of 16 threads ask for one key at once. On an expired key: how long
those waited who were served the stale value. On an absent key: how long after the
value was made the others had it. All waits are in milliseconds.
"""

from __future__ import annotations

import multiprocessing
import sys
import tempfile
import threading
import time
from pathlib import Path
from statistics import quantiles
from typing import Any

from beaker.cache import Cache
from beaker.testing import server

PROCESSES, THREADS, ROUNDS = 4, 16, 10

#: Seconds that making the value takes, and for which it is fresh.
MAKING, EXPIRE = 0.3, 3600.0

STORES = ("file", "sqlite", "redis")


def ask_together(options: dict[str, Any], line: Any, start: Any) -> None:
    """Be one process: ask with all threads at once, once per key that is told."""
    cache = Cache(**options)
    # Nobody measures how long it takes to connect.
    cache.get("first", createfunc=str)
    while (key := line.recv()) is not None:
        answers: list[tuple[str, float, float]] = []
        gate = threading.Barrier(THREADS)
        team = [
            threading.Thread(target=ask, args=(cache, key, gate, answers))
            for _ in range(THREADS)
        ]
        start.wait()
        for caller in team:
            caller.start()
        for caller in team:
            caller.join()
        line.send(answers)


def ask(cache: Cache, key: str, gate: threading.Barrier, answers: list[Any]) -> None:
    """Ask for the value; note what came of it, when it was asked for and when had."""
    made: list[float] = []

    def make() -> float:
        time.sleep(MAKING)
        made.append(time.time())
        return made[0]

    gate.wait()
    asked = time.time()
    value = cache.get(key, createfunc=make)
    had = time.time()
    if made:
        answers.append(("made", asked, had))
    elif value == "stale":
        answers.append(("stale", asked, had))
    else:
        answers.append(("waited", value, had))


def measure(options: dict[str, Any]) -> dict[str, list[float]]:
    """Return the waits, in milliseconds, of those who had the value each way."""
    context = multiprocessing.get_context("spawn")
    start = context.Barrier(PROCESSES + 1)
    lines = [context.Pipe() for _ in range(PROCESSES)]
    members = [
        context.Process(target=ask_together, args=(options, line, start))
        for _, line in lines
    ]
    for member in members:
        member.start()
    cache = Cache(**options)
    waits: dict[str, list[float]] = {"stale": [], "waited": [], "made": []}
    for number in range(2 * ROUNDS):
        key = f"key {number}"
        if number % 2:
            cache.values.put(key, "stale", EXPIRE, time.time() - EXPIRE - 1)
        for line, _ in lines:
            line.send(key)
        start.wait()
        for line, _ in lines:
            for how, since, had in line.recv():
                waits[how].append((had - since) * 1000)
    for line, _ in lines:
        line.send(None)
    for member in members:
        member.join()
    return waits


def show(store: str, waits: dict[str, list[float]]) -> bool:
    """Print one store's waits, and return whether each value was made once."""
    for how in ("stale", "waited"):
        cuts = quantiles(waits[how], n=100)
        figures = (
            f"p50 {cuts[49]:6.1f}  p99 {cuts[98]:6.1f}  max {max(waits[how]):6.1f}"
        )
        print(f"{store:8} {how:7} {len(waits[how]):5} callers  {figures} ms")
    print(f"{store:8} made    {len(waits['made']):5} times in {2 * ROUNDS} rounds")
    return len(waits["made"]) == 2 * ROUNDS


def main() -> int:
    """Measure the stores that are named, or all; return the exit status."""
    chosen = sys.argv[1:] or STORES
    right = True
    with tempfile.TemporaryDirectory() as directory:
        for store in chosen:
            options: dict[str, Any] = {"namespace": "stampede", "expire": EXPIRE}
            if store != "redis":
                options |= {"type": store, "data_dir": f"{directory}/{store}"}
                right &= show(store, measure(options))
                continue
            with server("redis", Path(directory)) as url:
                options |= {"type": "ext:redis", "url": url, "store_timeout": 5}
                right &= show(store, measure(options))
    return 0 if right else 1


if __name__ == "__main__":
    sys.exit(main())
