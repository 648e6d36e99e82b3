"""Uses a store as programs of 1.x do; run where Beaker and a plugin are installed.

Prints as JSON what came of it.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Callable
from typing import Any
from uuid import uuid4

from beaker.cache import CacheManager
from beaker.session import Session

Options = dict[str, Any]


def caching(options: Options) -> list[Any]:
    """Create, find, remove, put, and miss."""
    cache = CacheManager(**options).get_cache(f"numbers {uuid4()}")
    made: list[str] = []

    def make() -> str:
        made.append("once")
        return f"number {len(made)}"

    told = [cache.get("é one", createfunc=make), cache.get("é one", createfunc=make)]
    cache.remove_value("é one")
    told.append(cache.get("é one", createfunc=make))
    cache.put("two", [2])
    return [*told, cache.get("two"), "three" in cache]


def sessions(options: Options) -> list[Any]:
    """Save, load, change, and delete."""
    known = uuid4().hex

    def opened() -> Session:
        return Session({}, id=known, use_cookies=False, **options)

    session = opened()
    session["user"] = "ann"
    session.save()
    again = opened()
    told = [again["user"]]
    again["cart"] = ["tea"]
    again.save()
    told.append(opened()["cart"])
    again.delete()
    return [*told, "user" in opened()]


if __name__ == "__main__":
    asked = json.load(sys.stdin)
    uses: dict[str, Callable[[Options], list[Any]]] = {
        "caching": caching,
        "sessions": sessions,
    }
    json.dump({use: uses[use](asked["options"]) for use in asked["uses"]}, sys.stdout)
