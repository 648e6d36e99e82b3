"""What it costs as the work grows: keys, size of values, threads, processes, sessions.

Needs: what `nox -s bench` installs. Run: python3 -m nox -s growth

Each point is a process of its own, so that its memory is its own. The curves should be
flat per operation. Beside each store a dashed curve is the least code that reads as much
from as many: where that rises too, it is the machine's caches that no longer suffice.
"""

from __future__ import annotations

import argparse
import json
import multiprocessing
import os
import resource
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from floors import limit_of_caches
from opened import REDIS
from rich.console import Console
from rich.progress import track
from rich.table import Table

from beaker.testing import server

HERE = Path(__file__).parent
PICTURE = HERE.parent / "docs" / "benchmarks" / "growth.svg"

LOCAL = ("memory", "file", "sqlite")

#: What grows, on which stores, and through which sizes.
CURVES: dict[str, dict[str, tuple[int, ...]]] = {
    "keys": dict.fromkeys((*LOCAL, "redis"), (1, 10, 100, 1000, 10_000, 100_000)),
    "bytes": dict.fromkeys((*LOCAL, "redis"), (10, 1000, 100_000, 10_000_000)),
    "threads": dict.fromkeys(LOCAL, (1, 2, 4, 8, 16, 32)),
    "processes": dict.fromkeys(("file", "sqlite", "redis"), (1, 2, 4, 8)),
    "sessions": {
        **dict.fromkeys(("file", "sqlite"), (1, 100, 10_000, 100_000)),
        **dict.fromkeys(("memory", "redis"), (1, 100, 10_000, 100_000, 1_000_000)),
    },
}

#: Reads of one process or thread.
READS = 2000


def opened(store: str, place: str) -> Any:
    """Return a cache of that store."""
    from beaker.cache import CacheManager

    options = options_of(store, place)
    return CacheManager(**options).get_cache("growth", expire=3600)


def options_of(store: str, place: str) -> dict[str, Any]:
    """Return the options that choose a store."""
    if store == "redis":
        # What takes long here is to be measured, and is no outage.
        return {"type": "ext:redis", "url": REDIS, "store_timeout": 10}
    return {"type": store, "data_dir": place}


def seconds(act: Callable[[int], object], times: int) -> float:
    """Return how long an act takes, for once of so many."""
    began = time.perf_counter()
    for number in range(times):
        act(number)
    return (time.perf_counter() - began) / times


