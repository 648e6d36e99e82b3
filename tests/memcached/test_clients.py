"""Clients: chosen by name, shared by URL, and told where and how to connect."""

from __future__ import annotations

import builtins
import shutil
import subprocess
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

import beaker.ext.memcached as former
from beaker.container import forget_client
from beaker.exceptions import (
    InvalidCacheBackendError,
    InvalidOptionError,
    MissingCacheParameter,
    StoreRefusedError,
)
from beaker.testing import KNOWN, Server, wait_until
from beaker.testing._processes import at_once, fork, thread, wait_for
from beaker.testing._servers import lacks
from beaker.testing._sharing import hasty_threads
from beaker_memcached import MemcachedNamespaceManager
from tests.memcached.conftest import OpenNamespace, connections

Store = MemcachedNamespaceManager
Start = Callable[..., Server]


def reached(store: Store) -> list[Any]:
    """Return where a store's servers are, and how it gets in."""
    return store._servers.reaches


@pytest.mark.parametrize(
    ("url", "servers"),
    [
        ("127.0.0.1:11212", [("127.0.0.1", 11212)]),
        ("one", [("one", 11211)]),
        ("one:1;two:2 ; three;", [("one", 1), ("two", 2), ("three", 11211)]),
        ("[::1]:3;[::1]", [("::1", 3), ("::1", 11211)]),
        ("unix:/run/m.sock;/run/n.sock", [("/run/m.sock", 0), ("/run/n.sock", 0)]),
    ],
)
def test_a_url_names_servers(url: str, servers: list[tuple[str, int]]) -> None:
    assert [(one.host, one.port) for one in reached(Store("x", url))] == servers


@pytest.mark.parametrize(
    "url", ["host:port", "memcached://host", "a:b@c", "host/1", " ; ;", 7]
)
def test_a_wrong_url_is_told(url: Any) -> None:
    with pytest.raises(
        InvalidOptionError, match="option 'url' of ext:memcached takes host:port"
    ):
        Store("namespace", url)


@pytest.mark.parametrize("url", [None, "", " "])
def test_a_missing_url_is_told(url: str | None) -> None:
    with pytest.raises((MissingCacheParameter, InvalidOptionError), match="'url'"):
        Store("namespace", url)


@pytest.mark.parametrize(
    "options",
    [
        {"memcache_module": "cmemcache"},
        {"store_timeout": "soon"},
        {"tls": "perhaps"},
        {"username": "me"},
        {"password": "secret"},
    ],
)
def test_a_wrong_option_is_told(options: dict[str, Any]) -> None:
    with pytest.raises(InvalidOptionError) as raised:
        Store("namespace", "localhost", **options)

    assert "secret" not in str(raised.value)


@pytest.mark.parametrize(
    ("module", "option"),
    [("memcache", "username"), ("memcache", "tls"), ("pylibmc", "tls")],
)
def test_what_a_library_cannot_do_is_told(module: str, option: str) -> None:
    given: dict[str, Any] = {"tls": True}
    if option == "username":
        given = {"username": "me", "password": "it"}
    pytest.importorskip(module)
    store = Store("namespace", "localhost", module, **given)

    with pytest.raises(InvalidOptionError, match=f"option '{option}'"):
        store.fetch("key")


