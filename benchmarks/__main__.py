"""Beaker against Beaker 1.14.1, its peers and the least that does the work.

Needs: what `nox -s bench` installs. Run: python3 -m nox -s bench -- [WORK ...]

Each environment is a process that times one slot when it is told to; the systems of a
work take turns in each round. Believe the ratios of minima from one run.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tempfile
from collections import defaultdict
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any, Self

from caches import CACHES, OURS
from report import Figures, draw, show, write
from rich.progress import track
from sessions import SESSIONS
from works import WORKS, Work, chosen

from beaker.testing import server

HERE = Path(__file__).parent
PICTURES = HERE.parent / "docs" / "benchmarks"
NEW, FORMER = "Beaker 2", "Beaker 1.14.1"


class Worker:
    """A process in one environment that times what it is told to.

    Args:
        python: The interpreter of the environment.
    """

    def __init__(self, python: str) -> None:
        self._process = subprocess.Popen(  # noqa: S603  # an interpreter of ours
            [python, str(HERE / "worker.py")],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )

    def time(self, work: Work, system: str) -> dict[str, Any]:
        """Return what one slot gave, or why it gave nothing."""
        process = self._process
        if process.stdin is None or process.stdout is None:
            raise BrokenPipeError
        process.stdin.write(json.dumps({"work": work, "system": system}) + "\n")
        process.stdin.flush()
        answer: dict[str, Any] = json.loads(process.stdout.readline())
        return answer

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._process.communicate()


@contextmanager
def servers() -> Iterator[None]:
    """Run a Redis and a memcached, and tell the workers where they are."""
    with ExitStack() as stack:
        place = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        for name in ("redis", "memcached"):
            url = stack.enter_context(server(name, place / name))
            os.environ[f"BENCHMARK_{name.upper()}"] = url
        yield


def measured(
    works: list[Work], workers: dict[str, Worker], rounds: int
) -> dict[Work, Figures]:
    """Return the figures of each work, from so many rounds."""
    figures: dict[Work, Figures] = {}
    for work in track(works, description="measuring"):
        known = (SESSIONS if work.is_session else CACHES)[work.store]
        peers = [(name, NEW, name) for name in known if name != OURS]
        everybody = [(NEW, NEW, OURS), (FORMER, FORMER, OURS), *peers]
        contestants = [one for one in everybody if one[1] in workers]
        figures[work] = _rounds(work, contestants, workers, rounds)
    return figures


def _rounds(
    work: Work,
    contestants: list[tuple[str, str, str]],
    workers: dict[str, Worker],
    rounds: int,
) -> Figures:
    spent: dict[str, list[tuple[float, float]]] = defaultdict(list)
    out: set[str] = set()
    for number in range(rounds):
        first = number % len(contestants)
        for shown, where, system in contestants[first:] + contestants[:first]:
            if shown in out:
                continue
            answer = workers[where].time(work, system)
            if "skipped" in answer:
                out.add(shown)
                print(f"{work.name}: without {shown}: {answer['skipped']}")
            else:
                spent[shown].append((answer["spent"], answer["base"]))
    return {shown: _net(slots) for shown, slots in spent.items()}


def _net(slots: list[tuple[float, float]]) -> tuple[float, float]:
    base = min(base for _, base in slots)
    each = sorted(spent - base for spent, _ in slots)
    # The greatest of a noisy machine says nothing; three in four were no slower.
    return each[0], each[len(each) * 3 // 4]


def _stay_on_one_processor() -> None:
    # A server on another one sleeps until it is asked, and how long it takes to wake
    # is more than what is measured, and never the same.
    if hasattr(os, "sched_setaffinity"):
        os.sched_setaffinity(0, {max(os.sched_getaffinity(0))})


def main() -> None:
    """Measure and show the works that were asked for."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("work", nargs="*", help="names, with * and ?; default: all")
    parser.add_argument("--rounds", type=int, default=15)
    parser.add_argument("--former", help="the Python of an environment with 1.14.1")
    parser.add_argument(
        "--draw", action="store_true", help="pictures and a table into docs/"
    )
    parser.add_argument("--list", action="store_true", help="the names of the works")
    told = parser.parse_args()
    if told.list:
        print("\n".join(work.name for work in WORKS))
        return
    _stay_on_one_processor()
    with servers(), ExitStack() as stack:
        pythons = {NEW: sys.executable, FORMER: told.former}
        workers = {
            name: stack.enter_context(Worker(python))
            for name, python in pythons.items()
            if python
        }
        figures = measured(chosen(told.work), workers, told.rounds)
    show(figures, NEW)
    if told.draw:
        draw(figures, PICTURES)
        write(figures, NEW, FORMER, PICTURES / "figures.md")


if __name__ == "__main__":
    main()