def keys(store: str, size: int, place: str) -> dict[str, float]:
    """Read and store one of many keys."""
    cache, bare_place = opened(store, place), Path(place) / "bare"
    bare_place.mkdir()
    bare = limit_of_caches(store, bare_place)
    for number in range(size):
        cache.put(f"key{number}", number)
        bare.set(f"bare{number}", number)
    some = [number * 7919 % size for number in range(READS)]
    keys, bare_keys = [f"key{n}" for n in some], [f"bare{n}" for n in some]
    return {
        "read": seconds(lambda n: cache.get(keys[n]), READS),
        "bare": seconds(lambda n: bare.get(bare_keys[n]), READS),
        "store": seconds(lambda n: cache.put(keys[n], n), READS // 10),
    }


def bytes_(store: str, size: int, place: str) -> dict[str, float]:
    """Read and store a value of many bytes."""
    cache, value = opened(store, place), os.urandom(size)
    cache.put("key", value)
    times = max(3, min(READS, 10**8 // size))
    return {
        "read": seconds(lambda _: cache.get("key"), times),
        "store": seconds(lambda _: cache.put("key", value), max(3, times // 10)),
    }


def threads(store: str, size: int, place: str) -> dict[str, float]:
    """Read one key in many threads at once; the time is that of all reads together."""
    cache = opened(store, place)
    cache.put("key", 1)

    def read() -> None:
        for _ in range(READS):
            cache.get("key")

    team = [threading.Thread(target=read) for _ in range(size)]
    began = time.perf_counter()
    for one in team:
        one.start()
    for one in team:
        one.join()
    return {"read": (time.perf_counter() - began) / (READS * size)}


def processes(store: str, size: int, place: str) -> dict[str, float]:
    """Read one key in many processes at once; the time is that of all together."""
    opened(store, place).put("key", 1)
    context = multiprocessing.get_context("spawn")
    with context.Pool(size) as pool:
        pool.map(_read_all, [(store, place)] * size, 1)
        began = time.perf_counter()
        pool.map(_read_all, [(store, place)] * size, 1)
        return {"read": (time.perf_counter() - began) / (READS * size)}


def _read_all(where: tuple[str, str]) -> None:
    cache = opened(*where)
    for _ in range(READS):
        cache.get("key")


def sessions(store: str, size: int, place: str) -> dict[str, float]:
    """Load and save one of many sessions."""
    from beaker.session import Session

    options = {**options_of(store, place), "use_cookies": False}

    def save(number: int) -> None:
        session = Session({}, id=f"{number:032x}", **options)
        session["number"] = session.get("number", 0) + 1
        session.save()

    def load(number: int) -> None:
        Session({}, id=f"{number * 7919 % size:032x}", **options)

    for number in range(size):
        save(number)
    return {
        "read": seconds(load, READS),
        "store": seconds(lambda n: save(n % size), READS // 10),
    }


POINTS: dict[str, Callable[[str, int, str], dict[str, float]]] = {
    "keys": keys,
    "bytes": bytes_,
    "threads": threads,
    "processes": processes,
    "sessions": sessions,
}


def measured(curve: str, store: str, size: int) -> dict[str, float]:
    """Return the figures of one point: microseconds for once, and MiB at the most."""
    command = [sys.executable, __file__, "--point", curve, store, str(size)]
    answer = subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True)  # noqa: S603  # ourselves
    found: dict[str, float] = json.loads(answer.stdout)
    return found


def point(curve: str, store: str, size: int) -> None:
    """Measure one point in this process, and print it."""
    with tempfile.TemporaryDirectory() as place:
        found = POINTS[curve](store, size, place)
    told = {name: 1e6 * spent for name, spent in found.items()}
    most = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    print(json.dumps({**told, "MiB": most}))


def show(found: dict[tuple[str, str, int], dict[str, float]]) -> None:
    """Print a row for each point."""
    table = Table(caption="microseconds for one operation, memory at the most")
    for column in ("grows", "store", "to", "read", "bare", "store ", "MiB"):
        table.add_column(column, justify="right")
    for (curve, store, size), told in found.items():
        figures = (told.get(name) for name in ("read", "bare", "store", "MiB"))
        shown = ("-" if one is None else f"{one:.1f}" for one in figures)
        table.add_row(curve, store, f"{size}", *shown)
    Console(width=80).print(table)


def draw(found: dict[tuple[str, str, int], dict[str, float]]) -> None:
    """Draw for each curve its time, and below the memory of the process."""
    import matplotlib as mpl

    mpl.use("svg")
    mpl.rcParams["svg.hashsalt"] = "beaker"
    mpl.rcParams["svg.fonttype"] = "none"
    from matplotlib import pyplot as plt

    size = 3.2 * len(CURVES), 6
    figure, rows = plt.subplots(2, len(CURVES), figsize=size)
    for curve, stores, panel, memory in zip(
        CURVES, CURVES.values(), *rows, strict=True
    ):
        for store, sizes in stores.items():
            points = [found[curve, store, size] for size in sizes]
            costs = [one["read"] for one in points]
            # The same in all panels.
            color = f"C{(*LOCAL, 'redis').index(store)}"
            panel.plot(sizes, costs, marker="o", label=store, color=color)
            if "bare" in points[0]:
                bare = [one["bare"] for one in points]
                panel.plot(sizes, bare, linestyle="--", color=color)
            taken = [one["MiB"] for one in points]
            memory.plot(sizes, taken, marker="o", color=color)
        panel.set(xscale="log", yscale="log", xlabel=curve, ylabel="µs for one read")
        memory.set(xscale="log", xlabel=curve, ylabel="MiB of the process")
        memory.set_ylim(bottom=0)
        panel.legend(fontsize=7)
    figure.tight_layout()
    PICTURE.parent.mkdir(parents=True, exist_ok=True)
    figure.savefig(PICTURE, metadata={"Date": None})


def main() -> None:
    """Measure all points, each in a process of its own."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--point", nargs=3, help=argparse.SUPPRESS)
    parser.add_argument("--draw", action="store_true", help="a picture into docs/")
    told = parser.parse_args()
    if told.point:
        curve, store, size = told.point
        point(curve, store, int(size))
        return
    every = [
        (curve, store, size)
        for curve, stores in CURVES.items()
        for store, sizes in stores.items()
        for size in sizes
    ]
    with tempfile.TemporaryDirectory() as place, server("redis", Path(place)) as url:
        os.environ["BENCHMARK_REDIS"] = url
        found = {one: measured(*one) for one in track(every, description="measuring")}
    show(found)
    if told.draw:
        draw(found)


if __name__ == "__main__":
    main()
