"""Servers for one test each, and the namespaces that tests open."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator
from importlib import import_module
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest
from pymemcache.client.base import Client as Raw
from pymemcache.client.base import PooledClient

from beaker.testing import KNOWN, Server
from beaker_memcached import MemcachedNamespaceManager

OpenNamespace = Callable[..., MemcachedNamespaceManager]

#: The libraries; pylibmc is not built for every Python.
MODULES = ["pymemcache", "pylibmc", "memcache", "bmemcached"]


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Let bmemcached leave the sockets of threads that ended to be collected.

    It keeps one for each thread. Where ours closes them is collected in the same
    moment, the system may be quicker.
    """
    for item in items:
        if "bmemcached" in item.name and item.path.is_relative_to(
            Path(__file__).parent
        ):
            leaves = "ignore:.*socket:pytest.PytestUnraisableExceptionWarning"
            item.add_marker(pytest.mark.filterwarnings(leaves))


@pytest.fixture(autouse=True, scope="session")
def taciturn() -> None:
    """Let bmemcached write no debug log: a fork may cut the writing in two."""
    logging.getLogger("bmemcached").setLevel(logging.WARNING)


@pytest.fixture(params=MODULES)
def module(request: pytest.FixtureRequest) -> str:
    """Each of the libraries that are installed."""
    try:
        return import_module(request.param).__name__
    except ModuleNotFoundError:
        if request.param != "pylibmc":
            raise
        pytest.skip("pylibmc has no wheel for this Python")


@pytest.fixture
def memcached_server(tmp_path: Path) -> Iterator[Server]:
    """A server that this test may kill, freeze and fill."""
    with Server(KNOWN["memcached"], tmp_path / "memcached") as server:
        yield server


@pytest.fixture
def memcached_pair(tmp_path: Path) -> Iterator[list[Server]]:
    """Two servers among which records are spread."""
    with (
        Server(KNOWN["memcached"], tmp_path / "one") as one,
        Server(KNOWN["memcached"], tmp_path / "two") as two,
    ):
        yield [one, two]


@pytest.fixture
def prefix() -> str:
    """What keeps the names of this test apart from those of all others."""
    return f"test-{uuid4().hex}:"


@pytest.fixture
def open_namespace(memcached_url: str, prefix: str) -> OpenNamespace:
    """Opens a namespace on the shared server."""

    def opened(name: str = "namespace", **options: Any) -> MemcachedNamespaceManager:
        given = {"prefix": prefix, **options}
        return MemcachedNamespaceManager(name, memcached_url, **given)

    return opened


@pytest.fixture
def raw(memcached_url: str) -> Iterator[Any]:
    """A plain client of the shared server."""
    client = raw_client(memcached_url)
    yield client
    client.close()


def raw_client(url: str) -> Any:
    """Return a plain client; its children may use it too, each with a connection."""
    return PooledClient(url, default_noreply=False, allow_unicode_keys=True)


def connections(url: str) -> int:
    """Return how many connections a server has, with the one that asks."""
    client = Raw(url)
    told = client.stats()
    client.close()
    return int(told[b"curr_connections"])


def statistics(url: str) -> dict[str, int]:
    """Return what a server has counted of the commands that it was sent."""
    client = Raw(url)
    told = client.stats()
    client.close()
    return {
        name.decode(): int(value)
        for name, value in told.items()
        if name.startswith((b"cmd_", b"cas_", b"get_", b"delete_", b"touch_"))
    }
