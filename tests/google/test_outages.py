"""Datastore is away, comes back, or refuses: what its users are told."""

from __future__ import annotations

import json
import socket
import threading
import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa
from google.api_core import exceptions as said
from google.auth.exceptions import RefreshError, TransportError

from beaker.cache import Cache
from beaker.exceptions import StoreRefusedError, StoreUnavailableError
from beaker.stores import open_store
from beaker.testing import DatastoreEmulator
from beaker.testing._processes import program, thread
from beaker.testing._servers import free_port
from beaker_google import GoogleNamespaceManager, connections
from beaker_google.names import Names
from beaker_google.refusals import refusal
from tests.google.conftest import PATIENT, client_of

pytestmark = pytest.mark.google

Store = GoogleNamespaceManager


def unavailable(act: Callable[[], object]) -> float:
    """Return the seconds until the store says that it is away."""
    began = time.monotonic()
    with pytest.raises(GoogleNamespaceManager.unavailable):
        act()
    return time.monotonic() - began


def test_the_first_call_after_a_restart_succeeds(
    google_emulator: DatastoreEmulator,
) -> None:
    store = Store("namespace", url=google_emulator.url, store_timeout=PATIENT)
    store.store("key", b"data", 60)
    google_emulator.kill()
    google_emulator.start()

    # The emulator keeps its entities in memory.
    assert store.fetch("key") is None
    store.store("key", b"data", 60)


def begin(act: Callable[..., None], *arguments: object) -> None:
    """Run this in a thread, until the connection that it serves is closed."""
    threading.Thread(target=act, args=arguments, daemon=True).start()


class HangingUp:
    """Between a client and the emulator: closes a connection when it is used.

    As a server does that has closed it for being idle a moment before.
    """

    def __init__(self, url: str) -> None:
        before, _, port = url.rpartition(":")
        self._there, self._waits = int(port), socket.create_server(("127.0.0.1", 0))
        self.hangs_up, self.refused = False, 0
        self.url = f"{before}:{self._waits.getsockname()[1]}"
        begin(self._serve)

    def close(self) -> None:
        """Take no more connections."""
        self._waits.close()

    def _serve(self) -> None:
        with suppress(OSError):
            while True:
                near, _ = self._waits.accept()
                far = socket.create_connection(("127.0.0.1", self._there))
                begin(self._pass_on, near, far)
                begin(self._pass_on, far, near)

    def _pass_on(self, source: socket.socket, target: socket.socket) -> None:
        with suppress(OSError), source, target:
            while data := source.recv(65536):
                if self.hangs_up:
                    self.hangs_up, self.refused = False, self.refused + 1
                    return
                target.sendall(data)


def test_a_connection_that_the_server_has_closed_is_no_outage(
    google_emulator: DatastoreEmulator,
) -> None:
    between = HangingUp(google_emulator.url)
    store = Store("namespace", url=between.url, store_timeout=PATIENT)
    store.store("key", b"data", 60)
    lease = store.lease("other")
    acts: list[Callable[[], bool]] = [
        lambda: store.fetch("key") == b"data",
        lambda: store.replace("key", b"data", b"new", 60),
        lease.acquire,
        lambda: store.fill("other", b"made", 60, lease),
        lambda: sorted(store.keys()) == ["key", "other"],
    ]

    for number, act in enumerate(acts):
        between.hangs_up = True
        assert act()
        assert between.refused == number + 1
    between.hangs_up = True
    store.store("key", b"newer", 60)

    assert between.refused == len(acts) + 1
    assert store.fetch("key") == b"newer"
    between.close()


def test_a_waiter_learns_that_the_server_is_gone(
    google_emulator: DatastoreEmulator,
) -> None:
    holder = Store("namespace", url=google_emulator.url, store_timeout=PATIENT)
    held = holder.lease("key")
    held.acquire()
    # In the kind of another one, so that it does not wait for its turn here.
    waiter: Any = Store("namespace", url=google_emulator.url, store_timeout=1).lease("")
    seconds: list[float] = []
    waiter._slot = holder._slot("key")
    with thread(lambda: seconds.append(unavailable(waiter.acquire))):
        time.sleep(0.2)
        google_emulator.kill()

    assert seconds
    held.release()


def test_the_core_says_which_store_is_away() -> None:
    url = f"datastore://shop/db?endpoint=http://127.0.0.1:{free_port()}"
    store = open_store(GoogleNamespaceManager, "namespace", {"url": url}, "cache")

    with pytest.raises(StoreUnavailableError) as raised:
        store.fetch("key")

    assert f"ext:google at {url}" in str(raised.value)
    assert "set 'store_timeout' to 1 or more" in str(raised.value)


def test_a_cache_goes_on_without_it_and_with_it_again(
    google_emulator: DatastoreEmulator,
) -> None:
    url = google_emulator.url
    cache = Cache("namespace", type="ext:google", url=url, store_timeout=PATIENT)
    assert cache.get("key", createfunc=lambda: 1) == 1
    google_emulator.kill()

    assert cache.get("key", createfunc=lambda: 2) == 2
    assert cache.get("key", createfunc=lambda: 3) == 3
    google_emulator.start()
    is_back = time.monotonic()
    # What it kept is gone: what is made now is kept again.
    while cache.get("key", createfunc=lambda: 4) != cache.get(
        "key", createfunc=lambda: 5
    ):
        assert time.monotonic() < is_back + 10
        time.sleep(0.05)


