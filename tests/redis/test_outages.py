"""A server that is away, comes back, or refuses: what its users are told."""

from __future__ import annotations

import shutil
import socket
import subprocess
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from redis import Redis

from beaker.exceptions import StoreRefusedError, StoreUnavailableError
from beaker.stores import open_store
from beaker.testing import KNOWN, Server, wait_until
from beaker.testing._processes import interrupted, thread
from beaker.testing._servers import free_port, lacks
from beaker_redis import RedisClusterNamespaceManager, RedisNamespaceManager

pytestmark = pytest.mark.redis

Store = RedisNamespaceManager


def unavailable(act: Callable[[], object]) -> float:
    """Return the seconds until the store says that it is away."""
    began = time.monotonic()
    with pytest.raises(RedisNamespaceManager.unavailable):
        act()
    return time.monotonic() - began


def test_the_first_call_after_a_restart_succeeds(redis_server: Server) -> None:
    store = Store("namespace", redis_server.url)
    store.store("key", b"data", 60)
    for restart in (redis_server.stop, redis_server.kill):
        restart()
        redis_server.start()

        assert store.fetch("key") is None
        store.store("key", b"data", 60)
        assert store.replace("key", b"data", b"new", 60)


def test_an_interrupted_call_leaves_no_answer_to_others(redis_server: Server) -> None:
    store = Store("namespace", redis_server.url, store_timeout=5)
    store.store_many({"one": b"1", "two": b"2"}, 60)
    redis_server.freeze()
    threading.Timer(0.3, redis_server.thaw).start()

    with interrupted(0.1, KeyboardInterrupt), pytest.raises(KeyboardInterrupt):
        store.fetch("one")

    assert store.fetch("two") == b"2"


def test_a_connection_that_the_server_closed_is_not_used_again(
    redis_server: Server,
) -> None:
    store = Store("namespace", redis_server.url)
    with Redis.from_url(redis_server.url) as admin:
        for _ in range(3):
            store.store("key", b"data", 60)
            admin.client_kill_filter(_type="normal", skipme=True)

            assert store.fetch("key") == b"data"


def test_a_refusal_costs_no_connection(redis_server: Server) -> None:
    store = Store("namespace", redis_server.url)
    store.store("key", b"data", 60)
    with Redis.from_url(redis_server.url) as admin:
        before = admin.info("stats")["total_connections_received"]
        admin.rpush(store._record("list"), "item")

        for _ in range(5):
            with pytest.raises(StoreRefusedError):
                store.fetch("list")

        assert admin.info("stats")["total_connections_received"] == before
    assert store.fetch("key") == b"data"


def test_a_waiter_learns_that_the_server_is_gone(redis_server: Server) -> None:
    holder = Store("namespace", redis_server.url, store_timeout=0.1).lease("key")
    holder.acquire()
    waiter = Store("namespace", redis_server.url).lease("key")
    seconds: list[float] = []
    with thread(lambda: seconds.append(unavailable(waiter.acquire))):
        with Redis.from_url(redis_server.url) as raw:
            wait_until(
                lambda: raw.info("clients")["blocked_clients"] == 1,
                lambda: "nobody waits",
            )
        redis_server.kill()

    assert seconds
    holder.release()


def test_the_core_says_which_store_is_away(redis_server: Server) -> None:
    url = redis_server.url.replace("redis://", "redis://:secret@")
    redis_server.kill()
    store = open_store(RedisNamespaceManager, "namespace", {"url": url}, "cache")

    with pytest.raises(StoreUnavailableError) as raised:
        store.fetch("key")

    assert redis_server.url in str(raised.value)
    assert "secret" not in str(raised.value)


@pytest.fixture
def guarded(tmp_path: Path) -> Iterator[Server]:
    """A server with a password, and a user who may not do much."""
    needs = ("--requirepass", "secret")
    with Server(KNOWN["redis"], tmp_path / "guarded", *needs) as server:
        with Redis.from_url(f"redis://:secret@127.0.0.1:{server.port}") as admin:
            rules = ("on", ">word", "~poor:*", "+get")
            admin.execute_command("ACL", "SETUSER", "poor", *rules)
        yield server


