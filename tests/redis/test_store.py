from __future__ import annotations

from typing import Any

import pytest
from redis import Redis

from beaker_redis import RedisClusterNamespaceManager, RedisNamespaceManager
from tests.redis.contract import Open, StoreContract, wait_until_absent


class TestRedis(StoreContract):
    pass


class TestRedisCluster(StoreContract):
    @pytest.fixture
    def open_namespace(self, redis_cluster_url: str, prefix: str) -> Open:
        def opened(name: str, **options: Any) -> RedisClusterNamespaceManager:
            return RedisClusterNamespaceManager(
                name, redis_cluster_url, prefix=prefix, **options
            )

        return opened


class TestValkey(StoreContract):
    @pytest.fixture
    def open_namespace(self, redis_valkey_url: str, prefix: str) -> Open:
        def opened(name: str, **options: Any) -> RedisNamespaceManager:
            return RedisNamespaceManager(
                name, redis_valkey_url, prefix=prefix, **options
            )

        return opened

    def test_it_is_valkey(self, redis_valkey_url: str) -> None:
        store: Any = RedisNamespaceManager("namespace", redis_valkey_url)

        assert store.client.info("server")["server_name"] == "valkey"


class TestRedisSession:
    """A session's namespace is its id, and it holds one record."""

    @pytest.fixture
    def open_session(self, open_namespace: Open) -> Open:
        return lambda name: open_namespace(name, purpose="session")

    @pytest.mark.parametrize("id", ["0" * 32, "a.b.c", "a:b", "{a}", "a}{b", "", "#@!"])
    def test_it_is_kept_touched_and_removed(self, open_session: Open, id: str) -> None:
        session = open_session(id)

        assert session.replace("session", None, b"data", 60)
        assert session.touch("session", 60, 1234.5)
        assert session.fetch_accessed("session") == (b"data", 1234.5)
        assert list(session.keys()) == ["session"]
        assert session.size() == 1
        assert session.purge() == 0
        assert session.discard("session")
        assert session.fetch_accessed("session") is None
        assert session.size() == 0

    def test_dropping_one_leaves_the_others(self, open_session: Open) -> None:
        for name in ("a", "a:b", "{a}"):
            open_session(name).store("session", b"data", 60)

        open_session("a").drop()

        assert open_session("a").fetch("session") is None
        assert open_session("a:b").fetch("session") == b"data"
        assert open_session("{a}").fetch("session") == b"data"

    def test_it_is_no_record_of_a_cache(
        self, open_session: Open, open_namespace: Open
    ) -> None:
        open_session("name").store("session", b"session", 60)
        open_session("2:{4:name}").store("session", b"session", 60)
        open_namespace("name").store("session", b"cache", 60)

        assert open_session("name").fetch("session") == b"session"
        assert open_session("2:{4:name}").fetch("session") == b"session"

    def test_a_session_of_1x_is_where_it_is_read(
        self, open_session: Open, raw: Redis, prefix: str
    ) -> None:
        raw.set(f"{prefix}beaker_cache:{'0' * 32}:session", b"as 1.x wrote it")

        assert open_session("0" * 32).fetch("session") == b"as 1.x wrote it"

    def test_one_manager_opens_others_cheaply(self, open_session: Open) -> None:
        first = open_session("a")
        other = first.sibling("b")
        other.store("session", b"data", 60)

        assert first.fetch("session") is None
        assert open_session("b").fetch("session") == b"data"


def test_a_record_stored_without_expiry_stays_for_the_timeout(
    open_namespace: Open,
) -> None:
    store = open_namespace("namespace", timeout="0.05")

    store["key"] = "value"
    store.store("other", b"data", 60)
    wait_until_absent(store, "key")

    assert store.fetch("other") == b"data"


def test_a_session_of_1x_is_purged_by_the_idle_time_of_the_server(
    open_namespace: Open, raw: Redis, prefix: str
) -> None:
    for name, idle in (("old", 7200), ("young", 60)):
        raw.set(f"{prefix}x", b"session")
        dumped = raw.dump(f"{prefix}x") or b""
        raw.restore(f"{prefix}beaker_cache:{name}:session", 0, dumped, idletime=idle)
    raw.delete(f"{prefix}x")

    *_, done = open_namespace("any", purpose="session").purge_sessions(3600)

    assert done == (2, 1, 2)
    assert open_namespace("old", purpose="session").fetch("session") is None
    assert open_namespace("young", purpose="session").fetch("session") == b"session"
