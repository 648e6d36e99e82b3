"""What caches and sessions promise, on memcached."""

from __future__ import annotations

from typing import Any

import pytest

from beaker.testing import (
    OutageSuite,
    RegionSuite,
    Server,
    SessionSuite,
    Stoppable,
    StoreSuite,
)


class OnMemcached(StoreSuite):
    @pytest.fixture
    def options(self, memcached_url: str) -> dict[str, Any]:
        # On two cores, 64 threads that connect at once take longer than an outage.
        return {"type": "ext:memcached", "url": memcached_url, "store_timeout": 5}

    @pytest.fixture
    def stoppable(self, memcached_server: Server) -> Stoppable:
        place = {"type": "ext:memcached", "url": memcached_server.url}
        return {**place, "store_timeout": 1}, memcached_server


class TestCaches(OnMemcached, RegionSuite):
    pass


class TestSessions(OnMemcached, SessionSuite):
    pass


class ThroughEachLibrary(OnMemcached):
    """Through each library; the default run has the first."""

    @pytest.fixture
    def options(self, memcached_url: str, module: str) -> dict[str, Any]:
        place = {"type": "ext:memcached", "url": memcached_url, "store_timeout": 5}
        return {**place, "memcache_module": module}


# Where it cannot connect, python-memcached leaves its socket to the collector.
@pytest.mark.filterwarnings("ignore:unclosed:ResourceWarning")
@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")
class TestOutages(ThroughEachLibrary, OutageSuite):
    @pytest.fixture
    def stoppable(self, memcached_server: Server, module: str) -> Stoppable:
        place = {"type": "ext:memcached", "url": memcached_server.url}
        return {**place, "memcache_module": module}, memcached_server


@pytest.mark.faults
class TestCachesThroughEachLibrary(ThroughEachLibrary, RegionSuite):
    pass


@pytest.mark.faults
class TestSessionsThroughEachLibrary(ThroughEachLibrary, SessionSuite):
    pass
