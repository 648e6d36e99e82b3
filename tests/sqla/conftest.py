"""The databases of these tests, and the namespaces that they open."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any
from uuid import uuid4

import pytest
import sqlalchemy as sa

from beaker_sqla import DatabaseNamespaceManager

OpenNamespace = Callable[..., DatabaseNamespaceManager]

#: The databases that all this is for; a file needs no server.
KINDS = [
    "sqlite",
    pytest.param("postgres", marks=pytest.mark.sqla),
    pytest.param("mariadb", marks=pytest.mark.sqla),
]

#: Seconds that a busy machine may take; what is about deadlines says so.
PATIENT = 10


@pytest.fixture(scope="session")
def sqlite_url(tmp_path_factory: pytest.TempPathFactory) -> str:
    """A file for all tests; each test uses names of its own."""
    return f"sqlite:///{tmp_path_factory.mktemp('sqlite')}/beaker.db"


@pytest.fixture(params=KINDS)
def kind(request: pytest.FixtureRequest) -> str:
    """Which database."""
    return str(request.param)


@pytest.fixture
def url(kind: str, request: pytest.FixtureRequest) -> str:
    """Where it is."""
    return str(request.getfixturevalue(f"{kind}_url"))


@pytest.fixture
def prefix() -> str:
    """What keeps the names of this test apart from those of all others."""
    return f"test-{uuid4().hex}:"


@pytest.fixture
def table_name() -> str:
    """A table of this test's own, for those that look at it or count its rows."""
    return f"beaker_{uuid4().hex}"


@pytest.fixture
def open_namespace(url: str, prefix: str) -> OpenNamespace:
    """Opens a namespace in the database."""

    def opened(name: str = "namespace", **options: Any) -> DatabaseNamespaceManager:
        given = {"prefix": prefix, "store_timeout": PATIENT, **options}
        return DatabaseNamespaceManager(name, url, **given)

    return opened


@pytest.fixture
def raw(url: str) -> Iterator[sa.Connection]:
    """A plain connection to the database."""
    engine = sa.create_engine(url, isolation_level="AUTOCOMMIT")
    with engine.connect() as connection:
        yield connection
    engine.dispose()
