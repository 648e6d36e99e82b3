"""Keeps a cache in Google Cloud Datastore, in a kind of its own.

Needs: Python 3.11 or newer, beaker-google, and Google's emulator or a database.
Install: pip install 'beaker-core[testing]>=2' 'beaker-google>=2'
Run: python examples/store_google.py [datastore://my-project]
Shows: a namespace is cleared and its neighbour stays, by an index that nobody deployed;
what an entity holds, and which of it is indexed; what has expired is not returned, and
is purged. Where there is neither an emulator nor a URL, it says so and ends.
"""

from __future__ import annotations

import sys
import time
from typing import Any

import pytest
from _reached import reached

from beaker.cache import CacheManager
from beaker.testing import datastore_emulator

KIND = "example_cache"


def main() -> int:
    """Store, clear and purge; return the exit status."""
    try:
        with reached(datastore_emulator) as url:
            return show(url)
    except pytest.skip.Exception as reason:
        print("nothing to show:", reason)
        return 0


def show(url: str) -> int:
    """Do it on this database; return the exit status."""
    caches = CacheManager(type="ext:google", url=url, table_name=KIND, store_timeout=10)
    prices, names = caches.get_cache("prices"), caches.get_cache("names")
    prices.put("pt", 10)
    names.put("pt", "Portugal")

    store: Any = names.namespace
    query = store.client.query(kind=KIND)
    held = {name for entity in query.fetch() for name in entity}
    plain = {name for one in query.fetch() for name in one.exclude_from_indexes}
    print("an entity holds:", *sorted(held), "- indexed:", *sorted(held - plain))

    prices.clear()
    print("after clear:", prices.get("pt", createfunc=lambda: "gone"), names.get("pt"))

    store.store("soon", b"", 0.01)
    time.sleep(0.02)
    print("expired:", store.fetch("soon"), "- purged:", purged := store.purge())
    is_neighbour_there = names.get("pt") == "Portugal"
    prices.clear()
    names.clear()
    return 0 if is_neighbour_there and purged == 1 else 1


if __name__ == "__main__":
    sys.exit(main())
