"""A server that is away, comes back, or refuses: what its users are told."""

from __future__ import annotations

import socket
import threading
import time
from collections.abc import Callable
from contextlib import ExitStack
from pathlib import Path

import pytest

from beaker.cache import Cache
from beaker.exceptions import StoreRefusedError, StoreUnavailableError
from beaker.stores import open_store
from beaker.testing import KNOWN, Server, wait_until
from beaker.testing._processes import interrupted, thread
from beaker_memcached import MemcachedNamespaceManager
from tests.memcached.conftest import OpenNamespace

Store = MemcachedNamespaceManager

# Where it cannot connect, python-memcached leaves its socket to the collector.
pytestmark = [
    pytest.mark.filterwarnings("ignore:unclosed:ResourceWarning"),
    pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning"),
]


def unavailable(act: Callable[[], object]) -> float:
    """Return the seconds until the store says that it is away."""
    began = time.monotonic()
    with pytest.raises(Store.unavailable):
        act()
    return time.monotonic() - began


def test_the_first_call_after_a_restart_succeeds(memcached_server: Server) -> None:
    for module in ("pymemcache", "memcache", "bmemcached"):
        store = Store("namespace", memcached_server.url, memcache_module=module)
        store.store("key", b"data", 60)
        memcached_server.kill()
        memcached_server.start()

        assert store.fetch("key") is None
        store.store("key", b"data", 60)
        assert store.replace("key", b"data", b"new", 60)


def test_one_of_two_servers_that_is_away_is_told(memcached_pair: list[Server]) -> None:
    store = Store("namespace", ";".join(server.url for server in memcached_pair))
    keys = [f"key {number}" for number in range(20)]
    store.store_many(dict.fromkeys(keys, b"data"), 60)
    memcached_pair[0].kill()

    def outcome(key: str) -> str:
        try:
            return repr(store.fetch(key))
        except Store.unavailable:
            return "away"

    # None moves to the other server, where it would be old when this one is back.
    assert {outcome(key) for key in keys} == {"b'data'", "away"}
    unavailable(store.ping)
    unavailable(store.drop)

    memcached_pair[0].start()
    store.ping()
    assert {outcome(key) for key in keys} == {"b'data'", "None"}


def test_the_core_leaves_it_alone_and_finds_it_again(memcached_server: Server) -> None:
    cache = Cache("namespace", type="ext:memcached", url=memcached_server.url)
    cache.put("key", "value")
    memcached_server.kill()

    assert cache.get("key", createfunc=lambda: "made") == "made"
    with pytest.raises(StoreUnavailableError, match=memcached_server.url):
        cache.put("key", "value")

    memcached_server.start()
    began = time.monotonic()
    wait_until(lambda: not is_away(cache), lambda: "it does not come back", 5)
    assert time.monotonic() - began < 1.5


def is_away(cache: Cache) -> bool:
    try:
        cache.put("key", "value")
    except StoreUnavailableError:
        return True
    return False


def test_a_value_over_the_limit_is_refused_and_the_cached_function_returns_it(
    memcached_url: str, prefix: str, module: str
) -> None:
    cache = Cache(
        "namespace",
        type="ext:memcached",
        url=memcached_url,
        prefix=prefix,
        memcache_module=module,
    )
    large = "x" * 2_000_000

    with pytest.raises(StoreRefusedError, match="larger item limit"):
        cache.put("put", large)
    assert cache.get("made", createfunc=lambda: large) == large

    assert "made" not in cache
    cache.put("put", "small")
    assert cache["put"] == "small"


def test_a_session_over_the_limit_is_refused(
    open_namespace: OpenNamespace, module: str
) -> None:
    session = open_namespace("id", purpose="session", memcache_module=module)
    large = b"x" * 2_000_000

    with pytest.raises(StoreRefusedError, match="larger item limit"):
        session.replace("session", None, large, 60)
    session.replace("session", None, b"small", 60)
    with pytest.raises(StoreRefusedError, match="larger item limit"):
        session.replace("session", b"small", large, 60)

    # By the binary protocol, the server removes what was there before.
    left = None if module == "bmemcached" else b"small"
    assert session.fetch("session") == left


def test_what_is_not_memcached_is_refused() -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:

        def answer() -> None:
            connection, _ = listener.accept()
            with connection:
                connection.recv(1000)
                connection.sendall(b"HTTP/1.1 400 Bad Request\r\n\r\n")

        store = Store("namespace", f"127.0.0.1:{listener.getsockname()[1]}")
        with thread(answer), pytest.raises(StoreRefusedError, match="to a memcached"):
            store.fetch("key")


def test_a_server_with_too_many_connections_is_refused(tmp_path: Path) -> None:
    few = ("--conn-limit", "64")
    with Server(KNOWN["memcached"], tmp_path, *few) as server, ExitStack() as stack:
        address = "127.0.0.1", server.port
        for _ in range(64):
            stack.enter_context(socket.create_connection(address))
        store = Store("namespace", server.url)

        with pytest.raises(StoreRefusedError, match=r"higher limit of them \(-c\)"):
            store.fetch("key")


def test_an_interrupted_call_leaves_no_answer_to_others(
    memcached_server: Server,
) -> None:
    store = Store("namespace", memcached_server.url, store_timeout=5)
    store.store_many({"one": b"1", "two": b"2"}, 60)
    memcached_server.freeze()
    threading.Timer(0.3, memcached_server.thaw).start()

    with interrupted(0.1, KeyboardInterrupt), pytest.raises(KeyboardInterrupt):
        store.fetch("one")

    assert store.fetch("two") == b"2"


def test_the_store_and_its_place_are_named(memcached_server: Server) -> None:
    memcached_server.kill()
    given = {"url": memcached_server.url}
    store = open_store(MemcachedNamespaceManager, "namespace", given, "cache")

    with pytest.raises(StoreUnavailableError) as raised:
        store.fetch("key")

    assert f"ext:memcached at {memcached_server.url}" in str(raised.value)
    assert KNOWN["memcached"].program == "memcached"