@pytest.mark.parametrize(
    ("login", "path", "says"),
    [
        ("", "0", "check user and password in the option 'url'"),
        (":wrong@", "0", "check user and password in the option 'url'"),
        ("nobody:secret@", "0", "check user and password in the option 'url'"),
        (":secret@", "99", "check the database number in the option 'url'"),
        ("poor:word@", "0", "the commands and keys that the README"),
    ],
)
def test_a_refusal_says_what_helps(
    guarded: Server, login: str, path: str, says: str
) -> None:
    url = f"redis://{login}127.0.0.1:{guarded.port}/{path}"
    store = open_store(RedisNamespaceManager, "namespace", {"url": url}, "cache")

    for act in (lambda: store.fetch("key"), lambda: store.store("key", b"", 60)):
        with pytest.raises(StoreRefusedError, match=says) as raised:
            act()
        assert f"ext:redis at redis://127.0.0.1:{guarded.port}/{path}" in str(
            raised.value
        )
        assert "word@" not in str(raised.value)
        assert "secret" not in str(raised.value)


def test_an_acl_user_needs_what_the_readme_lists(guarded: Server) -> None:
    with Redis.from_url(f"redis://:secret@127.0.0.1:{guarded.port}") as admin:
        rules = listed_in_the_readme().replace("<prefix>", "shop:").split()
        admin.execute_command("ACL", "SETUSER", "shop", "on", ">word", *rules)
    url = f"redis://shop:word@127.0.0.1:{guarded.port}/0"
    store = Store("name", url, prefix="shop:")
    session = Store("id", url, prefix="shop:", purpose="session")

    store.store_many({"a": b"1", "b": b"2"}, 60)
    assert store.touch("a", None, 1.0)
    assert store.touch("b", 60, 1.0)
    assert store.replace("a", b"1", b"3", 60)
    assert store.fetch_many(["a", "b"]) == {"a": b"3", "b": b"2"}
    assert set(store.keys()) == {"a", "b"}
    assert store.size() == 2
    assert store.purge() == 0
    lease = store.lease("key")
    lease.acquire()
    with Redis.from_url(url) as other:
        waiter = Store("name", other, prefix="shop:").lease("key")
        with thread(waiter.acquire) as waiting:
            waiting.join(0.2)
            assert store.fill("key", b"data", 60, lease)
        waiter.release()
    assert store.discard("a")
    store.drop()
    store.ping()
    assert session.replace("session", None, b"data", 60)
    assert session.touch("session", 60, 1.0)
    assert session.fetch_accessed("session") == (b"data", 1.0)
    assert session.discard("session")


def listed_in_the_readme() -> str:
    readme = Path(__file__).parents[2] / "packages" / "beaker-redis" / "README.md"
    paragraph = (
        readme.read_text().partition("An ACL user needs")[2].partition("\n\n")[0]
    )
    words = paragraph.replace("`", " ").replace(",", " ").split()
    return " ".join(word.rstrip(".") for word in words if word[0] in "+~")


def test_a_full_server_refuses_and_says_what_helps(redis_server: Server) -> None:
    store = Store("namespace", redis_server.url)
    store.store("key", b"old", 60)
    with Redis.from_url(redis_server.url) as admin:
        admin.config_set("maxmemory", "1mb")

    with pytest.raises(StoreRefusedError, match="maxmemory-policy"):
        store.store("key", b"new" * 1_000_000, 60)
    assert store.fetch("key") == b"old"


def test_a_node_of_a_cluster_is_told_from_a_server(redis_cluster_url: str) -> None:
    store = Store("namespace", redis_cluster_url.partition(",")[0])

    with pytest.raises(StoreRefusedError, match="'ext:rediscluster'"):
        # Some of them are another node's.
        [store.sibling(f"namespace {n}").fetch("key") for n in range(20)]


def test_a_server_is_told_from_a_cluster(redis_url: str) -> None:
    nodes = redis_url.removesuffix("/0")
    store = RedisClusterNamespaceManager("namespace", nodes)

    with pytest.raises(StoreRefusedError, match="'ext:redis'"):
        store.fetch("key")


