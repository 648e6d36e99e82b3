"""Emulators for one test each, the namespaces that tests open, and what they ask."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl, urlsplit
from uuid import uuid4

import pytest
import requests
from google.auth.credentials import AnonymousCredentials
from google.cloud import datastore

from beaker.testing import DatastoreEmulator
from beaker_google import GoogleNamespaceManager

OpenNamespace = Callable[..., GoogleNamespaceManager]

#: Seconds: a machine that is busy with other tests is no outage.
PATIENT = 10


@pytest.fixture(autouse=True, scope="session")
def taciturn() -> None:
    """Both tell about each request; and a child that is forked meanwhile may hang.

    The lock of the file that they write to is held then, by a thread it does not have.
    """
    for name in ("google", "urllib3"):
        logging.getLogger(name).setLevel(logging.WARNING)


@pytest.fixture
def google_emulator(tmp_path: Path) -> Iterator[DatastoreEmulator]:
    """An emulator that this test may kill, freeze and restart."""
    with DatastoreEmulator(tmp_path / "google") as emulator:
        yield emulator


@pytest.fixture
def prefix() -> str:
    """What keeps the names of this test apart from those of all others."""
    return f"test-{uuid4().hex}:"


@pytest.fixture
def open_namespace(google_url: str, prefix: str) -> OpenNamespace:
    """Opens a namespace on the shared emulator."""

    def opened(name: str = "namespace", **options: Any) -> GoogleNamespaceManager:
        given = {"store_timeout": PATIENT, "prefix": prefix, **options}
        return GoogleNamespaceManager(name, url=google_url, **given)

    return opened


class Asked(requests.Session):
    """A session of HTTP that notes which methods of Datastore were called.

    Attributes:
        methods: Their names.
        meanwhile: What another does before our next commit arrives.
    """

    def __init__(self) -> None:
        super().__init__()
        self.methods: list[str] = []
        self.meanwhile: Callable[[], object] | None = None
        self.trust_env = False

    def request(self, *arguments: Any, **named: Any) -> requests.Response:
        self.methods.append(named["url"].rpartition(":")[2])
        if self.methods[-1] == "commit" and self.meanwhile is not None:
            meanwhile, self.meanwhile = self.meanwhile, None
            meanwhile()
        return super().request(*arguments, **named)


@pytest.fixture
def asked() -> Iterator[Asked]:
    with Asked() as session:
        yield session


@pytest.fixture
def client(google_url: str, asked: Asked) -> datastore.Client:
    """A client that its user has made, and that notes what it asks."""
    return client_of(google_url, _http=asked, _use_grpc=False)


def client_of(url: str, **more: Any) -> datastore.Client:
    """Return a plain client of the emulator at a URL."""
    parts = urlsplit(url)
    more = more or {"credentials": AnonymousCredentials(), "_use_grpc": False}
    client = datastore.Client(project=parts.netloc, **more)
    client.base_url = dict(parse_qsl(parts.query))["endpoint"]
    return client


@pytest.fixture
def penniless(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Let the environment name no project, no emulator and no credentials."""
    for name in (
        "CLOUDSDK_CORE_PROJECT",
        "DATASTORE_DATASET",
        "DATASTORE_EMULATOR_HOST",
        "GCLOUD_PROJECT",
        "GOOGLE_APPLICATION_CREDENTIALS",
        "GOOGLE_CLOUD_PROJECT",
    ):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("CLOUDSDK_CONFIG", str(tmp_path))
    # Nor does it ask the machine, which may be one of Google's.
    monkeypatch.setenv("NO_GCE_CHECK", "true")
