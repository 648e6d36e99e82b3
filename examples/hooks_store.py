"""Raises an alarm when a store is away, and ends it when the store is back.

Needs: Python 3.11 or newer and beaker-core; no server.
Install: pip install 'beaker-core>=2'
Run: python examples/hooks_store.py
Shows: the hooks store_failed, store_back and store_refused, and how a program registers
a store of its own. The application goes on meanwhile: the cache calls its function.
"""

from __future__ import annotations

import sys
import threading
from typing import Any, ClassVar

from beaker.cache import Cache, clsmap
from beaker.container import MemoryNamespaceManager
from beaker.exceptions import StoreRefusedError
from beaker.hookspecs import hookimpl
from beaker.plugins import register
from beaker.protocols import Lease


class Unreliable(MemoryNamespaceManager):
    """A store in memory with a plug that can be pulled."""

    unavailable = (ConnectionError,)
    plugged: ClassVar[bool] = True
    full: ClassVar[bool] = False

    def fetch(self, key: str) -> Any:
        """Return the record."""
        self.ping()
        return super().fetch(key)

    def fill(self, key: str, data: Any, ttl: float | None, lease: Lease) -> bool:
        """Keep what was made, where there is room."""
        if type(self).full:
            raise StoreRefusedError(self.place(), "no room", "make room")
        return super().fill(key, data, ttl, lease)

    def ping(self) -> None:
        """Return if the plug is in."""
        if not type(self).plugged:
            raise ConnectionError("the plug was pulled")

    def place(self) -> str:
        """Return the store's name."""
        return "unreliable"


class Alarm:
    """Calls somebody, once per outage."""

    def __init__(self) -> None:
        self.calls = self.refusals = 0
        self.over = threading.Event()

    @hookimpl
    def store_failed(self, store: str, error: BaseException) -> None:
        """Tell that a store is away."""
        self.calls += 1
        print(f"ALARM: {store} is away: {error}")

    @hookimpl
    def store_back(self, store: str) -> None:
        """Tell that it is back."""
        self.over.set()
        print(f"all clear: {store} is back")

    @hookimpl
    def store_refused(self, store: str, error: Exception) -> None:
        """Tell that a store keeps nothing."""
        self.refusals += 1
        print(f"WARNING from {store}: {error}")


def main() -> int:
    """Pull the plug, put it back, and return the exit status."""
    alarm = Alarm()
    register(alarm)
    clsmap["unreliable"] = Unreliable
    cache = Cache("prices", type="unreliable", expire=60)
    print("from the store:", cache.get("pt", createfunc=lambda: 10))

    Unreliable.plugged = False
    answers = [cache.get("pt", createfunc=lambda: 11) for _ in range(3)]
    print("without it:", *answers)

    Unreliable.plugged = True
    back = alarm.over.wait(timeout=5)
    print("from the store:", cache.get("pt", createfunc=lambda: 12))

    Unreliable.full = True
    kept_by_none = [cache.get(key, createfunc=lambda: 13) for key in ("es", "fr")]
    print("not kept:", *kept_by_none)
    told = alarm.calls == alarm.refusals == 1
    return 0 if back and told and answers == [11, 11, 11] else 1


if __name__ == "__main__":
    sys.exit(main())
