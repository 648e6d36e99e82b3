"""From a URL to an engine: each statement a transaction, and none beyond its time."""

from __future__ import annotations

import contextlib
import math
import sqlite3
import time
from collections.abc import Mapping
from typing import Any

import sqlalchemy as sa
from sqlalchemy import exc
from sqlalchemy.pool import QueuePool

from beaker.exceptions import InvalidCacheBackendError, InvalidOptionError
from beaker_sqla.dialects import DIALECTS

__all__ = ["open_engine", "parsed", "without_password"]

#: Seconds to wait, at least, for other threads of this process to be done, and in
#: SQLite for other writers: it lets those who wait in by chance, not in turn.
PATIENCE = 5.0

#: Connections of one process: they are used for a millisecond each.
CONNECTIONS = 8

_TAKES = (
    "a URL of SQLAlchemy for sqlite, postgresql, mysql or mariadb, such as "
    "postgresql+psycopg://user:password@host/database"
)

# Nothing is begun, so nothing need be rolled back: that would be a round trip more.
_ALONE: Mapping[str, Any] = {
    "isolation_level": "AUTOCOMMIT",
    "skip_autocommit_rollback": True,
    "pool_reset_on_return": None,
    # Sessions have no place in the logs.
    "hide_parameters": True,
}


def parsed(url: str) -> sa.URL:
    """Return a URL.

    Raises:
        InvalidOptionError: It is none, or one of a database that we do not know.
    """
    try:
        found = sa.make_url(url)
        dialect = found.get_dialect()
    except (exc.ArgumentError, exc.NoSuchModuleError, ValueError):
        shown = f"{url.partition(':')[0]}:..."
        raise InvalidOptionError("url", shown, _TAKES, "ext:database") from None
    if dialect.name not in DIALECTS:
        raise InvalidOptionError("url", without_password(found), _TAKES, "ext:database")
    if dialect.is_async:
        takes = "a URL whose driver is not for asyncio"
        raise InvalidOptionError("url", without_password(found), takes, "ext:database")
    return found


def without_password(url: sa.URL) -> str:
    """Return a URL without user, password and query."""
    bare = sa.URL.create(url.drivername, None, None, url.host, url.port, url.database)
    return bare.render_as_string()


def open_engine(
    url: sa.URL, given: Mapping[str, Any], deadline: float, place: str
) -> sa.Engine:
    """Return an engine; it connects when it is first used.

    Args:
        url: Where the database is. What it says in its query wins.
        given: What the user wants of `sqlalchemy.create_engine`: this wins too.
        deadline: Seconds that an answer may take; 0: as long as it likes.
        place: The store's name and where it is, for errors.

    Raises:
        InvalidCacheBackendError: The driver is not installed.
        InvalidOptionError: `given` has what no engine takes.
    """
    # A pool of another kind is for its user to set up.
    pool = {} if "poolclass" in given else _pool(url, deadline)
    arguments = {**_arguments(url, deadline), **given.get("connect_args", {})}
    settings = {**pool, **_of_driver(url), **given, **_ALONE}
    try:
        engine = sa.create_engine(url, **{**settings, "connect_args": arguments})
    except ModuleNotFoundError as e:
        raise InvalidCacheBackendError(
            f"{place} needs the driver {e.name!r}; install it with: pip install "
            f"{_WHEELS.get(e.name or '', e.name)}, or name another in the option 'url'"
        ) from e
    except (TypeError, ValueError, exc.ArgumentError) as e:
        takes = f"what sqlalchemy.create_engine() takes: {e}"
        raise InvalidOptionError("sa_opts", sorted(given), takes) from e
    is_told = {"connect_timeout"} & {*url.query, *given.get("connect_args", {})}
    _listen(engine, url, deadline, bounds_connecting=not is_told)
    return engine


#: What brings a driver whose wheel has another name, or does not suffice.
_WHEELS = {
    "MySQLdb": "mysqlclient",
    "psycopg": "'beaker-sqla[postgresql]>=2'",
    "psycopg2": "psycopg2-binary",
    "pymysql": "'beaker-sqla[mysql]>=2'",
}


def _is_in_memory(url: sa.URL) -> bool:
    if url.get_backend_name() != "sqlite":
        return False
    return url.database in (None, "", ":memory:") or url.query.get("mode") == "memory"


def _pool(url: sa.URL, deadline: float) -> dict[str, Any]:
    return {
        "poolclass": QueuePool,
        # What is in memory is seen by one connection only.
        "pool_size": 1 if _is_in_memory(url) else CONNECTIONS,
        "max_overflow": 0,
        # That others of us are busy is no fault of the server.
        "pool_timeout": max(deadline, PATIENCE),
    }


def _of_driver(url: sa.URL) -> dict[str, Any]:
    # To learn of a type that we do not use would be a round trip.
    if url.get_driver_name() in {"psycopg", "psycopg2"}:
        return {"use_native_hstore": False}
    return {}


def _arguments(url: sa.URL, deadline: float) -> dict[str, Any]:
    driver, ours = url.get_driver_name(), dict[str, Any]()
    if driver == "pysqlite":
        ours = {"timeout": max(deadline, PATIENCE), "check_same_thread": False}
    elif driver in {"psycopg", "psycopg2"} and deadline:
        # The least that libpq takes; with psycopg we do better, see below.
        ours = {"connect_timeout": max(2, math.ceil(deadline))}
    elif driver in {"pymysql", "mysqldb"}:
        # Else what is too long for a column might be cut off.
        ours = {"sql_mode": "STRICT_ALL_TABLES"}
        if deadline:
            seconds = deadline if driver == "pymysql" else math.ceil(deadline)
            names = ("connect_timeout", "read_timeout", "write_timeout")
            ours |= dict.fromkeys(names, seconds)
    return {name: value for name, value in ours.items() if name not in url.query}


def _listen(
    engine: sa.Engine, url: sa.URL, deadline: float, *, bounds_connecting: bool
) -> None:
    driver = url.get_driver_name()
    if driver == "pysqlite" and not _is_in_memory(url):
        sa.event.listen(engine, "connect", _begin_log)
    elif driver == "psycopg" and deadline:
        from beaker_sqla.psycopgconnection import connect_within

        connect = connect_within(deadline, bounds_connecting=bounds_connecting)
        sa.event.listen(engine, "do_connect", connect)


def _begin_log(connection: Any, _record: object) -> None:
    # Readers then wait for nobody. Where a log is not possible it goes without.
    gives_up_at = time.monotonic() + PATIENCE
    cursor = connection.cursor()
    with contextlib.closing(cursor):
        while True:
            try:
                cursor.execute("PRAGMA journal_mode = WAL")
                break
            except sqlite3.OperationalError as e:
                # For this one statement SQLite itself does not wait.
                is_busy = e.sqlite_errorcode & 0xFF == sqlite3.SQLITE_BUSY
                if not is_busy or time.monotonic() >= gives_up_at:
                    raise
                time.sleep(0.02)
        cursor.execute("PRAGMA synchronous = NORMAL")