def test_the_first_library_that_is_installed_is_taken(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    assert former._load_client().__name__ == "pymemcache"
    hide(monkeypatch, "pymemcache", "pylibmc")

    assert former._load_client("auto").__name__ == "memcache"


def test_a_library_that_is_not_installed_is_named_with_the_command(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    hide(monkeypatch, "bmemcached")
    store = Store("namespace", "localhost", "bmemcached")

    with pytest.raises(InvalidCacheBackendError, match="python-binary-memcached"):
        store.fetch("key")


def test_what_a_library_lacks_itself_is_passed_on(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def lacking(_name: str) -> ModuleType:
        raise ModuleNotFoundError(name="a_driver")

    monkeypatch.setattr("beaker_memcached.clients.import_module", lacking)

    with pytest.raises(ModuleNotFoundError) as raised:
        former._load_client("pymemcache")

    assert raised.value.name == "a_driver"


def hide(monkeypatch: pytest.MonkeyPatch, *modules: str) -> None:
    def seen(name: str) -> ModuleType:
        if name in modules:
            raise ModuleNotFoundError(name=name)
        return builtins.__import__(name)

    monkeypatch.setattr("beaker_memcached.clients.import_module", seen)


def test_namespaces_of_one_url_share_a_client(open_namespace: OpenNamespace) -> None:
    one, other = open_namespace("one"), open_namespace("other")

    assert one._servers[0] is other._servers[0]
    assert one._servers[0] is not open_namespace("x", store_timeout=1)._servers[0]


def test_a_child_makes_its_own_client(open_namespace: OpenNamespace) -> None:
    store = open_namespace()
    store.fetch("key")
    mine = store._servers[0]

    child = fork(lambda: store._servers[0] is not mine)

    assert wait_for([child])
    assert store._servers[0] is mine


def test_threads_use_it_at_once(open_namespace: OpenNamespace, module: str) -> None:
    store = open_namespace(memcache_module=module)
    keys = [f"key {number}" for number in range(8)]
    wrong: list[str] = []

    def use(key: str) -> None:
        for _ in range(100):
            store.store(key, key.encode(), 60)
            if store.fetch(key) != key.encode():
                wrong.append(key)

    with ExitStack() as stack:
        for key in keys:
            stack.enter_context(thread(lambda key=key: use(key)))  # type: ignore[misc]  # mypy cannot infer a default's lambda

    assert wrong == []


def test_no_thread_is_given_anothers_session(
    open_namespace: OpenNamespace, module: str
) -> None:
    # The C library's wrapper let go of a name before it had sent it.
    rounds = 100 if module == "pylibmc" else 3
    own = {n: [f"{n}-{number:032x}" for number in range(20)] for n in range(16)}
    options = {"purpose": "session", "memcache_module": module, "store_timeout": 10}
    store = open_namespace(**options)
    for ids in own.values():
        for id_ in ids:
            store.sibling(id_).store("session", id_.encode(), 600)

    def read(number: int) -> int:
        wrong = 0
        for _ in range(rounds):
            for id_ in own[number]:
                wrong += store.sibling(id_).fetch("session") != id_.encode()
        return wrong

    with hasty_threads():
        wrong = at_once(16, read)

    assert wrong == [0] * 16


def test_nothing_is_unpickled(
    open_namespace: OpenNamespace, raw: Any, module: str
) -> None:
    session = open_namespace("id", purpose="session", memcache_module=module)
    name = session._records._names.record("session")
    raw.set(name, b"cos\nsystem\n(S'true'\ntR.", flags=1)

    assert session.fetch("session") == b"cos\nsystem\n(S'true'\ntR."


@pytest.fixture
def start(tmp_path: Path) -> Iterator[Start]:
    """Starts a server with further arguments."""
    with ExitStack() as stack:

        def started(*more: str, **recipe: Any) -> Server:
            known = KNOWN["memcached"]._replace(**recipe)
            return stack.enter_context(Server(known, tmp_path / "server", *more))

        yield started


def test_a_unix_socket_will_do(start: Start, tmp_path: Path, module: str) -> None:
    path = str(tmp_path / "memcached.sock")
    start(
        *("-vv", "-u", "root", "-s", path), arguments=(), ready="listening", url="unix"
    )
    store = Store("namespace", f"unix:{path}", module)

    store.store("key", b"data", 60)

    assert store.fetch("key") == b"data"
    assert store.place() == f"ext:memcached at unix:{path}"


@pytest.fixture
def guarded(start: Start, tmp_path: Path) -> Server:
    """A server that asks for a password in its text protocol."""
    words = tmp_path / "words"
    words.write_text("shop:word\n")
    return start("-Y", str(words))


def test_a_login_lets_in(guarded: Server) -> None:
    store = Store("namespace", guarded.url, username="shop", password="word")

    store.store("key", b"data", 60)

    assert store.fetch("key") == b"data"


@pytest.mark.parametrize("password", [None, "wrong"])
def test_a_refused_login_says_what_helps(guarded: Server, password: str | None) -> None:
    login = {"username": "shop", "password": password} if password else {}
    store = Store("namespace", guarded.url, **login)
    says = "check the options 'username' and 'password'"

    for act in (
        lambda: store.fetch("key"),
        lambda: store.store("key", b"data", 60),
        lambda: store.lease("key").acquire(),
    ):
        with pytest.raises(StoreRefusedError, match=says) as raised:
            act()
        assert "wrong" not in str(raised.value)


@pytest.fixture
def by_tls(start: Start, tmp_path: Path) -> tuple[Server, str]:
    """A server that speaks TLS only, and the certificate that it shows."""
    if shutil.which("openssl") is None:
        lacks("openssl", "apt-get install openssl")
    certificate, key = tmp_path / "certificate.pem", tmp_path / "key.pem"
    make = (
        f"openssl req -x509 -newkey rsa:2048 -nodes -days 2 -subj /CN=localhost "
        f"-addext subjectAltName=IP:127.0.0.1 -keyout {key} -out {certificate}"
    )
    subprocess.run(make.split(), check=True, capture_output=True)  # noqa: S603  # ours
    shown = f"ssl_chain_cert={certificate},ssl_key={key}"
    return start("-Z", "-o", shown), str(certificate)


@pytest.mark.parametrize("module", ["pymemcache", "bmemcached"])
def test_tls_works_with_a_certificate_that_is_trusted(
    by_tls: tuple[Server, str], module: str
) -> None:
    server, certificate = by_tls
    store = Store("namespace", server.url, module, tls=True, tls_ca=certificate)

    for number in range(3):
        store.store("key", b"%d" % number, 60)

        assert store.fetch("key") == b"%d" % number


def test_a_certificate_that_nobody_vouches_for_is_refused(
    by_tls: tuple[Server, str],
) -> None:
    store = Store("namespace", by_tls[0].url, tls=True)

    with pytest.raises(StoreRefusedError, match="check the option 'tls_ca'"):
        store.fetch("key")


def test_a_library_that_hides_the_reason_says_that_it_is_away(
    by_tls: tuple[Server, str],
) -> None:
    store = Store("namespace", by_tls[0].url, "bmemcached", tls=True)

    with pytest.raises(Store.unavailable):
        store.fetch("key")


def test_a_client_that_is_forgotten_has_closed_its_connection(
    memcached_server: Server, module: str
) -> None:
    store = Store("namespace", memcached_server.url, memcache_module=module)
    before = connections(memcached_server.url)
    store.store("key", b"data", 60)

    forget_client(("ext:memcached", module, reached(store)[0]))

    def is_closed() -> bool:
        return connections(memcached_server.url) <= before

    wait_until(is_closed, lambda: "the server still has the connection")
