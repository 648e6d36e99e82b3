"""MongoDB servers for one test each, and the namespaces that tests open."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest
from pymongo import MongoClient
from pymongo.database import Database

from beaker.testing import MongoServer, wait_until
from beaker_mongodb import MongoNamespaceManager

OpenNamespace = Callable[..., MongoNamespaceManager]
Raw = Database[dict[str, Any]]


@pytest.fixture(autouse=True, scope="session")
def taciturn() -> None:
    """PyMongo tells five things about each operation, whole documents among them."""
    logging.getLogger("pymongo").setLevel(logging.WARNING)


@pytest.fixture
def mongodb_server(tmp_path: Path) -> Iterator[MongoServer]:
    """A server that this test may kill, freeze and restart."""
    with MongoServer(tmp_path / "mongodb") as server:
        yield server


@pytest.fixture
def prefix() -> str:
    """What keeps the names of this test apart from those of all others."""
    return f"test-{uuid4().hex}:"


@pytest.fixture
def open_namespace(mongodb_url: str, prefix: str) -> OpenNamespace:
    """Opens a namespace on the shared server."""

    def opened(name: str = "namespace", **options: Any) -> MongoNamespaceManager:
        # A machine that is busy with other tests is no outage.
        given = {"store_timeout": 2, "prefix": prefix, **options}
        return MongoNamespaceManager(name, mongodb_url, **given)

    return opened


@pytest.fixture
def raw(mongodb_url: str) -> Iterator[Raw]:
    """The database of the shared server, by a plain client."""
    with connected(mongodb_url) as client:
        yield client.get_default_database()


def connected(url: str) -> MongoClient[dict[str, Any]]:
    """Return a plain client."""
    return MongoClient(url)


@pytest.fixture(scope="session")
def mongodb_replica_url(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """A replica set, of one member."""
    directory = tmp_path_factory.mktemp("replica")
    with MongoServer(directory, "--replSet", "set") as server:
        with connected(f"{server.url}?directConnection=true") as admin:
            member = {"_id": 0, "host": f"127.0.0.1:{server.port}"}
            admin.admin.command(
                {"replSetInitiate": {"_id": "set", "members": [member]}}
            )
            wait_until(
                lambda: bool(admin.admin.command("hello")["isWritablePrimary"]),
                lambda: "the set has no primary",
            )
        yield f"{server.url}?replicaSet=set"


@pytest.fixture
def unreaped(raw: Raw) -> Iterator[None]:
    """Let the server keep what has expired, until somebody purges it."""
    raw.client.admin.command({"setParameter": 1, "ttlMonitorEnabled": False})
    yield
    raw.client.admin.command({"setParameter": 1, "ttlMonitorEnabled": True})
