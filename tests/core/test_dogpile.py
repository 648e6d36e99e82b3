"""One computation per value, however many processes and threads want it at once."""

from __future__ import annotations

import os
import signal
import time
from pathlib import Path
from typing import Any

import pytest

from beaker.cache import Cache
from beaker.testing._processes import program
from tests.core.stampede import EXPIRE, Stampede

ROUNDS = 3

Options = dict[str, Any]


#: The stores on a server: the wheel that brings each, its marker, and the server.
SERVED = {
    "ext:database": ("beaker_sqla", "sqla", "postgres"),
    "ext:memcached": ("beaker_memcached", "memcached", "memcached"),
    "ext:mongodb": ("beaker_mongodb", "mongodb", "mongodb"),
    "ext:redis": ("beaker_redis", "redis", "redis"),
}


@pytest.fixture(
    params=[
        *("file", "sqlite", "dbm"),
        *(
            pytest.param(name, marks=getattr(pytest.mark, marker))
            for name, (_, marker, _) in SERVED.items()
        ),
    ]
)
def options(request: pytest.FixtureRequest, tmp_path: Path) -> Options:
    """The options of a cache on a store that processes share."""
    chosen = {"namespace": f"stampede {tmp_path.name}", "type": request.param}
    if request.param not in SERVED:
        return {**chosen, "data_dir": str(tmp_path)}
    wheel, _, server = SERVED[request.param]
    pytest.importorskip(wheel, reason="this run has the core alone")
    url = request.getfixturevalue(f"{server}_url")
    # On two cores, 128 threads that connect at once take longer than an outage.
    return {**chosen, "url": url, "store_timeout": 5}


def test_an_expired_value_is_made_once_and_all_others_are_served_stale(
    options: Options,
) -> None:
    cache = Cache(**options, expire=EXPIRE)
    with Stampede({**options, "expire": EXPIRE}).running() as stampede:
        for key in _keys():
            cache.values.put(key, "stale", EXPIRE, time.time() - EXPIRE - 1)
            stampede.ask_for(key)

            meanwhile = stampede.answers(stampede.callers - 1)
            stampede.let_creators_finish()
            last = stampede.answers(1)

            assert meanwhile == {"stale": stampede.callers - 1}
            assert last == {"fresh": 1}
            assert stampede.creations == 1
            assert cache[key] == "fresh"


def test_an_absent_value_is_made_once_and_all_wait_for_it(options: Options) -> None:
    with Stampede({**options, "expire": EXPIRE}).running() as stampede:
        for key in _keys():
            stampede.ask_for(key)

            assert not stampede.has_answers()
            stampede.let_creators_finish()

            assert stampede.answers(stampede.callers) == {"fresh": stampede.callers}
            assert stampede.creations == 1


_HOLDER = """
import sys, threading
from beaker.cache import Cache

def create():
    print("ready", flush=True)
    threading.Event().wait()

Cache(**eval(sys.argv[1])).get("key", createfunc=create)
"""


@pytest.mark.parametrize("options", ["file", "sqlite", "dbm"], indirect=True)
def test_the_kernel_frees_the_creation_lock_of_a_killed_holder(
    options: Options,
) -> None:
    for _ in range(ROUNDS):
        cache = Cache(**options, expire=EXPIRE)
        cache.clear()
        with program(_HOLDER, repr(options)) as holder:
            os.kill(holder.pid, signal.SIGKILL)
            holder.wait()
            # Nobody else holds it, so that a lock that lapses would be seen to wait.
            lease = cache.namespace.lease("key")
            assert lease.acquire(wait=True, timeout=0.5)
            lease.release()

            assert cache.get("key", createfunc=lambda: "mine") == "mine"


def _keys() -> list[str]:
    return [f"key {number}" for number in range(ROUNDS)]
