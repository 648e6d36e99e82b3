"""Keeps a cache in memcached, and is told what does not fit.

Needs: Python 3.11 or newer, beaker-memcached, and memcached or the address of one.
Install: pip install 'beaker-core[testing]>=2' 'beaker-memcached>=2'
Run: python examples/store_memcached.py [127.0.0.1:11211]
Shows: a namespace is cleared and its neighbour stays, though memcached cannot list its
keys; a value over its item limit is refused by put, and returned by a cached function.
"""

from __future__ import annotations

import sys
from functools import partial

from _reached import reached

from beaker.cache import CacheManager
from beaker.exceptions import StoreRefusedError
from beaker.testing import server

LARGE = "x" * 2_000_000


def main() -> int:
    """Store, clear and be refused; return the exit status."""
    with reached(partial(server, "memcached")) as url:
        caches = CacheManager(
            type="ext:memcached", url=url, prefix="example:", store_timeout=2
        )
        prices, names = caches.get_cache("prices"), caches.get_cache("names")
        prices.put("pt", 10)
        names.put("pt", "Portugal")

        prices.clear()
        print(
            "after clear:", prices.get("pt", createfunc=lambda: "gone"), names.get("pt")
        )

        try:
            prices.put("all", LARGE)
        except StoreRefusedError as refused:
            print("refused:", refused)
        else:
            return 1
        returned = prices.get("all", createfunc=lambda: LARGE)
        print("the function's result all the same:", len(returned), "characters")
        return 0 if names.get("pt") == "Portugal" and returned == LARGE else 1


if __name__ == "__main__":
    sys.exit(main())
