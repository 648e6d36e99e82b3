"""Sessions: rows of the table of Beaker 1.x, which both can read and purge."""

from __future__ import annotations

import pickle
from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any

import pytest
import sqlalchemy as sa

from beaker.exceptions import UnsupportedOperationError
from beaker.session import Session
from beaker.testing import wait_until
from beaker_sqla import DatabaseNamespaceManager
from tests.core.sessions import FORMER_ID, FORMER_PAYLOAD
from tests.sqla.conftest import PATIENT, OpenNamespace

OpenSession = Callable[..., DatabaseNamespaceManager]
Options = dict[str, Any]


@pytest.fixture
def open_session(url: str, table_name: str) -> OpenSession:
    """Opens the namespace of a session, in a table of this test's own."""

    def opened(id: str = "id", **options: Any) -> DatabaseNamespaceManager:
        given = {"table_name": table_name, "store_timeout": PATIENT, **options}
        return DatabaseNamespaceManager(id, url, purpose="session", **given)

    return opened


@pytest.fixture
def options(url: str, table_name: str) -> Options:
    """The options of sessions in that table."""
    store = {"namespace_class": DatabaseNamespaceManager, "store_timeout": PATIENT}
    return {**store, "url": url, "table_name": table_name, "use_cookies": False}


def described_by_1x(table_name: str) -> sa.Table:
    """Return the table as Beaker 1.x described it."""
    return sa.Table(
        table_name,
        sa.MetaData(),
        sa.Column("id", sa.Integer, primary_key=True),
        sa.Column("namespace", sa.String(255), nullable=False, unique=True),
        sa.Column("accessed", sa.DateTime, nullable=False),
        sa.Column("created", sa.DateTime, nullable=False),
        sa.Column("data", sa.PickleType, nullable=False),
    )


@pytest.fixture
def former(raw: sa.Connection, table_name: str) -> sa.Table:
    """The table, as Beaker 1.x made it."""
    table = described_by_1x(table_name)
    table.create(raw)
    return table


def insert(raw: sa.Connection, former: sa.Table, id: str, payload: str) -> None:
    """Do what 1.x did to save a session."""
    now = datetime.now()  # noqa: DTZ005  # as it did
    row = {"namespace": id, "data": {"session": payload}, "accessed": now}
    raw.execute(former.insert().values(**row, created=now))


def test_a_session_is_one_row(open_session: OpenSession, raw: sa.Connection) -> None:
    store = open_session("some-id")

    assert store.replace("session", None, b"first", 60)
    assert not store.replace("session", None, b"second", 60)
    assert not store.replace("session", b"other", b"second", 60)
    assert store.replace("session", b"first", b"second", 60)

    assert store.fetch("session") == b"second"
    assert columns(raw, store, "namespace") == ["some-id"]


def test_the_access_time_is_beside_the_data(open_session: OpenSession) -> None:
    store = open_session()
    store.replace("session", None, b"data", 60)

    assert store.fetch_accessed("session") == (b"data", None)
    assert store.touch("session", 60, 1234.5)
    assert store.fetch_accessed("session") == (b"data", 1234.5)


def test_touching_makes_no_session(open_session: OpenSession) -> None:
    store = open_session()

    assert not store.touch("session", 60, 1234.5)
    assert store.fetch_accessed("session") is None


def test_a_session_is_forgotten_after_its_ttl(open_session: OpenSession) -> None:
    store = open_session()
    store.replace("session", None, b"data", 0.001)

    wait_until(lambda: store.fetch("session") is None, lambda: "it is still there")
    assert list(store.keys()) == []
    assert not store.touch("session", 60, 1234.5)
    assert not store.replace("session", b"data", b"new", 60)
    assert store.replace("session", None, b"new", 60)
    assert list(store.keys()) == ["session"]


def test_a_session_that_is_past_its_ttl_is_purged(
    open_session: OpenSession, raw: sa.Connection
) -> None:
    past, present = open_session("past"), open_session("present")
    past.store("session", b"data", 0.001)
    present.store("session", b"data", 60)
    wait_until(lambda: past.fetch("session") is None, lambda: "it is still there")

    assert (past.purge(), present.purge(), past.purge()) == (1, 0, 0)
    assert columns(raw, past, "namespace") == ["present"]


def test_a_removed_session_leaves_no_row(
    open_session: OpenSession, raw: sa.Connection
) -> None:
    store = open_session()
    for remove in (lambda: store.discard("session"), store.drop):
        store.store("session", b"data", 60)
        remove()
        assert columns(raw, store, "namespace") == []


def test_old_sessions_are_purged_by_sql(
    open_session: OpenSession, raw: sa.Connection
) -> None:
    for id_ in ("old", "touched", "saved", "new"):
        open_session(id_).store("session", b"data", None)
    accessed = sa.column("accessed", sa.DateTime)
    table = sa.table(open_session()._described[0], accessed)
    day = timedelta(days=1)
    then = datetime.now() - day  # noqa: DTZ005  # as 1.x had it
    raw.execute(sa.update(table).values(accessed=then))
    open_session("touched").touch("session", None, datetime.now().timestamp())  # noqa: DTZ005
    open_session("saved").replace("session", b"data", b"more", None)
    open_session("new").store("session", b"data", None)

    raw.execute(sa.delete(table).where(table.c.accessed < then + day / 2))

    left = {
        id_ for id_ in ("old", "touched", "saved", "new") if open_session(id_).size()
    }
    assert left == {"touched", "saved", "new"}


