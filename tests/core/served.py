"""Servers that a test takes away and gives back, one for each store that has one."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from beaker.testing import KNOWN, MariadbServer, MongoServer, PostgresServer, Server

#: What one operation may take here.
DEADLINE = 0.5

#: A server, and the options of what is kept there.
Served = tuple[Server, dict[str, Any]]

#: So that a Redis has its records again when it is back.
DURABLE = ("--appendonly", "yes", "--appendfsync", "always")


def _known(name: str, *more: str) -> Callable[[Path], Server]:
    return lambda directory: Server(KNOWN[name], directory, *more)


#: The marker, the wheel, the type and the server of each store.
STORES: dict[str, tuple[str, str, str, Callable[[Path], Server]]] = {
    "redis": ("redis", "beaker_redis", "ext:redis", _known("redis", *DURABLE)),
    "memcached": (
        *("memcached", "beaker_memcached", "ext:memcached"),
        _known("memcached"),
    ),
    "mongodb": ("mongodb", "beaker_mongodb", "ext:mongodb", MongoServer),
    "postgres": ("sqla", "beaker_sqla", "ext:database", PostgresServer),
    "mariadb": ("sqla", "beaker_sqla", "ext:database", MariadbServer),
}

#: Each of them, as the parameter of a fixture.
EACH = [
    pytest.param(name, marks=getattr(pytest.mark, marker))
    for name, (marker, *_) in STORES.items()
]

#: Those that have their records again after a restart.
LASTING = [one for one in EACH if one.values != ("memcached",)]


@contextmanager
def serving(name: str, directory: Path) -> Iterator[Served]:
    """Start the server of a store, and end it with the block."""
    _, wheel, kind, make = STORES[name]
    pytest.importorskip(wheel, reason="this run has the core alone")
    with make(directory / "server") as server:
        yield server, {"type": kind, "url": server.url, "store_timeout": DEADLINE}
