"""The way to a database: URLs, options, engines that are given, and forks."""

from __future__ import annotations

import importlib.abc
import random
import sys
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa
from sqlalchemy.pool import NullPool

import beaker.ext.database
import beaker.ext.sqla
import beaker_sqla
from beaker.configuration import warn_unknown
from beaker.exceptions import (
    InvalidCacheBackendError,
    InvalidOptionError,
    MissingCacheParameter,
    StoreRefusedError,
)
from beaker.testing._processes import fork, wait_for
from beaker_sqla import (
    DatabaseContainer,
    DatabaseNamespaceManager,
    SqlaNamespaceManager,
    make_cache_table,
)
from tests.sqla.conftest import PATIENT, OpenNamespace

Store = DatabaseNamespaceManager


def engine_of(store: SqlaNamespaceManager) -> sa.Engine:
    """Return the engine of this process by which a store reaches its database."""
    return store._source._database.engine


def test_namespaces_of_one_url_share_an_engine(sqlite_url: str) -> None:
    one, other = Store("one", sqlite_url), Store("other", sqlite_url)

    assert engine_of(one) is engine_of(other)
    assert engine_of(one) is engine_of(one.sibling("another"))
    assert engine_of(one) is not engine_of(Store("one", sqlite_url, store_timeout=1))
    assert engine_of(one) is not engine_of(Store("one", sqlite_url, {"echo": False}))


@pytest.mark.parametrize(
    "sa_opts", [{"sa.pool_size": "3"}, {"pool_size": 3}, {"sa.pool_size": 3}]
)
def test_options_are_for_the_engine(tmp_path: Path, sa_opts: dict[str, Any]) -> None:
    url = f"sqlite:///{tmp_path}/beaker.db"
    alone = Store("namespace", url, **{"sa.pool_size": "3"})
    together = Store("namespace", sa_opts={**sa_opts, "sa.url": url}, optimistic="yes")

    for store in (alone, together):
        store.store("key", b"data", 60)
        pool: Any = engine_of(store).pool
        assert pool.size() == 3


def test_what_is_for_the_driver_reaches_it_beside_ours(tmp_path: Path) -> None:
    given = {"connect_args": {"cached_statements": 7}, "poolclass": NullPool}
    store = Store("namespace", f"sqlite:///{tmp_path}/beaker.db", given)

    store.store("key", b"data", 60)

    assert store.fetch("key") == b"data"
    assert isinstance(engine_of(store).pool, NullPool)


def test_no_option_of_a_file_is_unknown() -> None:
    given = ["sa.url", "sa.pool_recycle", "sa_opts", "table_name", "schema_name"]

    warn_unknown("cache", given, DatabaseNamespaceManager.options, strict=True)


@pytest.mark.parametrize(
    ("url", "shown"),
    [
        ("no url", "'no url:...'"),
        ("postgres://u:secret@h/d", "'postgres:...'"),
        ("nonsense+x://u:secret@h/d", "'nonsense+x:...'"),
        ("oracle+oracledb://u:secret@h/d", "'oracle+oracledb://h/d'"),
        ("postgresql+asyncpg://u:secret@h/d", "'postgresql+asyncpg://h/d'"),
    ],
)
def test_a_url_that_leads_nowhere_is_refused(url: str, shown: str) -> None:
    with pytest.raises(
        InvalidOptionError, match="option 'url' of ext:database takes a URL"
    ) as raised:
        Store("namespace", url)

    assert shown in str(raised.value)
    assert "secret" not in str(raised.value)


@pytest.mark.parametrize(
    ("url", "says"),
    [
        ("postgresql+pg8000://u:secret@h/d", "pip install pg8000"),
        ("postgresql+psycopg2://u:secret@h/d", "pip install psycopg2-binary"),
        ("mysql+mysqlconnector://u:secret@h/d", "driver 'mysql'"),
    ],
)
def test_a_missing_driver_is_told_at_the_first_use(url: str, says: str) -> None:
    store = Store("namespace", url)

    with pytest.raises(InvalidCacheBackendError, match=says) as raised:
        store.fetch("key")

    assert "secret" not in str(raised.value)


