"""Subclasses that others wrote for Beaker 1.x, with a client of their own."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Self
from uuid import uuid4

import memcache
import pytest

import beaker.cache
from beaker.cache import Cache
from beaker.container import NamespaceManager
from beaker.session import Session
from beaker.util import verify_directory
from beaker_memcached import MemcachedNamespaceManager


class OwnClient(MemcachedNamespaceManager):
    """As those for other clients are: it sets `mc`, and leaves the rest to its base."""

    def __new__(cls, *_args: Any, **_kw: Any) -> Self:
        return object.__new__(cls)

    def __init__(
        self, namespace: str, url: str, lock_dir: str = "", **_kw: Any
    ) -> None:
        NamespaceManager.__init__(self, namespace)
        self.lock_dir = lock_dir
        verify_directory(lock_dir)
        self.mc = MemcachedNamespaceManager.clients.get(
            (OwnClient, url), memcache.Client, url.split(";")
        )


@pytest.fixture
def options(memcached_url: str, tmp_path: Any) -> Iterator[dict[str, Any]]:
    beaker.cache.clsmap["own"] = OwnClient
    yield {"type": "own", "url": memcached_url, "lock_dir": str(tmp_path)}
    beaker.cache.cache_managers.clear()
    del beaker.cache.clsmap["own"]


def test_its_caches_are_kept_by_its_client(options: dict[str, Any]) -> None:
    cache = Cache(uuid4().hex, **options)
    made: list[int] = []

    def make() -> int:
        made.append(1)
        return len(made)

    assert [cache.get("a b", createfunc=make) for _ in "12"] == [1, 1]
    client = OwnClient.clients[OwnClient, options["url"]]
    assert client.get(f"{cache.namespace_name}_a\u00c2\u00b7b")[2] == 1
    cache.remove_value("a b")
    assert cache.get("a b", createfunc=make) == 2


def test_its_sessions_are_kept_by_its_client(options: dict[str, Any]) -> None:
    session = Session({}, use_cookies=False, **options)
    session["user"] = "ann"
    session.save()

    again = Session({}, id=session.id, use_cookies=False, **options)
    assert again["user"] == "ann"
    again.delete()
    assert Session({}, id=session.id, use_cookies=False, **options).is_new
