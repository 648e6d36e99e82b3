"""Keeps a cache on Redis, which all processes on all hosts share.

Needs: Python 3.11 or newer, beaker-redis, and redis-server or the URL of a server.
Install: pip install 'beaker-core[testing]>=2' 'beaker-redis>=2'
Run: python examples/store_redis.py [redis://localhost:6379/0]
Shows: eight threads ask for one value and it is computed once; a hit is one GET; a
namespace is cleared without a look at what else is there.
"""

from __future__ import annotations

import sys
import threading
import time
from functools import partial

from _reached import reached
from redis import Redis

from beaker.cache import CacheManager
from beaker.testing import server


def main() -> int:
    """Ask, count and clear; return the exit status."""
    computed = []

    def compute() -> int:
        computed.append(1)
        time.sleep(0.1)
        return 10

    with reached(partial(server, "redis")) as url, Redis.from_url(url) as raw:
        options = {"type": "ext:redis", "url": url, "store_timeout": 2}
        prices = CacheManager(prefix="example:", **options).get_cache("prices")

        def price() -> int:
            found: int = prices.get("pt", createfunc=compute)
            return found

        askers = [threading.Thread(target=price) for _ in range(8)]
        for asker in askers:
            asker.start()
        for asker in askers:
            asker.join()
        print("asked by 8 threads, computed", len(computed), "time")

        before = commands(raw)
        price()
        hit = commands(raw) - before
        print("a hit costs", hit, "command")

        raw.set("somebody else's", "record")
        prices.clear()
        is_left = raw.delete("somebody else's") == 1
        price()
        others = "untouched" if is_left else "GONE"
        print("cleared and computed", len(computed), "times; the others are", others)
    return 0 if (len(computed), hit, is_left) == (2, 1, True) else 1


def commands(raw: Redis) -> int:
    """Return how many commands the server has run, without those of this function."""
    told = raw.info("commandstats")
    return sum(
        row["calls"]
        for name, row in told.items()
        if not name.startswith("cmdstat_info")
    )


if __name__ == "__main__":
    sys.exit(main())
