"""A server that is away, comes back, or refuses: what its users are told."""

from __future__ import annotations

import shutil
import socket
import subprocess
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from beaker.cache import Cache
from beaker.exceptions import StoreRefusedError, StoreUnavailableError
from beaker.stores import open_store
from beaker.testing import MongoServer
from beaker.testing._processes import program, thread
from beaker.testing._servers import free_port, lacks
from beaker_mongodb import MongoNamespaceManager
from beaker_mongodb.records import LARGEST
from tests.mongodb.conftest import connected

pytestmark = pytest.mark.mongodb

Store = MongoNamespaceManager


def unavailable(act: Callable[[], object]) -> float:
    """Return the seconds until the store says that it is away."""
    began = time.monotonic()
    with pytest.raises(MongoNamespaceManager.unavailable):
        act()
    return time.monotonic() - began


def test_the_first_call_after_a_restart_succeeds(mongodb_server: MongoServer) -> None:
    store = Store("namespace", mongodb_server.url, store_timeout=1)
    store.store("key", b"0", 60)
    for number, restart in enumerate((mongodb_server.stop, mongodb_server.kill)):
        restart()
        mongodb_server.start()

        # It is durable.
        assert store.fetch("key") == b"%d" % number
        assert store.replace("key", b"%d" % number, b"%d" % (number + 1), 60)

        restart()
        mongodb_server.start()
        store.store("other", b"data", 60)


def test_many_threads_go_on_after_a_restart(mongodb_server: MongoServer) -> None:
    store = Store("namespace", mongodb_server.url, store_timeout=5)
    store.store("key", b"data", 60)
    mongodb_server.kill()
    mongodb_server.start()

    with ThreadPoolExecutor(16) as threads:
        found = list(threads.map(store.fetch, ["key"] * 200))

    assert found == [b"data"] * 200


def test_names_that_are_not_to_be_had_are_no_wrong_url() -> None:
    url = "mongodb+srv://me:secret@nowhere.shop.invalid/beaker"

    assert unavailable(lambda: Store("namespace", url).fetch("key")) < 5


def test_a_waiter_learns_that_the_server_is_gone(mongodb_server: MongoServer) -> None:
    holder = Store("namespace", mongodb_server.url, store_timeout=0.1).lease("key")
    holder.acquire()
    waiter = Store("namespace", mongodb_server.url).lease("key")
    seconds: list[float] = []
    with thread(lambda: seconds.append(unavailable(waiter.acquire))):
        time.sleep(0.2)
        mongodb_server.kill()

    assert seconds
    holder.release()


def test_the_core_says_which_store_is_away(mongodb_server: MongoServer) -> None:
    url = mongodb_server.url.replace("mongodb://", "mongodb://me:secret@")
    mongodb_server.kill()
    store = open_store(MongoNamespaceManager, "namespace", {"url": url}, "cache")

    with pytest.raises(StoreUnavailableError) as raised:
        store.fetch("key")

    assert f"ext:mongodb at {mongodb_server.url}" in str(raised.value)
    assert "secret" not in str(raised.value)


def test_a_cache_goes_on_without_it_and_with_it_again(
    mongodb_server: MongoServer,
) -> None:
    url = mongodb_server.url
    cache = Cache("namespace", type="ext:mongodb", url=url, store_timeout=2)
    assert cache.get("key", createfunc=lambda: 1) == 1
    mongodb_server.kill()

    began = time.monotonic()
    assert cache.get("key", createfunc=lambda: 2) == 2
    first = time.monotonic() - began
    began = time.monotonic()
    assert cache.get("key", createfunc=lambda: 3) == 3
    second = time.monotonic() - began
    mongodb_server.start()
    is_back = time.monotonic()
    while cache.get("key", createfunc=lambda: 4) != 1:
        assert time.monotonic() < is_back + 5
        time.sleep(0.01)

    # The first waits for an answer at most, the second for nothing.
    assert first < 4
    assert second < 1


def test_a_program_ends_at_once_though_its_server_is_gone(
    mongodb_server: MongoServer,
) -> None:
    ends = "import sys; from beaker_mongodb import MongoNamespaceManager as M; "
    ends += "M('n', sys.argv[1], store_timeout=20).store('key', b'data', 60); "
    ends += "print('ready', flush=True); sys.stdin.readline()"
    with program(ends, mongodb_server.url) as ending:
        mongodb_server.kill()
        time.sleep(0.2)
        assert ending.stdin is not None
        began = time.monotonic()
        ending.stdin.write("\n")
        ending.stdin.flush()
        ending.wait(15)

    assert time.monotonic() - began < 2


@pytest.fixture
def guarded(tmp_path: Path) -> Iterator[MongoServer]:
    """A server that knows its users: one for everything, and one for little."""
    with MongoServer(tmp_path / "guarded", "--auth") as server:
        with connected(server.url) as admin:
            create = {"createUser": "root", "pwd": "secret", "roles": ["root"]}
            admin["admin"].command(create)
        root = server.url.replace("//", "//root:secret@") + "?authSource=admin"
        with connected(root) as admin:
            known = admin.get_default_database()
            for name, role in (("poor", "read"), ("shop", "readWrite")):
                known.command({"createUser": name, "pwd": "word", "roles": [role]})
        yield server