@pytest.mark.parametrize(
    ("url", "driver", "wheel"),
    [
        ("postgresql+psycopg://u:secret@h/d", "psycopg", "beaker-sqla[postgresql]"),
        ("mysql+pymysql://u:secret@h/d", "pymysql", "beaker-sqla[mysql]"),
    ],
)
def test_a_missing_driver_of_ours_is_told_with_its_extra(
    monkeypatch: pytest.MonkeyPatch, url: str, driver: str, wheel: str
) -> None:
    store = Store("namespace", url, prefix="alone:", store_timeout=7)
    for name in {name for name in sys.modules if name.partition(".")[0] == driver}:
        monkeypatch.delitem(sys.modules, name)
    monkeypatch.setattr(sys, "meta_path", [Hides(driver), *sys.meta_path])

    with pytest.raises(InvalidCacheBackendError) as raised:
        store.fetch("key")

    assert f"install it with: pip install '{wheel}>=2'" in str(raised.value)
    assert "secret" not in str(raised.value)


class Hides(importlib.abc.MetaPathFinder):
    """Lets a module seem not to be installed."""

    def __init__(self, name: str) -> None:
        self.name = name

    def find_spec(self, fullname: str, *_: object) -> None:
        if fullname == self.name:
            raise ModuleNotFoundError(f"No module named {fullname!r}", name=fullname)


def test_what_is_missing_is_told() -> None:
    with pytest.raises(
        MissingCacheParameter, match="ext:database needs the option 'url'"
    ):
        Store("namespace")
    with pytest.raises(
        MissingCacheParameter, match="ext:sqla needs the options 'bind'"
    ):
        SqlaNamespaceManager("namespace")


@pytest.mark.parametrize(
    ("name", "value"),
    [("bind", "sqlite://"), ("table", "beaker_cache"), ("bind", object())],
)
def test_what_is_no_engine_or_table_is_refused(name: str, value: object) -> None:
    given: dict[str, Any] = {
        "bind": sa.create_engine("sqlite://"),
        "table": make_cache_table(sa.MetaData()),
    }

    with pytest.raises(InvalidOptionError, match=f"option '{name}' takes an? "):
        SqlaNamespaceManager("namespace", **{**given, name: value})


@pytest.mark.parametrize("sa_opts", ["pool_size=3", {"no_such_option": 1}])
def test_what_no_engine_takes_is_refused(sqlite_url: str, sa_opts: Any) -> None:
    with pytest.raises(InvalidOptionError, match="option 'sa_opts' takes"):
        Store("namespace", sqlite_url, sa_opts).fetch("key")


def test_a_database_in_memory_is_one_for_all_threads() -> None:
    store = Store("namespace", "sqlite://")
    results: list[bool] = []

    def count() -> None:
        for _ in range(25):
            while True:
                seen = store.fetch("counter")
                new = b"%d" % (int(seen or 0) + 1)
                if store.replace("counter", seen, new, None):
                    break
        results.append(True)

    threads = [threading.Thread(target=count) for _ in range(8)]
    for each in threads:
        each.start()
    for each in threads:
        each.join()

    assert len(results) == 8
    assert store.fetch("counter") == b"200"


def test_readers_of_a_file_do_not_wait_for_writers(tmp_path: Path) -> None:
    store = Store("namespace", f"sqlite:///{tmp_path}/beaker.db")
    store.store("key", b"old", 60)
    writer = sa.create_engine(f"sqlite:///{tmp_path}/beaker.db")
    with writer.connect() as connection:
        connection.exec_driver_sql("BEGIN IMMEDIATE")
        connection.exec_driver_sql("UPDATE beaker_cache_2 SET data = x'00'")

        assert store.fetch("key") == b"old"
    writer.dispose()


@pytest.mark.parametrize("what", ["no directory", "no database"])
def test_a_file_that_cannot_be_used_is_told(tmp_path: Path, what: str) -> None:
    path = tmp_path / "absent" / "beaker.db"
    if what == "no database":
        path = tmp_path / "text"
        path.write_text("this is text" * 1000)

    with pytest.raises(StoreRefusedError, match=r"check the path|put back a copy"):
        Store("namespace", f"sqlite:///{path}").fetch("key")


