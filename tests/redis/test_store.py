"""What Redis does beyond what every store promises."""

from __future__ import annotations

from typing import Any

import pytest
from redis import Redis

from beaker.testing import wait_until
from beaker_redis import RedisNamespaceManager
from tests.redis.conftest import OpenNamespace as Open


def test_valkey_takes_the_place_of_redis(redis_valkey_url: str) -> None:
    store: Any = RedisNamespaceManager("namespace", redis_valkey_url)

    assert store.client.info("server")["server_name"] == "valkey"


def test_purging_counts_what_the_server_has_forgotten(open_namespace: Open) -> None:
    store = open_namespace()
    store.store_many({"a": b"", "b": b""}, 0.05)
    store.store("c", b"", 60)
    wait_until(lambda: not store.fetch_many(["a", "b"]), lambda: "they are still there")

    assert store.purge() == 2
    assert store.purge() == 0
    assert list(store.keys()) == ["c"]


def test_what_is_not_listed_any_more_is_gone(open_namespace: Open) -> None:
    """To the millisecond: the index and the server count alike."""
    store = open_namespace()

    for key in map(str, range(30)):
        store.store(key, b"data", 0.01)
        while key in store.keys():  # noqa: SIM118 - these are no dictionary's
            pass

        assert store.fetch(key) is None


class TestRedisSession:
    """A session's namespace is its id, and it holds one record."""

    @pytest.fixture
    def open_session(self, open_namespace: Open) -> Open:
        return lambda name: open_namespace(name, purpose="session")

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


def test_a_record_stored_without_expiry_stays_for_the_timeout(
    open_namespace: Open,
) -> None:
    store = open_namespace("namespace", timeout="0.05")

    store["key"] = "value"
    store.store("other", b"data", 60)
    wait_until(lambda: store.fetch("key") is None, lambda: "it is still there")

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


def test_it_tells_what_the_server_is(
    open_namespace: Open, redis_valkey_url: str
) -> None:
    assert open_namespace("x").version().startswith("Redis ")
    assert RedisNamespaceManager("x", redis_valkey_url).version().startswith("Valkey ")
