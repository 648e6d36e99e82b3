"""One SQLite database: a connection for each thread, and none across a fork."""

from __future__ import annotations

import errno
import math
import os
import shutil
import sqlite3
import threading
import weakref
from collections.abc import Callable, Iterable
from contextlib import suppress
from time import monotonic
from typing import Any, NoReturn, TypeVar

from beaker._locks.waiting import Patience, pause
from beaker.backends._forks import Undivided
from beaker.backends._odd_text import Parameters, encodable
from beaker.backends._private import PrivateFiles
from beaker.exceptions import StoreRefusedError
from beaker.perprocess import PerProcess

__all__ = ["Database"]

T = TypeVar("T")

# To close a file gives up all locks that this process has on it, those of SQLite in
# other threads too: so nobody connects while another makes the file.
_opening = PerProcess(threading.Lock)

#: Seconds between two looks at whether a file that is read was removed by hand.
LOOK_EVERY = 0.1

#: Bytes of data for which it is worth asking the disk whether it has room.
LARGE = 64 * 1024

#: How often the directory may vanish while we open the file.
_ATTEMPTS = 10

# With NORMAL the last changes may be missing after a loss of power; all else is
# whole. The log of changes is cut to 16 MiB when it was worked in.
_SETTINGS = "PRAGMA synchronous = NORMAL; PRAGMA journal_size_limit = 16777216;"

#: Somebody else is at it, or the statement was wrong: the next one may work.
_MOMENTARY = frozenset(
    (
        None,
        sqlite3.SQLITE_BUSY,
        sqlite3.SQLITE_INTERRUPT,
        sqlite3.SQLITE_LOCKED,
        sqlite3.SQLITE_MISUSE,
        sqlite3.SQLITE_PROTOCOL,
        sqlite3.SQLITE_TOOBIG,
    )
)
#: The disk fails, or memory does. All else wants somebody to change something.
_AWAY = frozenset((sqlite3.SQLITE_IOERR, sqlite3.SQLITE_NOMEM))
_FORBIDDEN = frozenset(
    (sqlite3.SQLITE_CANTOPEN, sqlite3.SQLITE_PERM, sqlite3.SQLITE_READONLY)
)


class Link(Undivided):
    """One thread's connection, which is closed for a fork and opened when needed.

    Attributes:
        connection: None if it is not open.
        identity: Which file it leads to, for a path may come to mean another one.
        look_at: When to look whether it has, on the monotonic clock.
    """

    __slots__ = ("_leaked", "connection", "identity", "look_at")

    def __init__(self) -> None:
        super().__init__()
        self.connection: sqlite3.Connection | None = None
        self.identity: tuple[int, int] | None = None
        self.look_at = 0.0

    def close(self) -> None:
        """Close the connection if it is open."""
        connection, self.connection = self.connection, None
        if connection is not None:
            connection.close()

    def abandon(self) -> None:
        """Leave the connection open: to close it here would disturb the parent."""
        self._leaked, self.connection = self.connection, None

    def __del__(self) -> None:
        self.close()


