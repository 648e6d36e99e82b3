"""What the server is asked, counted by itself, and how often it is waited for."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from beaker.testing import Server
from beaker_memcached import MemcachedNamespaceManager
from tests.memcached.conftest import raw_client, statistics

Store = MemcachedNamespaceManager
Operation = Callable[[Store], object]


class CountingSocket:
    """Counts how often somebody waits for an answer after having sent something."""

    def __init__(self, inner: Any) -> None:
        self._inner, self.trips, self._has_sent = inner, 0, False

    def sendall(self, data: bytes) -> None:
        self._has_sent = True
        self._inner.sendall(data)

    def recv(self, size: int) -> bytes:
        self.trips += self._has_sent
        self._has_sent = False
        answer: bytes = self._inner.recv(size)
        return answer

    def __getattr__(self, name: str) -> Any:
        return getattr(self._inner, name)


@pytest.fixture
def store(memcached_server: Server) -> Store:
    store = Store("namespace", memcached_server.url)
    store.store("warm", b"", 60)
    return store


@pytest.fixture
def session(memcached_server: Server) -> Store:
    return Store("id", memcached_server.url, purpose="session")


def round_trips(store: Store, act: Operation) -> int:
    """Return how many answers an operation waits for."""
    store.ping()
    client: Any = store._servers[0]
    (connection,) = client._pool._idle
    if not isinstance(connection.sock, CountingSocket):
        connection.sock = CountingSocket(connection.sock)
    connection.sock.trips = 0
    act(store)
    assert list(client._pool._idle) == [connection]
    trips: int = connection.sock.trips
    return trips


def counted(server: Server, act: Callable[[], object]) -> dict[str, int]:
    """Return what the server counts meanwhile, without zeros."""
    before = statistics(server.url)
    act()
    after = statistics(server.url)
    return {name: n - before[name] for name, n in after.items() if n != before[name]}


def test_a_hit_is_one_question_for_two_names(
    store: Store, memcached_server: Server
) -> None:
    store.store("key", b"data", 60)

    asked = counted(memcached_server, lambda: store.fetch("key"))

    assert asked == {"cmd_get": 2, "get_hits": 2}
    assert round_trips(store, lambda store: store.fetch("key")) == 1


def test_a_miss_and_its_creation_are_three_round_trips(store: Store) -> None:
    def create(store: Store) -> None:
        assert store.fetch("key") is None
        lease = store.lease("key")
        assert lease.acquire()
        assert lease.found is None
        assert store.fill("key", b"data", 60, lease)
        lease.release()

    assert round_trips(store, create) == 3
    assert store.fetch("key") == b"data"


def test_a_stale_record_is_made_anew_in_four(store: Store) -> None:
    store.store("key", b"stale", 60)

    def create(store: Store) -> None:
        assert store.fetch("key") == b"stale"
        lease = store.lease("key")
        assert lease.acquire()
        assert lease.found == b"stale"
        assert store.fetch("key") == b"stale"
        assert store.fill("key", b"data", 60, lease)

    # And one for what the others are served meanwhile.
    assert round_trips(store, create) == 5


@pytest.mark.parametrize(
    ("operation", "trips"),
    [
        (lambda store: store.fetch("key"), 1),
        (lambda store: store.fetch_many(["a", "b", "c"]), 1),
        (lambda store: store.fetch_accessed("key"), 1),
        (lambda store: store.store("key", b"data", 60), 1),
        (lambda store: store.store_many({"a": b"1", "b": b"2"}, 60), 1),
        (lambda store: store.discard("key"), 2),
        (lambda store: store.discard_many(["a", "b", "c"]), 2),
        (lambda store: store.replace("key", None, b"data", 60), 2),
        (lambda store: store.drop(), 1),
        (lambda store: store.ping(), 1),
    ],
)
def test_an_operation_takes_so_many_round_trips(
    store: Store, operation: Operation, trips: int
) -> None:
    assert round_trips(store, operation) == trips


@pytest.mark.parametrize("has_read", [True, False])
def test_storing_takes_one_more_where_nothing_was_read(
    memcached_server: Server, has_read: bool
) -> None:
    Store("namespace", memcached_server.url).store("warm", b"", 60)
    store = Store("namespace", memcached_server.url)
    if has_read:
        store.fetch("key")

    trips = round_trips(store, lambda store: store.store("key", b"data", 60))

    assert trips == (1 if has_read else 2)


def test_storing_where_others_have_dropped_meanwhile_is_seen(
    store: Store, memcached_server: Server
) -> None:
    store.fetch("warm")
    other = Store("namespace", memcached_server.url)
    other.drop()

    store.store("key", b"data", 60)

    assert other.fetch("key") == b"data"
    assert other.fetch("warm") is None


def test_a_session_is_read_and_saved_in_one_round_trip_each(session: Store) -> None:
    session.replace("session", None, b"one", 60)

    assert round_trips(session, lambda store: store.fetch_accessed("session")) == 1
    assert (
        round_trips(session, lambda store: store.replace("session", b"one", b"2", 60))
        == 1
    )
    assert session.fetch("session") == b"2"
    assert round_trips(session, lambda store: store.touch("session", 60, 1.0)) == 2


def test_dropping_costs_the_same_whatever_is_there(
    store: Store, memcached_server: Server
) -> None:
    alone = counted(memcached_server, store.drop)
    store.store_many({f"key {number}": b"data" for number in range(3000)}, 60)
    raw = raw_client(memcached_server.url)
    raw.set_many({f"stranger {n}".replace(" ", "-"): b"data" for n in range(3000)})

    crowded = counted(memcached_server, store.drop)

    assert crowded == alone == {"delete_hits": 1}
    assert store.fetch_many(f"key {number}" for number in range(3000)) == {}
    assert raw.get("stranger-2999") == b"data"
    assert int(raw.stats()[b"cmd_flush"]) == 0
    raw.close()
