"""Redis servers for one test each, and the namespaces that tests open."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest
from redis import Redis

from beaker.testing import KNOWN, Server, server
from beaker_redis import RedisNamespaceManager

OpenNamespace = Callable[..., RedisNamespaceManager]


@pytest.fixture
def redis_server(tmp_path: Path) -> Iterator[Server]:
    """A server that this test may kill, freeze, fill and flush."""
    with Server(KNOWN["redis"], tmp_path / "redis") as server:
        yield server


@pytest.fixture
def prefix() -> str:
    """What keeps the names of this test apart from those of all others."""
    return f"test-{uuid4().hex}:"


@pytest.fixture
def open_namespace(redis_url: str, prefix: str) -> OpenNamespace:
    """Opens a namespace on the shared server."""

    def opened(name: str = "namespace", **options: Any) -> RedisNamespaceManager:
        return RedisNamespaceManager(name, redis_url, prefix=prefix, **options)

    return opened


@pytest.fixture
def raw(redis_url: str) -> Iterator[Redis]:
    """A plain client of the shared server."""
    with Redis.from_url(redis_url) as client:
        yield client


@pytest.fixture(scope="session")
def redis_valkey_url(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """A Valkey server, which takes the place of Redis."""
    with server("valkey", tmp_path_factory.mktemp("valkey")) as url:
        yield url