def test_a_program_ends_at_once_though_its_server_is_gone(
    google_emulator: DatastoreEmulator,
) -> None:
    ends = "import sys; from beaker_google import GoogleNamespaceManager as G; "
    ends += "G('n', url=sys.argv[1], store_timeout=20).store('key', b'data', 60); "
    ends += "print('ready', flush=True); sys.stdin.readline()"
    with program(ends, google_emulator.url) as ending:
        google_emulator.freeze()
        assert ending.stdin is not None
        began = time.monotonic()
        ending.stdin.write("\n")
        ending.stdin.flush()
        ending.wait(15)

    assert time.monotonic() - began < 10


def test_what_is_not_datastore_is_away() -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
        url = f"datastore://shop?endpoint=http://127.0.0.1:{port}"

        assert unavailable(lambda: Store("namespace", url=url).fetch("key")) < 10


def test_what_datastore_says_of_a_bad_request_is_told(
    google_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    given = {"url": google_url, "store_timeout": PATIENT}
    store = open_store(GoogleNamespaceManager, "namespace", given, "cache")
    monkeypatch.setattr(Names, "name", lambda *_: "__reserved__")

    with pytest.raises(StoreRefusedError, match=r"reserved.*Datastore mode") as raised:
        store.store("key", b"data", 60)

    assert f"ext:google at {google_url}" in str(raised.value)


@pytest.mark.usefixtures("penniless")
def test_missing_credentials_are_told_at_first_use() -> None:
    store = open_store(
        GoogleNamespaceManager, "n", {"url": "datastore://shop"}, "cache"
    )

    with pytest.raises(StoreRefusedError, match="application-default login") as raised:
        store.fetch("key")

    assert "ext:google at datastore://shop" in str(raised.value)


@pytest.mark.usefixtures("penniless")
def test_what_was_not_there_is_not_looked_for_at_each_call(
    google_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    host = client_of(google_url).base_url.removeprefix("http://")
    stores = []
    for name, after in (("later", 1000.0), ("at once", 0.0)):
        monkeypatch.setattr(connections, "ASKED_AGAIN_AFTER", after)
        url = f"datastore://shop?namespace={name.replace(' ', '-')}"
        stores.append(Store("namespace", url=url, store_timeout=PATIENT))
        with pytest.raises(StoreRefusedError, match="application-default login"):
            stores[-1].fetch("key")
    later, at_once = stores

    monkeypatch.setenv("DATASTORE_EMULATOR_HOST", host)

    assert at_once.fetch("key") is None
    with pytest.raises(StoreRefusedError, match="application-default login"):
        later.fetch("key")


@pytest.mark.usefixtures("penniless")
def test_an_unknown_project_is_told_at_first_use(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("DATASTORE_EMULATOR_HOST", "127.0.0.1:1")
    given = {"url": "datastore://?namespace=nobodys"}
    store = open_store(GoogleNamespaceManager, "namespace", given, "cache")

    with pytest.raises(StoreRefusedError, match=r"nothing names the project.*url"):
        store.fetch("key")


@pytest.mark.usefixtures("penniless")
def test_a_place_of_credentials_that_is_away_is_no_refusal(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    key = rsa.generate_private_key(65537, 2048).private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.PKCS8,
        serialization.NoEncryption(),
    )
    account = {
        "type": "service_account",
        "project_id": "shop",
        "client_email": "me@shop.invalid",
        "private_key": key.decode(),
        "token_uri": f"http://127.0.0.1:{free_port()}/token",
    }
    file = tmp_path / "account.json"
    file.write_text(json.dumps(account))
    monkeypatch.setenv("GOOGLE_APPLICATION_CREDENTIALS", str(file))
    store = Store("namespace", url="datastore://?namespace=mine")

    assert unavailable(lambda: store.fetch("key")) < 10
    assert store.client.project == "shop"


@pytest.mark.parametrize(
    ("error", "remedy"),
    [
        (said.from_http_status(401, "who are you"), "service account that exists"),
        (said.from_http_status(403, "API is disabled"), "role roles/datastore.user"),
        (said.from_grpc_status(7, "missing permissions"), "roles/datastore.user"),
        (said.from_http_status(404, "no database"), "gcloud firestore databases"),
        (said.from_http_status(400, "native mode"), "Datastore mode"),
        (said.from_http_status(418, "teapot"), "see what Google says"),
        (RefreshError("invalid_grant"), "service account that exists"),
        (OSError("[SSL: CERTIFICATE_VERIFY_FAILED]"), "REQUESTS_CA_BUNDLE"),
    ],
)
def test_a_refusal_says_what_helps(error: Exception, remedy: str) -> None:
    told = refusal(error, "ext:google at datastore://shop")

    assert remedy in str(told)
    assert "ext:google at datastore://shop" in str(told)


@pytest.mark.parametrize(
    "error",
    [
        said.from_http_status(429, "quota"),
        said.from_http_status(500, "oh"),
        said.from_http_status(503, "later"),
        said.from_grpc_status(4, "too late"),
        said.from_grpc_status(10, "too much contention"),
        said.from_grpc_status(14, "nobody there"),
        TransportError("no answer"),
        ConnectionResetError(),
    ],
)
def test_what_passes_is_no_refusal(error: Exception) -> None:
    assert refusal(error, "ext:google") is None
    assert isinstance(error, GoogleNamespaceManager.unavailable)
