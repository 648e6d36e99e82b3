"""What memcached does beyond what every store promises."""

from __future__ import annotations

import time

import pytest

from beaker.exceptions import UnsupportedOperationError
from beaker.testing import Server, wait_until
from beaker_memcached import MemcachedNamespaceManager, PyLibMCNamespaceManager
from tests.memcached.conftest import OpenNamespace, raw_client


def test_several_servers_share_the_records(memcached_pair: list[Server]) -> None:
    url = " ; ".join(server.url for server in memcached_pair)
    records = {f"key {number}": b"data" for number in range(400)}

    MemcachedNamespaceManager("namespace", url).store_many(records, 60)

    for server in memcached_pair:
        client = raw_client(server.url)
        assert 140 < int(client.stats()[b"curr_items"]) < 260
        client.close()


class TestSession:
    """A session's namespace is its id, and it holds one record."""

    @pytest.fixture
    def open_session(self, open_namespace: OpenNamespace, module: str) -> OpenNamespace:
        return lambda name: open_namespace(
            name, purpose="session", memcache_module=module, store_timeout=5
        )

    def test_what_others_wrote_meanwhile_is_not_overwritten(
        self, open_session: OpenNamespace
    ) -> None:
        mine, theirs = open_session("id"), open_session("id")
        mine.store("session", b"one", 60)
        assert mine.fetch("session") == b"one"
        assert theirs.replace("session", b"one", b"two", 60)

        assert not mine.replace("session", b"one", b"three", 60)

        assert mine.fetch("session") == b"two"

    def test_one_that_was_stored_alike_meanwhile_is_replaced(
        self, open_session: OpenNamespace
    ) -> None:
        mine = open_session("id")
        mine.store("session", b"one", 60)
        assert mine.fetch("session") == b"one"
        open_session("id").store("session", b"one", 60)

        assert mine.replace("session", b"one", b"two", 60)

    def test_its_lock_is_held_by_one(self, open_session: OpenNamespace) -> None:
        mine, theirs = open_session("id").lease("session"), open_session("id")

        assert mine.acquire()
        assert not theirs.lease("session").acquire(wait=False)
        mine.release()
        other = theirs.lease("session")
        assert other.acquire(wait=False)
        other.release()

    def test_it_is_not_created_under_a_lease(self, open_session: OpenNamespace) -> None:
        session = open_session("id")
        lease = session.lease("session")

        with pytest.raises(UnsupportedOperationError, match="fill"):
            session.fill("session", b"data", 60, lease)


def test_a_record_goes_when_its_time_has_come(open_namespace: OpenNamespace) -> None:
    store = open_namespace()
    store.store("key", b"data", 0.2)
    store.store("touched", b"data", 0.2)
    store.touch("touched", 60, 1.0)

    wait_until(lambda: store.fetch("key") is None, lambda: "it is still there")

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
