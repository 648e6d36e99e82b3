"""Counts how a cache answers, what creating costs, and which records are broken.

Needs: Python 3.11 or newer and beaker-core; no server.
Install: pip install 'beaker-core>=2'
Run: python examples/hooks_cache.py
Shows: the hooks value_read, value_created, creation_failed and record_rejected.
"""

from __future__ import annotations

import sys
import tempfile
import time
from collections import Counter
from contextlib import suppress

from beaker.cache import Cache
from beaker.hookspecs import hookimpl
from beaker.plugins import register

EXPECTED = {"miss": 3, "hit": 3}


class Statistics:
    """What a monitoring system would be sent."""

    def __init__(self) -> None:
        self.reads: Counter[str] = Counter()
        self.seconds = 0.0
        self.failed: Counter[str] = Counter()
        self.broken: set[str] = set()

    @hookimpl
    def value_read(self, outcome: str) -> None:
        """Count a hit, a stale value or a miss."""
        self.reads[outcome] += 1

    @hookimpl
    def value_created(self, namespace: str, key: str, seconds: float) -> None:
        """Add up what creation functions cost."""
        self.seconds += seconds
        print(f"made {namespace}/{key} in {seconds:.2f} s")

    @hookimpl
    def creation_failed(self, namespace: str, key: str, error: Exception) -> None:
        """Count what creation functions raise, in the background too."""
        self.failed[type(error).__name__] += 1
        print(f"failed to make {namespace}/{key}: {error!r}")

    @hookimpl
    def record_rejected(self, namespace: str, key: str, reason: str) -> None:
        """Note a record that cannot be read, as often as it is tried."""
        self.broken.add(f"{namespace}/{key}")
        print(f"rejected {namespace}/{key}: {reason}")


def slow_answer() -> int:
    """Return the answer, after a while."""
    time.sleep(0.1)
    return 42


def no_answer() -> int:
    """Raise, as a database does that is away."""
    raise ConnectionError("nobody knows")


def main() -> int:
    """Use a cache, damage a record in it, and return the exit status."""
    statistics = Statistics()
    register(statistics)
    with tempfile.TemporaryDirectory() as data_dir:
        cache = Cache("answers", type="file", data_dir=data_dir, expire=60)
        for _ in range(4):
            cache.get("life", createfunc=slow_answer)
        cache.namespace.store("life", b"not a record", None)
        cache.get("life", createfunc=slow_answer)
        with suppress(ConnectionError):
            cache.get("death", createfunc=no_answer)
    print(f"read {dict(statistics.reads)}, created in {statistics.seconds:.2f} s")
    broken = statistics.broken == {"answers/life"}
    failed = statistics.failed == {"ConnectionError": 1}
    return 0 if broken and failed and statistics.reads == EXPECTED else 1


if __name__ == "__main__":
    sys.exit(main())
