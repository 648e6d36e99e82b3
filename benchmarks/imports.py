"""How long importing takes, over an interpreter that imports nothing.

Needs: beaker-core. Run: python benchmarks/imports.py [MODULE ...]

Each round starts one fresh interpreter per module, in turn, so that a machine which
is slow for a while is slow for all of them. Believe the minimum.
"""

from __future__ import annotations

import statistics
import subprocess
import sys
import time
from pathlib import Path

ROUNDS = 21
MODULES = ["beaker.middleware", "beaker.cache", "beaker.session"]
COUNT = "import sys{}; print(len(sys.modules))"


def start(module: str) -> tuple[float, int]:
    """Return the seconds that an interpreter lives, and the modules it loads."""
    code = COUNT.format(f", {module}" if module else "")
    began = time.perf_counter()
    answer = subprocess.run(  # noqa: S603 - our own interpreter
        [sys.executable, "-c", code], capture_output=True, check=True, text=True
    )
    return time.perf_counter() - began, int(answer.stdout)


def main(modules: list[str]) -> None:
    """Print a line for each module."""
    seconds: dict[str, list[float]] = {module: [] for module in ["", *modules]}
    loaded: dict[str, int] = {}
    for _ in range(ROUNDS):
        for module, taken in seconds.items():
            lived, loaded[module] = start(module)
            taken.append(lived)
    bare = seconds.pop("")
    python = f"{sys.implementation.name} {sys.version.split()[0]}"
    print(f"{python}, {ROUNDS} rounds, over bare {Path(sys.executable).name}:")
    for module, taken in seconds.items():
        least = (min(taken) - min(bare)) * 1000
        middle = (statistics.median(taken) - statistics.median(bare)) * 1000
        more = loaded[module] - loaded[""]
        print(
            f"{module:20} min {least:6.1f} ms  median {middle:6.1f} ms  {more} modules"
        )


if __name__ == "__main__":
    main(sys.argv[1:] or MODULES)
