"""The conformance kit on memcached, through each library and on several servers."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from beaker.testing import KNOWN, LeaseSuite, NamespaceManagerSuite, Server

#: Seconds that a busy machine may take; what is about deadlines says so.
PATIENT = 5


class TestMemcached(NamespaceManagerSuite, LeaseSuite):
    @pytest.fixture
    def options(self, memcached_url: str, module: str) -> dict[str, Any]:
        return {
            "type": "ext:memcached",
            "url": memcached_url,
            "memcache_module": module,
            "store_timeout": PATIENT,
        }


@pytest.fixture(scope="module")
def memcached_urls(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """Two servers among which records are spread."""
    recipe, new = KNOWN["memcached"], tmp_path_factory.mktemp
    with Server(recipe, new("one")) as one, Server(recipe, new("two")) as two:
        yield f"{one.url} ; {two.url}"


class TestSeveralServers(NamespaceManagerSuite, LeaseSuite):
    @pytest.fixture
    def options(self, memcached_urls: str) -> dict[str, Any]:
        url = memcached_urls
        return {"type": "ext:memcached", "url": url, "store_timeout": PATIENT}