def test_nodes_that_are_away_are_unavailable() -> None:
    store = RedisClusterNamespaceManager(
        "namespace", f"redis://127.0.0.1:{free_port()}"
    )

    unavailable(lambda: store.fetch("key"))


def test_a_former_primary_is_away_until_it_may_write_again(
    redis_server: Server, tmp_path: Path
) -> None:
    store = Store("namespace", redis_server.url)
    store.store("key", b"data", 60)
    with (
        Server(KNOWN["redis"], tmp_path / "primary") as primary,
        Redis.from_url(redis_server.url) as admin,
    ):
        admin.replicaof("127.0.0.1", primary.port)
        unavailable(lambda: store.store("key", b"data", 60))

        admin.replicaof("NO", "ONE")
        store.store("key", b"new", 60)

    assert store.fetch("key") == b"new"


def test_connections_to_a_former_primary_are_not_kept(tmp_path: Path) -> None:
    # A name that leads to another server from now on, as after a failover.
    name = tmp_path / "primary.sock"
    with (
        Server(KNOWN["redis"], tmp_path / "a", "--unixsocket", f"{name}.a") as former,
        Server(KNOWN["redis"], tmp_path / "b", "--unixsocket", f"{name}.b") as present,
        Redis.from_url(former.url) as admin,
    ):
        name.symlink_to(f"{name}.a")
        store = Store("namespace", f"unix://{name}")
        store.store("key", b"data", 60)
        admin.replicaof("127.0.0.1", present.port)
        name.unlink()
        name.symlink_to(f"{name}.b")

        unavailable(lambda: store.store("key", b"data", 60))
        store.store("key", b"new", 60)

        assert Store("namespace", present.url).fetch("key") == b"new"


def test_what_is_not_redis_is_refused() -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:

        def answer() -> None:
            connection, _ = listener.accept()
            with connection:
                connection.recv(1000)
                connection.sendall(b"HTTP/1.1 400 Bad Request\r\n\r\n")

        port = listener.getsockname()[1]
        store = Store("namespace", f"redis://127.0.0.1:{port}/0")
        with thread(answer), pytest.raises(StoreRefusedError, match="host and port"):
            store.fetch("key")


@pytest.fixture
def by_tls(tmp_path: Path) -> Iterator[tuple[Server, Path]]:
    """A server that speaks TLS only, and the certificate that it shows."""
    if shutil.which("openssl") is None:
        lacks("openssl", "apt-get install openssl")
    certificate, key = tmp_path / "certificate.pem", tmp_path / "key.pem"
    make = (
        f"openssl req -x509 -newkey rsa:2048 -nodes -days 2 -subj /CN=localhost "
        f"-addext subjectAltName=IP:127.0.0.1 -keyout {key} -out {certificate}"
    )
    subprocess.run(make.split(), check=True, capture_output=True)  # noqa: S603  # ours
    port = free_port()
    speaks = f"--tls-port {port} --tls-cert-file {certificate} --tls-key-file {key}"
    options = (*speaks.split(), "--tls-auth-clients", "no", "--tls-ca-cert-file")
    recipe = KNOWN["redis"]._replace(url=f"rediss://127.0.0.1:{port}/0")
    with Server(recipe, tmp_path / "tls", *options, str(certificate)) as server:
        yield server, certificate


def test_tls_works_with_a_certificate_that_is_trusted(
    by_tls: tuple[Server, Path],
) -> None:
    server, certificate = by_tls
    store = Store("namespace", f"{server.url}?ssl_ca_certs={certificate}")

    store.store("key", b"data", 60)

    assert store.fetch("key") == b"data"


def test_a_certificate_that_nobody_vouches_for_is_refused(
    by_tls: tuple[Server, Path],
) -> None:
    store = Store("namespace", by_tls[0].url)

    with pytest.raises(StoreRefusedError, match="check ssl_ca_certs"):
        store.fetch("key")


def test_tls_where_there_is_none_is_not_available(redis_url: str) -> None:
    store = Store("namespace", redis_url.replace("redis://", "rediss://"))

    assert unavailable(lambda: store.fetch("key")) < 1
