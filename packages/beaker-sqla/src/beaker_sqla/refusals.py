"""Tells a database that is away from one that refuses, and says what helps."""

from __future__ import annotations

import re
import sqlite3
from typing import Any

from sqlalchemy import exc

from beaker.exceptions import StoreRefusedError

__all__ = ["MissingTableError", "cause_of", "explained", "is_collision"]

_LOGIN = "check user and password in the option 'url'"
_DATABASE = "check the name of the database in the option 'url'"
_SCHEMA = "create the schema, or check the option 'schema_name'"
_ALLOW = (
    "let its owner make the tables, as the README of beaker-sqla says, and allow its "
    "user SELECT, INSERT, UPDATE and DELETE on them"
)
_LARGER_PACKETS = "raise max_allowed_packet of the server, or keep smaller values"
_LARGER_COLUMN = (
    "Beaker 1.x made the column too small: change it to LONGBLOB, as the README of "
    "beaker-sqla says"
)
_PATH = "check the path in the option 'url', and that this user may write there"
_FILE = "put back a copy of the file, or remove it and with it all that was stored"
_TABLES = "remove the tables, so that they are made anew, or see what changed them"
_ELSE = "see what the documentation of the database says of it"

#: Bytes from which on a lost connection may mean that they were too many.
_MANY = 1 << 18

#: MariaDB closed the connection.
_LOST = frozenset((2006, 2013))

#: What helps, by the code that PostgreSQL, MariaDB or SQLite gives.
_REMEDIES: dict[object, str] = {
    "28000": _LOGIN,
    "28P01": _LOGIN,
    "3D000": _DATABASE,
    "3F000": _SCHEMA,
    "42501": _ALLOW,
    1044: _ALLOW,
    1045: _LOGIN,
    1049: _DATABASE,
    1142: _ALLOW,
    1143: _ALLOW,
    1153: _LARGER_PACKETS,
    1227: _ALLOW,
    1406: _LARGER_COLUMN,
    1698: _LOGIN,
    ("sqlite", sqlite3.SQLITE_PERM): _PATH,
    ("sqlite", sqlite3.SQLITE_READONLY): _PATH,
    ("sqlite", sqlite3.SQLITE_CANTOPEN): _PATH,
    ("sqlite", sqlite3.SQLITE_CORRUPT): _FILE,
    ("sqlite", sqlite3.SQLITE_NOTADB): _FILE,
}

# PostgreSQL gives no code to those whom it does not let in.
_WORDS = (
    (re.compile("authentication failed|no password|no pg_hba.conf entry"), _LOGIN),
    (re.compile('role ".*" does not exist'), _LOGIN),
    (re.compile('database ".*" does not exist'), _DATABASE),
)

#: There is no such table, or no such column in it.
_MISSING = frozenset(("42P01", "42703", 1054, 1146, ("sqlite", sqlite3.SQLITE_ERROR)))

#: It became a replica: it is no longer the one it was.
_READ_ONLY = frozenset(("25006", 1290, 1792, 1836))

#: MariaDB or SQLite is busy, full, ill, or ending. Drivers call too much so.
_IN_TROUBLE = frozenset(
    (
        *(1021, 1037, 1038, 1040, 1041, 1053, 1114, 1129, 1158, 1159, 1160, 1161),
        *(1203, 1205, 1226, 1317, 1927, 1969, 3024, 4031),
        *range(2000, 3000),
        ("sqlite", sqlite3.SQLITE_BUSY),
        ("sqlite", sqlite3.SQLITE_FULL),
        ("sqlite", sqlite3.SQLITE_INTERRUPT),
        ("sqlite", sqlite3.SQLITE_IOERR),
        ("sqlite", sqlite3.SQLITE_LOCKED),
        ("sqlite", sqlite3.SQLITE_NOMEM),
        ("sqlite", sqlite3.SQLITE_PROTOCOL),
    )
)

#: Two statements were in each other's way, and this one gave way.
_COLLISIONS = frozenset(("40001", "40P01", 1020, 1213))


class MissingTableError(StoreRefusedError):
    """A table is missing, or a column that Beaker 1.x did not have."""


def is_collision(error: exc.SQLAlchemyError) -> bool:
    """Return whether a statement gave way to another one, and may be repeated."""
    return _code(error) in _COLLISIONS


def explained(error: exc.SQLAlchemyError, store: str, sent: int = 0) -> Exception:
    """Return what to raise: `ConnectionError` or `StoreRefusedError`.

    Args:
        error: What SQLAlchemy raised.
        store: The store's name and place.
        sent: How many bytes were being sent on connections that broke at once.
    """
    said, code = _said(error), _code(error)
    if code in _MISSING:
        return MissingTableError(store, said, _TABLES)
    remedy = _REMEDIES.get(code)
    if remedy is None and code is None and isinstance(error, exc.OperationalError):
        remedy = next((helps for words, helps in _WORDS if words.search(said)), None)
    if remedy is None and sent > _MANY and code in _LOST:
        remedy = _LARGER_PACKETS
    if remedy is None and not _means_away(error, code):
        remedy = _ELSE
    if remedy is None:
        return ConnectionError(said)
    return StoreRefusedError(store, said, remedy)


def cause_of(error: exc.SQLAlchemyError) -> BaseException:
    """Return what a driver raised; SQLAlchemy adds what was sent, such as a session."""
    cause: BaseException | None = getattr(error, "orig", None)
    return cause or error


def _said(error: exc.SQLAlchemyError) -> str:
    cause = getattr(error, "orig", None)
    arguments = getattr(cause, "args", ())
    # PyMySQL puts a number first.
    return str(arguments[-1] if arguments else cause or error).strip()


def _means_away(error: exc.SQLAlchemyError, code: object) -> bool:
    if not isinstance(error, exc.DBAPIError):
        # All connections are in use for too long, and the like.
        return isinstance(error, exc.TimeoutError | exc.DisconnectionError)
    if error.connection_invalidated or code in _READ_ONLY:
        return True
    if isinstance(code, int | tuple):
        return code in _IN_TROUBLE
    return isinstance(error, exc.OperationalError | exc.InterfaceError)


def _code(error: exc.SQLAlchemyError) -> object:
    cause: Any = getattr(error, "orig", None)
    if isinstance(cause, sqlite3.Error):
        # The lower byte is the kind of error.
        return "sqlite", getattr(cause, "sqlite_errorcode", 0) & 0xFF
    arguments = getattr(cause, "args", ())
    if arguments and isinstance(arguments[0], int):
        return arguments[0]
    return getattr(cause, "sqlstate", None) or getattr(cause, "pgcode", None)