class Database:
    """Runs statements in any thread, each a transaction of its own.

    If its file is removed by hand it begins again with an empty one: at once for
    what is written, a moment later for what is read.

    Args:
        path: The file; made, with its directory, when first used.
        schema: Makes the tables where they are missing.
        files: Guards the directory.
        patience: Seconds to wait for another's change to end.
    """

    def __init__(
        self, path: str, schema: str, files: PrivateFiles, patience: float
    ) -> None:
        self.path, self._schema = path, schema
        self._files, self._patience = files, patience
        self._links: weakref.WeakSet[Link] = weakref.WeakSet()
        self._here = _Here(self._links)

    def first(self, sql: str, parameters: Parameters) -> Any:
        """Return the first row that a query finds, or None."""
        # Written out, for this is the way of every hit.
        link = self._here.link
        with link.lock:
            connection = link.connection
            if connection is None or monotonic() >= link.look_at:
                connection = self._looked(link)
            try:
                return connection.execute(sql, parameters).fetchone()
            except sqlite3.Error as error:
                self._explain(error, link)
            except UnicodeEncodeError:
                return connection.execute(sql, encodable(parameters)).fetchone()

    def every(self, sql: str, parameters: Parameters) -> list[Any]:
        """Return all rows that a query finds."""
        return self._do(lambda c, p: c.execute(sql, p).fetchall(), parameters)

    def change(self, sql: str, parameters: Parameters, size: int = 0) -> int:
        """Run a statement and return how many rows it changed.

        Args:
            sql: The statement.
            parameters: Its parameters.
            size: How many bytes of data it writes.

        Raises:
            StoreRefusedError: The disk has no room for them.
        """
        if size > LARGE:
            self._have_room(size)
        return self._do(lambda c, p: c.execute(sql, p).rowcount, parameters)

    def change_all(self, sql: str, several: Iterable[Parameters], size: int = 0) -> int:
        """Run a statement with several parameters; all take effect or none does."""
        if size > LARGE:
            self._have_room(size)

        def together(connection: sqlite3.Connection, rows: Parameters) -> int:
            with connection:
                connection.execute("BEGIN IMMEDIATE")
                return connection.executemany(sql, rows).rowcount

        return self._do(together, tuple(encodable(each) for each in several))

    def close(self) -> None:
        """Close the connections of all threads."""
        for link in list(self._links):
            with link.lock:
                link.close()

    def _have_room(self, size: int) -> None:
        # What SQLite cannot finish stays in its log, as far as the disk went: no room
        # would be left for anything else, nor for emptying the log.
        needed = 2 * size  # Once in the log, and once in the table.
        if self._room() >= needed:
            return
        with suppress(sqlite3.Error, StoreRefusedError):
            self.every("PRAGMA wal_checkpoint(TRUNCATE)", ())
        room = self._room()
        if room < needed:
            raise self._files.full(f"{size} bytes need {needed}, and {room} are free")

    def _room(self) -> float:
        try:
            return shutil.disk_usage(os.path.dirname(self.path)).free
        except OSError:
            # The statement will find out why.
            return math.inf

    def _do(
        self,
        operation: Callable[[sqlite3.Connection, Parameters], T],
        parameters: Parameters,
    ) -> T:
        link = self._here.link
        with link.lock:
            connection = self._looked(link)
            try:
                return operation(connection, parameters)
            except sqlite3.Error as error:
                self._explain(error, link)
            except UnicodeEncodeError:
                return operation(connection, encodable(parameters))

    def _looked(self, link: Link) -> sqlite3.Connection:
        with self._files:
            connection = link.connection
            if connection is None or link.identity != _identity(self.path):
                link.close()
                connection = self._opened(link)
        link.look_at = monotonic() + LOOK_EVERY
        return connection

    def _opened(self, link: Link) -> sqlite3.Connection:
        for _ in range(_ATTEMPTS):
            with suppress(FileNotFoundError), _opening():
                self._files.make(os.path.dirname(self.path))
                # SQLite gives its other files the rights of this one.
                self._files.add(self.path)
                # Before we connect: if the file changes in between, we look again.
                link.identity = _identity(self.path)
                try:
                    link.connection = self._connected()
                except sqlite3.Error as error:
                    if os.path.exists(self.path):
                        self._explain(error, link)
                else:
                    return link.connection
        raise FileNotFoundError(errno.ENOENT, "its directory disappears", self.path)

    def _connected(self) -> sqlite3.Connection:
        connection = sqlite3.connect(
            self.path,
            timeout=self._patience,
            isolation_level=None,
            check_same_thread=False,
        )
        try:
            self._set_up(connection)
        except BaseException:
            connection.close()
            raise
        return connection

    def _set_up(self, connection: sqlite3.Connection) -> None:
        mode = self._begin_log(connection)
        if mode != "wal":
            cause = f"SQLite cannot keep a log beside {self.path}: its mode is {mode!r}"
            remedy = "set the option 'data_dir' to a directory on a local disk"
            raise StoreRefusedError(str(self._files.place), cause, remedy)
        connection.executescript(_SETTINGS + self._schema)

    def _begin_log(self, connection: sqlite3.Connection) -> Any:
        patience = Patience(timeout=self._patience)
        while True:
            try:
                return connection.execute("PRAGMA journal_mode = WAL").fetchone()[0]
            except sqlite3.OperationalError as error:
                # For this one statement SQLite itself does not wait.
                if _code(error) != sqlite3.SQLITE_BUSY or patience.is_over():
                    raise
                pause()

    def _explain(self, error: sqlite3.Error, link: Link) -> NoReturn:
        code = _code(error)
        if code in _MOMENTARY:
            raise error
        # Whoever repairs it shall not have to restart us.
        link.close()
        if code in _AWAY:
            raise error
        if code == sqlite3.SQLITE_FULL:
            raise self._files.full(str(error)) from error
        cause = f"{self.path}: {error}"
        if code in _FORBIDDEN:
            raise self._files.refusal(cause) from error
        remedy = (
            f"put back a copy of it, or stop what uses it and remove {self.path}* "
            f"and with it all that was stored"
        )
        raise StoreRefusedError(str(self._files.place), cause, remedy) from error


class _Here(threading.local):
    """What each thread has of its own."""

    def __init__(self, links: weakref.WeakSet[Link]) -> None:
        self.link = Link()
        links.add(self.link)


def _code(error: sqlite3.Error) -> int | None:
    # The lower byte is the kind of error. Python's own have none.
    code: int | None = getattr(error, "sqlite_errorcode", None)
    return None if code is None else code & 0xFF


def _identity(path: str) -> tuple[int, int] | None:
    try:
        info = os.stat(path)
    except FileNotFoundError:
        return None
    return info.st_dev, info.st_ino