@pytest.mark.parametrize(
    ("login", "says"),
    [
        ("", "grant its user the role readWrite"),
        ("root:wrong@", "check user and password in the option 'url'.*authSource"),
        ("nobody:secret@", "check user and password in the option 'url'"),
        ("poor:word@", "grant its user the role readWrite"),
    ],
)
def test_a_refusal_says_what_helps(guarded: MongoServer, login: str, says: str) -> None:
    url = guarded.url.replace("//", f"//{login}")
    given = {"url": url, "store_timeout": 2}
    store = open_store(MongoNamespaceManager, "namespace", given, "cache")

    with pytest.raises(StoreRefusedError, match=says) as raised:
        store.store("key", b"", 60)

    assert f"ext:mongodb at {guarded.url}" in str(raised.value)
    assert "word@" not in str(raised.value)
    assert "secret" not in str(raised.value)


def test_a_user_needs_the_role_that_the_readme_names(guarded: MongoServer) -> None:
    url = guarded.url.replace("//", "//shop:word@")
    store = Store("name", url, store_timeout=2)
    session = Store("id", url, purpose="session", store_timeout=2)

    store.store_many({"a": b"1", "b": b"2"}, 60)
    assert store.touch("a", None, 1.0)
    assert store.replace("a", b"1", b"3", 60)
    assert set(store.keys()) == {"a", "b"}
    assert store.size() == 2
    assert store.purge() == 0
    lease = store.lease("key")
    lease.acquire()
    assert store.fill("key", b"data", 60, lease)
    store.drop()
    store.ping()
    assert session.replace("session", None, b"data", 60)
    assert session.fetch_accessed("session")
    assert session.discard("session")
    assert list(session.purge_sessions(60))


def test_an_index_that_is_in_the_way_is_told(mongodb_server: MongoServer) -> None:
    with connected(mongodb_server.url) as raw:
        raw.get_default_database()["beaker_cache"].create_index("expires")
    store = Store("namespace", mongodb_server.url)

    with pytest.raises(StoreRefusedError, match="drop the index"):
        store.store("key", b"data", 60)


def test_a_cached_function_returns_what_is_too_large_to_keep(mongodb_url: str) -> None:
    cache = Cache("large", type="ext:mongodb", url=mongodb_url)

    made = cache.get("key", createfunc=lambda: b"x" * (LARGEST + 1))

    assert len(made) == LARGEST + 1
    with pytest.raises(StoreRefusedError, match="keep less under one key"):
        cache.put("key", made)


@pytest.fixture
def by_tls(tmp_path: Path) -> Iterator[tuple[MongoServer, Path]]:
    """A server that speaks TLS only, and the certificate that it shows."""
    if shutil.which("openssl") is None:
        lacks("openssl", "apt-get install openssl")
    certificate, both = tmp_path / "certificate.pem", tmp_path / "both.pem"
    make = (
        f"openssl req -x509 -newkey rsa:2048 -nodes -days 2 -subj /CN=localhost "
        f"-addext subjectAltName=IP:127.0.0.1 -keyout {both} -out {certificate}"
    )
    subprocess.run(make.split(), check=True, capture_output=True)  # noqa: S603  # ours
    both.write_text(both.read_text() + certificate.read_text())
    options = f"--tlsMode requireTLS --tlsCertificateKeyFile {both} --tlsCAFile"
    more = (
        *options.split(),
        str(certificate),
        "--tlsAllowConnectionsWithoutCertificates",
    )
    with MongoServer(tmp_path / "tls", *more) as server:
        yield server, certificate


def test_tls_works_with_a_certificate_that_is_trusted(
    by_tls: tuple[MongoServer, Path],
) -> None:
    server, certificate = by_tls
    url = f"{server.url}?tls=true&tlsCAFile={certificate}"
    store = Store("namespace", url, store_timeout=2)

    store.store("key", b"data", 60)

    assert store.fetch("key") == b"data"


def test_a_certificate_that_nobody_vouches_for_is_refused(
    by_tls: tuple[MongoServer, Path],
) -> None:
    store = Store("namespace", f"{by_tls[0].url}?tls=true", store_timeout=2)

    with pytest.raises(StoreRefusedError, match="check tlsCAFile"):
        store.fetch("key")


def test_what_is_not_mongodb_is_away() -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
        store = Store("namespace", f"mongodb://127.0.0.1:{port}/beaker")

        assert unavailable(lambda: store.fetch("key")) < 1


def test_a_port_without_a_server_is_told_at_once() -> None:
    store = Store("namespace", f"mongodb://127.0.0.1:{free_port()}/b", store_timeout=5)

    assert unavailable(lambda: store.fetch("key")) < 2
