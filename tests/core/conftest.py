"""What the tests of the cache share: empty registries, a clock, stores to choose."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

import beaker.cache
import beaker.container
from beaker.backends.memory import MemoryNamespaceManager
from beaker.plugins import Backends
from beaker.testing._clock import Clock


class Calls:
    """A creation function that counts how often it was called."""

    def __init__(self) -> None:
        self.arguments: list[tuple[Any, ...]] = []

    def __call__(self, *arguments: Any) -> str:
        """Note the call and return a value that no other call returns."""
        self.arguments.append(arguments)
        return f"value {len(self.arguments)}"

    @property
    def count(self) -> int:
        """How often it was called."""
        return len(self.arguments)


@pytest.fixture
def own_registries() -> Iterator[None]:
    """Empty registries of caches, regions and memory, as in a new process."""
    regions, clsmap = beaker.cache.cache_regions, beaker.cache.clsmap
    _forget()
    beaker.cache.clsmap = Backends()
    yield
    beaker.cache.cache_regions, beaker.cache.clsmap = regions, clsmap
    _forget()


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    """The clock by which cached values expire."""
    stopped = Clock()
    monkeypatch.setattr(beaker.container, "time", stopped)
    return stopped


@pytest.fixture
def calls() -> Calls:
    """A creation function."""
    return Calls()


@pytest.fixture(
    params=[
        "memory",
        "file",
        "dbm",
        "sqlite",
        pytest.param("ext:memcached", marks=pytest.mark.memcached),
        pytest.param("ext:redis", marks=pytest.mark.redis),
    ]
)
def store(
    request: pytest.FixtureRequest, tmp_path: Path, own_registries: None
) -> dict[str, Any]:
    """The options that choose a store of this test's own."""
    assert own_registries is None
    chosen = {
        "type": request.param,
        "data_dir": str(tmp_path / "data"),
        "lock_dir": str(tmp_path / "lock"),
    }
    if request.param == "ext:redis":
        redis = pytest.importorskip(
            "beaker_redis", reason="this run has the core alone"
        )
        beaker.cache.clsmap["ext:redis"] = redis.RedisNamespaceManager
        url = request.getfixturevalue("redis_url")
        return {"type": "ext:redis", "url": url, "prefix": str(tmp_path)}
    if request.param == "ext:memcached":
        memcached = pytest.importorskip(
            "beaker_memcached", reason="this run has the core alone"
        )
        manager = memcached.MemcachedNamespaceManager
        beaker.cache.clsmap["ext:memcached"] = manager
        url = request.getfixturevalue("memcached_url")
        return {"type": "ext:memcached", "url": url, "prefix": str(tmp_path)}
    return chosen


def _forget() -> None:
    beaker.cache.cache_regions.clear()
    beaker.cache.cache_managers.clear()
    MemoryNamespaceManager.namespaces.clear()