def test_a_table_that_was_removed_is_made_anew(
    open_namespace: OpenNamespace, table_name: str, raw: sa.Connection
) -> None:
    store = open_namespace(table_name=table_name)
    store.store("key", b"data", 60)

    raw.exec_driver_sql(f"DROP TABLE {table_name}_2")

    assert store.fetch("key") is None
    assert store.replace("key", None, b"data", 60)


def test_another_table_of_that_name_is_left_alone(
    open_namespace: OpenNamespace, table_name: str, raw: sa.Connection
) -> None:
    raw.exec_driver_sql(f"CREATE TABLE {table_name}_2 (name VARCHAR(9))")

    with pytest.raises(StoreRefusedError, match="remove the tables"):
        open_namespace(table_name=table_name).store("key", b"data", 60)


def test_a_schema_is_where_the_tables_are(postgres_url: str) -> None:
    engine = sa.create_engine(postgres_url, isolation_level="AUTOCOMMIT")
    with engine.connect() as connection:
        connection.exec_driver_sql("CREATE SCHEMA IF NOT EXISTS elsewhere")
        given = {"schema_name": "elsewhere", "store_timeout": PATIENT}
        for purpose in ("cache", "session"):
            store = Store("namespace", postgres_url, purpose=purpose, **given)
            store.store("session", b"data", 60)
            assert store.fetch("session") == b"data"

        tables = sa.inspect(connection).get_table_names("elsewhere")
    engine.dispose()
    assert set(tables) == {"beaker_cache", "beaker_cache_2"}


# -- engines that the program made


@pytest.fixture
def engine(url: str) -> Iterator[sa.Engine]:
    """An engine as programs make it."""
    made = sa.create_engine(url)
    yield made
    made.dispose()


def given_to(engine: sa.Engine | sa.Connection, prefix: str) -> SqlaNamespaceManager:
    """Return a namespace in a table of 1.x's description."""
    table = make_cache_table(sa.MetaData(), "beaker_given")
    return SqlaNamespaceManager("namespace", engine, table, prefix=prefix)


def test_the_tables_are_made_by_the_program_or_by_us(
    engine: sa.Engine, table_name: str, prefix: str
) -> None:
    metadata = sa.MetaData()
    table = make_cache_table(metadata, table_name)
    metadata.create_all(engine)

    assert set(sa.inspect(engine).get_table_names()) >= {table_name, f"{table_name}_2"}
    for purpose in ("cache", "session"):
        given = {"prefix": prefix, "purpose": purpose}
        store = SqlaNamespaceManager("namespace", engine, table, **given)
        store.store("session", b"data", 60)
        assert store.fetch("session") == b"data"


def test_a_connection_stands_for_its_engine(engine: sa.Engine, prefix: str) -> None:
    with engine.connect() as connection:
        store = given_to(connection, prefix)
    store.store("key", b"data", 60)

    assert given_to(engine, prefix).fetch("key") == b"data"


def test_a_given_engine_is_used_and_never_closed(
    engine: sa.Engine, prefix: str
) -> None:
    store = given_to(engine, prefix)
    store.store("key", b"data", 60)

    store._source._close(store._source._database)

    assert engine_of(store).pool is engine.pool
    assert store.fetch("key") == b"data"


def test_children_do_not_talk_on_their_parents_connections(
    engine: sa.Engine, prefix: str
) -> None:
    store = given_to(engine, prefix)
    store.store_many({f"key {n}": b"%d" % n for n in range(50)}, 60)

    def read() -> bool:
        chance = random.Random()  # noqa: S311  # no secret
        again = given_to(engine, prefix)
        return all(
            again.fetch(f"key {number}") == b"%d" % number
            for number in (chance.randrange(50) for _ in range(200))
        )

    assert wait_for(fork(read) for _ in range(8))
    assert read()


# -- the names of 1.x


def test_the_names_of_1x_lead_here() -> None:
    assert beaker.ext.database.DatabaseNamespaceManager is DatabaseNamespaceManager
    assert beaker.ext.sqla.make_cache_table is make_cache_table
    assert beaker.ext.sqla.SqlaContainer is beaker_sqla.SqlaContainer
    SqlaNamespaceManager._init_dependencies()


def test_a_container_makes_namespaces(sqlite_url: str) -> None:
    made = DatabaseContainer.create_namespace("namespace", url=sqlite_url)

    assert isinstance(made, DatabaseNamespaceManager)
