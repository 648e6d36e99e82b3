"""Clients: shared by URL, made anew after a fork, and used as they are if given."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from redis import Redis
from redis.exceptions import MaxConnectionsError

from beaker.cache import Cache
from beaker.exceptions import (
    InvalidOptionError,
    MissingCacheParameter,
    StoreRefusedError,
)
from beaker.synchronization import DEADLINE
from beaker.testing._processes import fork, thread, wait_for
from beaker_redis import (
    RedisClusterNamespaceManager,
    RedisClusterSynchronizer,
    RedisNamespaceManager,
    RedisSynchronizer,
)
from beaker_redis.connections import connect, without_password
from beaker_redis.sentinel import SentinelUrl
from tests.redis.conftest import OpenNamespace

URL = "redis://localhost:6379/0"


def test_namespaces_of_one_url_share_a_client() -> None:
    one, other = RedisNamespaceManager("one", URL), RedisNamespaceManager("other", URL)

    assert one.client is other.client
    assert one.client is not RedisNamespaceManager("one", URL + "1").client


def test_a_url_is_followed_with_our_deadline_and_without_retries() -> None:
    store = RedisNamespaceManager("one", "redis://localhost:1/0", store_timeout="0.5")

    pool: Any = store.client.connection_pool  # type: ignore[attr-defined]  # it is one of redis-py
    made = pool.make_connection()

    assert made.socket_timeout == made.socket_connect_timeout == 0.5
    assert made.retry.get_retries() == 0
    assert made.health_check_interval == 0


def test_who_wants_a_lock_alone_has_more_patience_with_the_server() -> None:
    lock = RedisSynchronizer("name", URL)

    pool: Any = lock._server.client.connection_pool  # type: ignore[attr-defined]  # it is one of redis-py
    assert pool.connection_kwargs["socket_timeout"] == DEADLINE == 1.0


def test_what_the_query_says_wins() -> None:
    client = connect(URL + "?socket_timeout=3&client_name=shop&protocol=3", 0.2)

    made: Any = client.connection_pool.make_connection()
    assert made.socket_timeout == 3
    assert made.client_name == "shop"
    assert made.protocol == 3


@pytest.mark.parametrize(
    ("url", "expected"),
    [
        (
            "redis://u:p%40@h:1/2",
            {"username": "u", "password": "p@", "port": 1, "db": 2},
        ),
        ("valkey://h:1/2", {"host": "h", "port": 1, "db": 2}),
        ("valkeys://h:1/2", {"host": "h", "port": 1, "db": 2}),
        ("unix:///run/r.sock?db=3", {"path": "/run/r.sock", "db": 3}),
    ],
)
def test_a_url_says_where_and_who(url: str, expected: dict[str, Any]) -> None:
    given = connect(url, 0.2).connection_pool.connection_kwargs

    assert expected.items() <= given.items()


@pytest.mark.parametrize("url", ["rediss://h", "valkeys://h"])
def test_tls_is_verified(url: str) -> None:
    made: Any = connect(url, 0.2).connection_pool.make_connection()

    assert type(made).__name__ == "SSLConnection"
    assert made.cert_reqs.name == "CERT_REQUIRED"


def test_a_url_of_sentinels_says_all_of_them() -> None:
    url = SentinelUrl("redis+sentinel://u:p@one:1,two,[::1]:3/mymaster/4?client_name=x")
    client = url.connect({"socket_timeout": 0.2})

    pool: Any = client.connection_pool
    assert url.sentinels == [("one", 1), ("two", 26379), ("::1", 3)]
    assert pool.service_name == "mymaster"
    assert pool.connection_kwargs["db"] == 4
    assert pool.connection_kwargs["password"] == "p"
    assert pool.connection_kwargs["client_name"] == "x"


def test_sentinels_have_a_login_and_a_deadline_of_their_own() -> None:
    given = "?sentinel_username=watch&sentinel_password=s%40&ssl_ca_certs=/ca.pem"
    client = connect(f"rediss+sentinel://u:p@one,two/mymaster{given}", 0.3)

    pool: Any = client.connection_pool
    watcher = pool.sentinel_manager.sentinels[0].connection_pool
    asked = watcher.make_connection()
    assert (asked.username, asked.password) == ("watch", "s@")
    assert type(asked).__name__ == "SSLConnection"
    assert asked.ca_certs == "/ca.pem"
    assert asked.socket_timeout == 0.3
    assert asked.retry.get_retries() == 0
    assert pool.connection_kwargs["username"] == "u"


@pytest.mark.parametrize(
    "url",
    [
        "http://host",
        "host:6379",
        "redis://host:port/0",
        "redis://host/zero",
        "redis+sentinel://host:1/mymaster/zero",
        "redis://:secr/et@host/0",
        "redis+sentinel://host:1",
        "redis+sentinel:///mymaster",
        "redis://user:secret@host/0?socket_timeout=soon",
        "redis://user:secret@host/0?sockettimeout=1",
    ],
)
def test_a_wrong_url_is_told_without_its_password(url: str) -> None:
    with pytest.raises(InvalidOptionError, match="option 'url' of ext:redis") as raised:
        connect(url, 0.2)

    told = f"{raised.value}{raised.value.__cause__}"
    assert "secr" not in told


def test_a_misspelt_word_of_the_query_is_named() -> None:
    with pytest.raises(InvalidOptionError, match="'sockettimeout'"):
        connect(URL + "?sockettimeout=1", 0.2)


@pytest.mark.parametrize("urls", ["redis://h/1", "unix:///x", "redis://h:a", "h:1,h:2"])
def test_a_wrong_url_of_a_cluster_is_told(urls: str) -> None:
    store = RedisClusterNamespaceManager("namespace", urls)

    with pytest.raises(InvalidOptionError, match="option 'url' of ext:redis"):
        store.fetch("key")


@pytest.mark.parametrize(
    ("url", "shown"),
    [
        ("redis://host:1/2", "redis://host:1/2"),
        ("host:1", "host:1"),
        ("redis://user:secret@host:1/2?x=secret", "redis://host:1/2"),
        ("redis://:s@cr@t@host/2", "redis://host/2"),
        ("redis://secret@host/2", "redis://host/2"),
        ("redis://:se/cret@host/2", "redis://..."),
        ("redis://:se?cret@host/2", "redis://..."),
        ("unix:///run/x.sock?password=secret", "unix:///run/x.sock"),
        ("redis+sentinel://:s,t@a:1,b:2/m/0", "redis+sentinel://a:1,b:2/m/0"),
        ("redis://:secret@a:1,redis://:secret@b:2", "redis://a:1,redis://b:2"),
    ],
)
def test_a_place_shows_no_password(url: str, shown: str) -> None:
    assert without_password(url) == shown


def test_a_store_names_its_place() -> None:
    url = "redis://user:secret@host:1/2"

    assert RedisNamespaceManager("x", url).place() == "ext:redis at redis://host:1/2"
    given = RedisNamespaceManager("x", Redis(host="host", port=1, password="secret"))
    assert given.place() == "ext:redis at host:1"


@pytest.mark.parametrize("url", [None, ""])
@pytest.mark.parametrize("kind", [RedisNamespaceManager, RedisClusterNamespaceManager])
def test_a_missing_url_is_told_with_an_example(
    kind: type[RedisNamespaceManager], url: str | None
) -> None:
    with pytest.raises((MissingCacheParameter, InvalidOptionError), match="'url'"):
        kind("namespace", url)


@pytest.mark.parametrize("url", ["http://host", 6379, object])
def test_a_wrong_url_is_told_when_the_store_is_opened(url: Any) -> None:
    with pytest.raises(InvalidOptionError, match="option 'url' of ext:redis"):
        RedisNamespaceManager("namespace", url)


def test_a_wrong_option_is_told() -> None:
    with pytest.raises(InvalidOptionError, match="'store_timeout'"):
        RedisNamespaceManager("namespace", URL, store_timeout="soon")


def test_a_given_client_is_used_and_left_open(redis_url: str, prefix: str) -> None:
    with Redis.from_url(redis_url) as mine:
        store = RedisNamespaceManager("namespace", mine, prefix=prefix)
        store.store("key", b"data", 60)
        store.drop()
        del store

        assert mine.ping()


def test_a_given_client_that_decodes_does_no_harm(redis_url: str, prefix: str) -> None:
    with Redis.from_url(redis_url, decode_responses=True) as mine:
        store = RedisNamespaceManager("namespace", mine, prefix=prefix)
        data = b"\xff\xfe\0"
        store.store("key", data, 60)
        lease = store.lease("key")
        lease.acquire()

        assert store.fetch("key") == data
        assert lease.found == data
        assert store.fetch_many(["key"]) == {"key": data}
        assert store.replace("key", data, b"\xff", 60)
        assert list(store.keys()) == ["key"]
        assert store.fetch_accessed("key") == (b"\xff", None)
        lease.release()


def test_a_client_that_is_less_patient_than_a_waiter_will_do(
    open_namespace: OpenNamespace, redis_url: str, prefix: str
) -> None:
    holder = open_namespace().lease("key")
    holder.acquire()
    with Redis.from_url(redis_url, socket_timeout=0.05) as mine:
        waiter = RedisNamespaceManager("namespace", mine, prefix=prefix).lease("key")
        with thread(waiter.acquire) as waiting:
            waiting.join(0.3)
            has_waited = waiting.is_alive()
            holder.release()
        waiter.release()

    assert has_waited


def test_who_finds_no_connection_free_waits_for_one(
    redis_url: str, prefix: str, raw: Redis
) -> None:
    url = f"{redis_url}?max_connections=2&client_name=few"
    store = RedisNamespaceManager("namespace", url, prefix=prefix)

    def ask(number: int) -> None:
        for turn in range(50):
            store.store(f"key {number}", b"%d" % turn, 60)
            assert store.fetch(f"key {number}") == b"%d" % turn
            assert f"key {number}" in store.keys()  # noqa: SIM118 - no dictionary's

    with ThreadPoolExecutor(8) as threads:
        list(threads.map(ask, range(8)))

    assert sum(one["name"] == "few" for one in raw.client_list()) <= 2


def test_that_all_connections_of_a_client_are_in_use_is_no_outage(
    redis_url: str, prefix: str
) -> None:
    with Redis.from_url(redis_url, max_connections=1) as mine:
        cache = Cache("namespace", type="ext:redis", url=mine, prefix=prefix)
        cache.put("key", "value")
        in_use = mine.connection_pool.get_connection()

        with pytest.raises(StoreRefusedError, match="max_connections"):
            cache.get("key")
        mine.connection_pool.release(in_use)
        assert cache.get("key") == "value"


class OneForCommands(Redis):
    """A client that has no connection left to block, as if others waited on them."""

    asked = 0

    def execute_command(self, *command: Any, **options: Any) -> Any:
        """Send what the server answers at once."""
        if command[0] == "BLPOP":
            raise MaxConnectionsError("Too many connections")
        self.asked += 1
        return super().execute_command(*command, **options)  # type: ignore[no-untyped-call]  # redis-py has no types for it


def test_a_waiter_without_a_connection_to_block_asks_from_time_to_time(
    open_namespace: OpenNamespace, redis_url: str, prefix: str
) -> None:
    holder = open_namespace().lease("key")
    holder.acquire()
    with OneForCommands.from_url(redis_url) as mine:
        waiter = RedisNamespaceManager("namespace", mine, prefix=prefix).lease("key")
        with thread(waiter.acquire) as waiting:
            waiting.join(0.3)
            asked, has_waited = mine.asked, waiting.is_alive()
            holder.release()
        waiter.release()

    assert has_waited
    # Twice each 10 to 25 ms.
    assert asked < 100


@pytest.mark.parametrize("query", ["", "?protocol=3", "?decode_responses=true"])
def test_records_are_bytes_whatever_the_query_says(redis_url: str, query: str) -> None:
    store = RedisNamespaceManager("query", f"{redis_url}{query}")
    data = bytes(range(256)) * 1000

    store.store_many({"key": data, "empty": b""}, 60)

    assert store.fetch("key") == data
    assert store.fetch_many(["key", "empty", "none"]) == {"key": data, "empty": b""}
    assert store.replace("key", data, b"new", 60)
    assert set(store.keys()) == {"key", "empty"}
    store.drop()


def test_a_child_makes_its_own_client(open_namespace: OpenNamespace) -> None:
    store = open_namespace()
    mine = store.client

    child = fork(lambda: store.client is not mine)

    assert wait_for([child])
    assert store.client is mine


@pytest.mark.parametrize("kind", ["plain", "cluster"])
def test_the_lock_of_1x_is_held_by_one(
    kind: str, redis_url: str, redis_cluster_url: str, prefix: str
) -> None:
    def opened() -> RedisSynchronizer:
        if kind == "plain":
            return RedisSynchronizer(prefix, redis_url)
        return RedisClusterSynchronizer(prefix, redis_cluster_url)

    mine, theirs = opened(), opened()

    assert mine.acquire_write_lock()
    assert mine.acquire_write_lock()
    assert not theirs.acquire_write_lock(wait=False)
    assert not theirs.acquire_read_lock(wait=False)
    mine.release_write_lock()
    assert not theirs.acquire_write_lock(wait=False)
    mine.release_write_lock()
    assert theirs.acquire_read_lock(wait=False)
    assert not mine.acquire_read_lock(wait=False)
    theirs.release_read_lock()


def test_a_login_of_a_cluster_is_put_into_its_first_url() -> None:
    store = RedisClusterNamespaceManager(
        "namespace", "redis://a:1,redis://b:2", username="me", password="s@,/"
    )

    assert store._server.url == "redis://me:s%40%2C%2F@a:1,redis://b:2"
    assert "me" not in store.place()