def test_a_prefix_keeps_applications_apart(open_session: OpenSession) -> None:
    open_session(prefix="one:").store("session", b"one", 60)

    assert open_session(prefix="two:").fetch("session") is None


def test_a_session_of_1x_is_read_as_it_was_stored(
    open_session: OpenSession, raw: sa.Connection, former: sa.Table
) -> None:
    insert(raw, former, FORMER_ID, FORMER_PAYLOAD)

    found = open_session(FORMER_ID).fetch_accessed("session")

    assert found is not None
    assert pickle.loads(found[0]) == {"session": FORMER_PAYLOAD}
    assert found[1] is None


def test_a_session_of_1x_goes_on(
    options: Options, raw: sa.Connection, former: sa.Table
) -> None:
    insert(raw, former, FORMER_ID, FORMER_PAYLOAD)

    session = Session({}, id=FORMER_ID, **options)
    session["more"] = 1
    session.save()

    again = Session({}, id=FORMER_ID, **options)
    assert (again["user"], again["more"]) == ("ann", 1)
    assert raw.execute(sa.select(sa.func.count()).select_from(former)).scalar() == 1


def test_in_compat_mode_1x_reads_what_is_saved(
    options: Options, raw: sa.Connection, former: sa.Table
) -> None:
    insert(raw, former, FORMER_ID, FORMER_PAYLOAD)
    for id_ in (FORMER_ID, "f" * 32):
        session = Session({}, id=id_, mode="compat", timeout=3600, **options)
        session["more"] = 1
        session.save()

        query = sa.select(former.c.data).where(former.c.namespace == id_)
        payload = raw.execute(query).scalar_one()["session"]
        assert session._decrypt_data(payload)["more"] == 1


@pytest.mark.usefixtures("former")
def test_what_1x_may_have_extended_is_not_forgotten(open_session: OpenSession) -> None:
    store = open_session(FORMER_ID)
    payload = pickle.dumps({"session": FORMER_PAYLOAD})

    store.replace("session", None, payload, 0.001)
    assert store.fetch("session") == payload
    store.touch("session", 0.001, 1234.5)
    assert store.fetch("session") == payload
    store.replace("session", payload, b"of today", 0.001)
    wait_until(lambda: store.fetch("session") is None, lambda: "it is still there")


def test_tables_of_1x_get_the_columns_that_they_lack_once(
    open_session: OpenSession, raw: sa.Connection, former: sa.Table
) -> None:
    open_session().store("session", b"data", 60)

    found = {column["name"] for column in sa.inspect(raw).get_columns(former.name)}
    indexes = {index["name"] for index in sa.inspect(raw).get_indexes(former.name)}
    assert found == {*former.c.keys(), "touched", "expires"}
    assert f"ix_{former.name}_expires" in indexes


def test_1x_goes_on_in_a_table_of_ours(
    open_session: OpenSession, raw: sa.Connection, table_name: str
) -> None:
    open_session("ours").store("session", b"data", 60)
    former = described_by_1x(table_name)

    insert(raw, former, FORMER_ID, FORMER_PAYLOAD)

    assert open_session(FORMER_ID).fetch("session") is not None


def test_a_session_is_locked_among_all(options: Options) -> None:
    one = Session({}, id="id", **options)
    other = Session({}, id="id", **options)
    one.lock()
    lease = other._settings.opener.open("id.lock").lease("session")

    assert not lease.acquire(wait=False)
    one.unlock()
    assert lease.acquire(wait=False)
    lease.release()


def test_a_session_is_not_filled_by_a_lease(open_session: OpenSession) -> None:
    store = open_session()
    lease = store.lease("session")

    with pytest.raises(UnsupportedOperationError, match="fill a session"):
        store.fill("session", b"data", 60, lease)


def columns(
    raw: sa.Connection, store: DatabaseNamespaceManager, name: str
) -> list[Any]:
    """Return what a column of a table holds."""
    table = sa.table(store._described[0], sa.column(name))
    return list(raw.execute(sa.select(table.c[name])).scalars())


def test_caches_and_sessions_do_not_mix(
    open_namespace: OpenNamespace, url: str, prefix: str
) -> None:
    given = {"prefix": prefix, "store_timeout": PATIENT, "purpose": "session"}
    session = DatabaseNamespaceManager("name", url, **given)
    session.store("session", b"of the session", 60)
    cache = open_namespace("name")
    cache.store("session", b"of the cache", 60)

    cache.drop()

    assert session.fetch("session") == b"of the session"


def test_the_database_and_its_sessions_are_told(open_namespace: OpenNamespace) -> None:
    session = open_namespace("a" * 32, purpose="session")
    session.set_value("session", "data", 60)

    assert session.version() is not None
    assert list(session.session_ids()) == ["a" * 32]
