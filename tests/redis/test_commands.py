"""What the server is asked, counted: round trips by a client, commands by itself."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from typing import Any

import pytest
from redis import Redis

from beaker.testing import Server, wait_until
from beaker_redis import RedisNamespaceManager


class CountingClient:
    """A client that a user might pass in, and that notes what it is asked."""

    def __init__(self, url: str) -> None:
        self._client: Any = Redis.from_url(url)
        self.asked: list[str] = []

    def execute_command(self, *args: Any, **options: Any) -> Any:
        self.asked.append(args[0])
        return self._client.execute_command(*args, **options)

    def close(self) -> None:
        self._client.close()


@pytest.fixture
def client(redis_server: Server) -> CountingClient:
    return CountingClient(redis_server.url)


@pytest.fixture
def store(client: CountingClient) -> RedisNamespaceManager:
    # Once through all scripts, so that the server knows them.
    store = RedisNamespaceManager("namespace", client)
    lease = store.lease("warm")
    lease.acquire()
    store.fill("warm", b"", 60, lease)
    store.replace("warm", b"", b"", 60)
    store.store("warm", b"", 60)
    store.touch("warm", 60, 1.0)
    store.discard("warm")
    store.purge()
    store.drop()
    client.asked.clear()
    return store


def commands_of(server: Server, act: Callable[[], object]) -> Counter[str]:
    """Return how often the server ran each command meanwhile, in scripts too."""
    with Redis.from_url(server.url) as admin:
        admin.config_resetstat()
        act()
        stats = admin.info("commandstats")
    calls = {
        name.removeprefix("cmdstat_"): each["calls"] for name, each in stats.items()
    }
    return Counter(
        {name: count for name, count in calls.items() if not name.startswith("config")}
    )


def test_a_hit_is_one_get_and_nothing_else(
    store: RedisNamespaceManager, redis_server: Server
) -> None:
    store.store("key", b"data", 60)

    ran = commands_of(redis_server, lambda: [store.fetch("key") for _ in range(50)])

    assert ran == {"get": 50}


def test_a_miss_and_its_creation_are_three_round_trips(
    store: RedisNamespaceManager, client: CountingClient
) -> None:
    assert store.fetch("key") is None
    lease = store.lease("key")
    assert lease.acquire()
    assert lease.found is None
    assert store.fill("key", b"data", 60, lease)
    lease.release()

    assert client.asked == ["GET", "EVALSHA", "EVALSHA"]


def test_a_lease_tells_what_was_stored_meanwhile(
    store: RedisNamespaceManager,
) -> None:
    store.store("key", b"data", 60)
    lease = store.lease("key")
    lease.acquire()

    assert lease.found == b"data"
    lease.release()


@pytest.mark.parametrize(
    "operation",
    [
        lambda store: store.store("key", b"data", 60),
        lambda store: store.store_many({"a": b"1", "b": b"2"}, 60),
        lambda store: store.fetch_many(["a", "b", "c"]),
        lambda store: store.discard("key"),
        lambda store: store.discard_many(["a", "b", "c"]),
        lambda store: store.replace("key", None, b"data", 60),
        lambda store: store.touch("key", 60, 1.0),
        lambda store: store.fetch_accessed("key"),
        lambda store: store.size(),
        lambda store: store.purge(),
        lambda store: store.ping(),
        lambda store: store.drop(),
    ],
)
def test_an_operation_is_one_round_trip(
    store: RedisNamespaceManager,
    client: CountingClient,
    operation: Callable[[RedisNamespaceManager], object],
) -> None:
    operation(store)

    assert len(client.asked) == 1


def test_opening_namespaces_asks_nothing(client: CountingClient) -> None:
    for number in range(10):
        RedisNamespaceManager(f"namespace {number}", client)

    assert client.asked == []


def test_dropping_costs_the_same_whatever_else_is_on_the_server(
    store: RedisNamespaceManager, redis_server: Server
) -> None:
    records = {f"key {number}": b"data" for number in range(1200)}
    store.store_many(records, 60)
    alone = commands_of(redis_server, store.drop)

    RedisNamespaceManager("namespace:neighbour", redis_server.url).store_many(
        {f"key {number}": b"data" for number in range(10_000)}, 60
    )
    with Redis.from_url(redis_server.url) as raw:
        raw.mset({f"beaker_cache:2:stranger:{n}": b"" for n in range(10_000)})
        store.store_many(records, 60)
        crowded = commands_of(redis_server, store.drop)

        assert raw.dbsize() == 20_001

    assert crowded == alone
    assert set(crowded) == {"evalsha", "zrange", "zcard", "del", "zremrangebyrank"}
    assert crowded["evalsha"] == 3


def test_no_operation_looks_at_all_keys_of_the_server(
    store: RedisNamespaceManager, redis_server: Server
) -> None:
    def everything() -> None:
        store.store_many({"a": b"1", "b": b"2"}, 60)
        store.fetch_many(["a", "b"])
        list(store.keys())
        store.size()
        store.purge()
        store.discard("a")
        store.drop()

    ran = commands_of(redis_server, everything)

    assert not set(ran) & {"keys", "scan", "flushdb", "flushall", "randomkey"}


def test_a_namespace_that_nobody_uses_leaves_nothing_behind(
    store: RedisNamespaceManager, redis_server: Server
) -> None:
    store.store("key", b"data", 60)
    store.touch("key", 60, 1.0)
    lease = store.lease("other")
    lease.acquire()

    with Redis.from_url(redis_server.url) as raw:
        ends = [raw.ttl(name) for name in raw.scan_iter()]

    # The record, its access time, the index and the lease.
    assert len(ends) == 4
    assert all(0 < seconds <= 120 for seconds in ends)
    lease.release()


def test_an_index_stays_as_long_as_its_longest_record(
    store: RedisNamespaceManager, redis_server: Server
) -> None:
    index = b"beaker_cache:2:{9:namespace}"
    with Redis.from_url(redis_server.url) as raw:
        store.store("minute", b"", 60)
        store.store("hour", b"", 3600)
        store.store("second", b"", 1)
        assert raw.ttl(index) >= 3600

        store.store("ever", b"", None)
        store.store("second", b"", 1)
        assert raw.ttl(index) == -1


def test_an_index_holds_no_more_than_what_is_there(
    store: RedisNamespaceManager, redis_server: Server
) -> None:
    with Redis.from_url(redis_server.url) as raw:
        store.store("one", b"", 60)
        store.store_many({f"short {n}": b"" for n in range(100)}, 0.001)
        wait_until(lambda: raw.dbsize() == 2, lambda: "records do not expire")
        store.store("two", b"", 60)

        index = b"beaker_cache:2:{9:namespace}"
        assert set(raw.zrange(index, 0, -1)) == {index + b":one", index + b":two"}


@pytest.mark.parametrize("forget", ["SCRIPT FLUSH", "restart"])
def test_scripts_that_the_server_forgot_are_sent_again(
    store: RedisNamespaceManager, redis_server: Server, forget: str
) -> None:
    if forget == "restart":
        redis_server.kill()
        redis_server.start()
    else:
        with Redis.from_url(redis_server.url) as raw:
            raw.script_flush()

    store.store("key", b"data", 60)

    assert store.fetch("key") == b"data"
