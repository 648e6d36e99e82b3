"""A database that is away, comes back, or refuses: what its users are told."""

from __future__ import annotations

import traceback
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest
import sqlalchemy as sa

from beaker.exceptions import (
    StoreRefusedError,
    StoreUnavailableError,
)
from beaker.stores import open_store
from beaker.testing import MariadbServer, PostgresServer, SqlServer
from beaker_sqla import DatabaseNamespaceManager
from tests.sqla.conftest import PATIENT

Store = DatabaseNamespaceManager

SERVERS: dict[str, type[SqlServer]] = {
    "postgres": PostgresServer,
    "mariadb": MariadbServer,
}

pytestmark = pytest.mark.sqla


@pytest.fixture(params=SERVERS)
def database(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[SqlServer]:
    """A server that this test may kill, freeze and start again."""
    with SERVERS[request.param](tmp_path / "server") as server:
        yield server


def test_no_call_after_a_restart_fails(database: SqlServer) -> None:
    store = Store("namespace", database.url, store_timeout=PATIENT)
    session = Store("id", database.url, store_timeout=PATIENT, purpose="session")
    calls: list[Callable[[], Any]] = [
        lambda: store.fetch("key"),
        lambda: store.store("key", b"data", 60),
        lambda: store.lease(uuid4().hex).acquire(wait=False),
        lambda: session.fetch_accessed("session"),
        lambda: session.replace("session", b"data", b"data", 60),
        lambda: session.touch("session", 60, 1.0),
    ]
    store.store("key", b"data", 60)
    session.store("session", b"data", 60)
    for call in calls:
        for end in (database.stop, database.kill):
            end()
            database.start()

            assert call() is not False

    assert session.fetch_accessed("session") == (b"data", 1.0)


def test_the_core_says_which_store_is_away(database: SqlServer) -> None:
    url = sa.make_url(database.url).set(username="test", password="secret")
    database.kill()
    given = {"url": url.render_as_string(hide_password=False)}
    store = open_store(DatabaseNamespaceManager, "namespace", given, "cache")

    with pytest.raises(StoreUnavailableError) as raised:
        store.fetch("key")

    where = f"{url.drivername}://127.0.0.1:{database.port}"
    assert f"ext:database at {where}" in str(raised.value)
    assert "secret" not in str(raised.value)


def refusal(url: str, act: str = "store", **options: Any) -> str:
    """Return what is said when a record is stored, or the like."""
    given = {"url": url, "store_timeout": PATIENT, **options}
    store = open_store(DatabaseNamespaceManager, "namespace", given, "cache")
    with pytest.raises(StoreRefusedError) as raised:
        store.store("key", b"data", 60) if act == "store" else store.fetch("key")
    return str(raised.value)


class TestPostgresRefuses:
    @pytest.fixture
    def guarded(self, tmp_path: Path) -> Iterator[sa.URL]:
        """A server that wants passwords, with a user who may not do much."""
        with PostgresServer(tmp_path / "guarded") as server:
            engine = sa.create_engine(server.url, isolation_level="AUTOCOMMIT")
            with engine.connect() as connection:
                for statement in (
                    "CREATE USER poor PASSWORD 'word'",
                    "CREATE TABLE beaker_cache_2 (space bytea)",
                ):
                    connection.exec_driver_sql(statement)
            engine.dispose()
            assert server.home is not None
            rules = server.home / "pg_hba.conf"
            rules.write_text("host all all 127.0.0.1/32 scram-sha-256\n")
            server.stop()
            server.start()
            yield sa.make_url(server.url).set(username="poor", password="word")

    @pytest.mark.parametrize(
        ("changes", "says"),
        [
            ({"password": "wrong"}, "check user and password"),
            ({"username": "nobody"}, "check user and password"),
            ({"database": "absent"}, "check the name of the database"),
            ({}, "allow its user SELECT, INSERT, UPDATE and DELETE"),
        ],
    )
    def test_what_is_wrong(
        self, guarded: sa.URL, changes: dict[str, str], says: str
    ) -> None:
        url = guarded.set(**changes).render_as_string(hide_password=False)  # type: ignore[arg-type]  # each takes text

        said = refusal(url)

        assert says in said
        assert f"ext:database at {guarded.drivername}://127.0.0.1" in said
        assert "word@" not in said

    def test_who_may_not_make_a_table_and_in_which_schema(
        self, guarded: sa.URL
    ) -> None:
        url = guarded.render_as_string(hide_password=False)

        assert "let its owner make the tables" in refusal(url, table_name="mine")
        assert "'schema_name'" in refusal(url, schema_name="absent", table_name="mine")


class TestMariadbRefuses:
    @pytest.mark.parametrize(
        ("changes", "says"),
        [
            ({"password": "wrong"}, "check user and password"),
            ({"username": "nobody"}, "check user and password"),
            ({"database": "absent"}, "check the name of the database"),
        ],
    )
    def test_what_is_wrong(
        self, mariadb_url: str, changes: dict[str, str], says: str
    ) -> None:
        url = sa.make_url(mariadb_url).set(**changes)  # type: ignore[arg-type]  # each takes text

        assert says in refusal(url.render_as_string(hide_password=False))

    def test_who_may_not_make_a_table(self, mariadb_url: str) -> None:
        engine = sa.create_engine(mariadb_url, isolation_level="AUTOCOMMIT")
        with engine.connect() as connection:
            for statement in (
                "CREATE USER IF NOT EXISTS poor@127.0.0.1 IDENTIFIED BY 'word'",
                "GRANT SELECT ON test.* TO poor@127.0.0.1",
            ):
                connection.exec_driver_sql(statement)
        engine.dispose()
        url = sa.make_url(mariadb_url).set(username="poor", password="word")

        said = refusal(url.render_as_string(hide_password=False), table_name="mine")

        assert "let its owner make the tables" in said

    def test_a_value_larger_than_a_packet_is_told(self, tmp_path: Path) -> None:
        with MariadbServer(tmp_path / "small", "--max-allowed-packet=1M") as server:
            given = {"url": server.url, "store_timeout": PATIENT}
            store = open_store(DatabaseNamespaceManager, "namespace", given, "cache")

            for size in (1_100_000, 20_000_000):
                with pytest.raises(StoreRefusedError, match="raise max_allowed_packet"):
                    store.store("key", b"\1" * size, 60)
            store.store("key", b"data", 60)

    def test_what_a_column_of_1x_has_no_room_for_is_told_and_not_cut_off(
        self, tmp_path: Path
    ) -> None:
        with MariadbServer(tmp_path / "lax", "--sql-mode=") as server:
            engine = sa.create_engine(server.url, isolation_level="AUTOCOMMIT")
            with engine.connect() as connection:
                connection.exec_driver_sql(
                    "CREATE TABLE beaker_cache (namespace VARCHAR(255) PRIMARY KEY, "
                    "accessed DATETIME, created DATETIME, data BLOB)"
                )
            engine.dispose()
            given = {"url": server.url, "store_timeout": PATIENT}
            store = open_store(Store, "id", given, "session")
            data = b"private" * 10_000

            with pytest.raises(
                StoreRefusedError, match="change it to LONGBLOB"
            ) as raised:
                store.replace("session", None, data, 60)
            assert store.fetch("session") is None

        # What is logged of an error does not show what was stored.
        assert "private" not in "".join(traceback.format_exception(raised.value))
