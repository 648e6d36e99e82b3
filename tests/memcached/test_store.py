from __future__ import annotations

import time
from typing import Any

import pytest

from beaker.exceptions import UnsupportedOperationError
from beaker.testing import Server
from beaker_memcached import MemcachedNamespaceManager, PyLibMCNamespaceManager
from tests.memcached.conftest import OpenNamespace, raw_client
from tests.redis.contract import Open, StoreContract, wait_until_absent


class TestMemcached(StoreContract):
    """Through each of the libraries."""

    @pytest.fixture
    def open_namespace(self, memcached_url: str, prefix: str, module: str) -> Open:
        def opened(name: str, **options: Any) -> MemcachedNamespaceManager:
            # What is not about outages shall not fail because the machine is busy.
            options = {"store_timeout": 5, "memcache_module": module, **options}
            return MemcachedNamespaceManager(
                name, memcached_url, prefix=prefix, **options
            )

        return opened


class TestSeveralServers(StoreContract):
    @pytest.fixture
    def open_namespace(self, memcached_pair: list[Server]) -> OpenNamespace:
        url = " ; ".join(server.url for server in memcached_pair)
        return lambda name, **options: MemcachedNamespaceManager(name, url, **options)

    def test_they_share_the_records(
        self, open_namespace: OpenNamespace, memcached_pair: list[Server]
    ) -> None:
        records = {f"key {number}": b"data" for number in range(400)}

        open_namespace("namespace").store_many(records, 60)

        for server in memcached_pair:
            client = raw_client(server.url)
            assert 140 < int(client.stats()[b"curr_items"]) < 260
            client.close()


class TestSession:
    """A session's namespace is its id, and it holds one record."""

    @pytest.fixture
    def open_session(self, open_namespace: OpenNamespace, module: str) -> Open:
        return lambda name: open_namespace(
            name, purpose="session", memcache_module=module, store_timeout=5
        )

    @pytest.mark.parametrize(
        "id", ["0" * 32, "a.b c", "aÂ·b", "\r\nset x", "", "x" * 300, "é" * 200]
    )
    def test_it_is_kept_touched_and_removed(self, open_session: Open, id: str) -> None:
        session = open_session(id)

        assert session.replace("session", None, b"data", 60)
        assert session.touch("session", 60, 1234.5)
        assert session.fetch_accessed("session") == (b"data", 1234.5)
        assert session.replace("session", b"data", b"new", 60)
        assert not session.replace("session", b"data", b"newer", 60)
        assert not session.replace("session", None, b"newer", 60)
        assert session.fetch("session") == b"new"
        assert session.fetch_many(["session", "absent"]) == {"session": b"new"}
        assert session.discard("session")
        assert not session.discard("session")
        assert not session.touch("session", 60, 1.0)
        assert session.fetch_accessed("session") is None

    def test_dropping_one_leaves_the_others(self, open_session: Open) -> None:
        for name in ("a", "a b", "ab"):
            open_session(name).store("session", b"data", 60)

        open_session("a").drop()

        assert open_session("a").fetch("session") is None
        assert open_session("a b").fetch("session") == b"data"
        assert open_session("ab").fetch("session") == b"data"

    def test_what_others_wrote_meanwhile_is_not_overwritten(
        self, open_session: Open
    ) -> None:
        mine, theirs = open_session("id"), open_session("id")
        mine.store("session", b"one", 60)
        assert mine.fetch("session") == b"one"
        assert theirs.replace("session", b"one", b"two", 60)

        assert not mine.replace("session", b"one", b"three", 60)

        assert mine.fetch("session") == b"two"

    def test_one_that_was_stored_alike_meanwhile_is_replaced(
        self, open_session: Open
    ) -> None:
        mine = open_session("id")
        mine.store("session", b"one", 60)
        assert mine.fetch("session") == b"one"
        open_session("id").store("session", b"one", 60)

        assert mine.replace("session", b"one", b"two", 60)

    def test_its_lock_is_held_by_one(self, open_session: Open) -> None:
        mine, theirs = open_session("id").lease("session"), open_session("id")

        assert mine.acquire()
        assert not theirs.lease("session").acquire(wait=False)
        mine.release()
        other = theirs.lease("session")
        assert other.acquire(wait=False)
        other.release()

    def test_it_is_not_created_under_a_lease(self, open_session: Open) -> None:
        session = open_session("id")
        lease = session.lease("session")

        with pytest.raises(UnsupportedOperationError, match="fill"):
            session.fill("session", b"data", 60, lease)

    def test_it_is_no_record_of_a_cache(
        self, open_session: Open, open_namespace: OpenNamespace
    ) -> None:
        open_session("name").store("session", b"session", 60)
        open_namespace("name").store("session", b"cache", 60)

        assert open_session("name").fetch("session") == b"session"


def test_a_record_goes_when_its_time_has_come(open_namespace: OpenNamespace) -> None:
    store = open_namespace()
    store.store("key", b"data", 0.2)
    store.store("touched", b"data", 0.2)
    store.touch("touched", 60, 1.0)

    wait_until_absent(store, "key")

    assert store.fetch("touched") == b"data"


@pytest.mark.parametrize("purpose", ["cache", "session"])
def test_it_is_kept_for_days(
    open_namespace: OpenNamespace, module: str, purpose: str
) -> None:
    stores = {
        days * 86400: open_namespace(
            f"{days} days", memcache_module=module, purpose=purpose
        )
        for days in (29.9, 30, 31, 400, 365 * 100)
    }

    for ttl, store in stores.items():
        store.store("session", b"data", ttl)
        assert store.touch("session", ttl, 1.0)
        assert store.replace("session", b"data", b"new", ttl)

    # Its clock ticks once a second: what it takes for the past is gone by then.
    time.sleep(1.1)
    assert all(store.fetch("session") == b"new" for store in stores.values())


def test_the_class_of_pylibmc_is_that_of_1x(memcached_url: str) -> None:
    store = PyLibMCNamespaceManager("namespace", memcached_url)

    assert store.settings.own["memcache_module"] == "pylibmc"
