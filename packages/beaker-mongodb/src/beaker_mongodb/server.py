"""The way to a MongoDB server: its collections, and its answers or typed errors."""

from __future__ import annotations

import time
from collections.abc import Callable, Hashable
from functools import partial
from typing import TypeVar

from bson.errors import BSONError
from pymongo.errors import (
    AutoReconnect,
    InvalidOperation,
    NetworkTimeout,
    NotPrimaryError,
    PyMongoError,
    ServerSelectionTimeoutError,
)

from beaker.container import PerProcess, shared_client
from beaker.exceptions import MissingCacheParameter
from beaker_mongodb.connections import Link, database_of, without_password
from beaker_mongodb.layout import Client, Collections
from beaker_mongodb.refusals import AWAY, is_away, refusal

__all__ = ["Server"]

_T = TypeVar("_T")

#: What PyMongo says while it finds out whether a server that was lost is back, and how
#: often and after how many seconds we ask again then.
_PAUSED = "connection pool paused"
_ATTEMPTS, _PAUSE = 10, 0.02


class Server:
    """A server or a replica set, reached by URL or by a client that the user made.

    The clients made here are shared by URL within the process, and a forked child
    makes its own. A client that was passed in is used as it is.

    Args:
        url: Its URL, or a client.
        deadline: Seconds that an answer may take; 0: as long as it likes.

    Raises:
        MissingCacheParameter: There is no URL, or it names no database.
    """

    __slots__ = ("_database", "_given", "_key", "_link", "url")

    def __init__(self, url: str | Client | None, deadline: float) -> None:
        if url is None or url == "":
            raise MissingCacheParameter(
                "ext:mongodb needs the option 'url', "
                "such as mongodb://localhost:27017/beaker"
            )
        self.url = url
        self._database = database_of(url)
        self._key = ("ext:mongodb", url, deadline)
        self._given: Collections | None = None
        if isinstance(url, str):
            # Looked up once per process, for every hit needs it.
            link = partial(_linked, self._key, url, deadline, self._database)
            self._link = PerProcess(link)
        else:
            self._given = Collections(url, self._database)

    @property
    def identity(self) -> Hashable:
        """What this server has in common with no other."""
        return self._key

    @property
    def client(self) -> Client:
        """This process's client.

        Raises:
            ServerSelectionTimeoutError: It is ours, and finds no server.
        """
        return self._reached().client

    def ask(self, act: Callable[[Collections], _T], *, again: bool = True) -> _T:
        """Return what comes of an operation.

        Args:
            act: Does it, in one round trip.
            again: Whether it may be done a second time, if the connection was lost
                before the answer came: as it is after a restart of the server.

        Raises:
            StoreRefusedError: The server says no.
        """
        try:
            try:
                return act(self._reached())
            except (AutoReconnect, InvalidOperation) as e:
                if not self._may_repeat(e, again):
                    raise
                return self._repeated(act)
        except (PyMongoError, BSONError, OSError) as e:
            self._explain(e)
            raise

    def tell(self, act: Callable[[Collections], _T], *, again: bool = True) -> _T:
        """Do what writes records, and see to it that they have their indexes."""

        def written(to: Collections) -> _T:
            done = act(to)
            to.index(to.records)
            return done

        return self.ask(written, again=again)

    def place(self) -> str:
        """Return its name and where it is, without user and password."""
        if isinstance(self.url, str):
            return f"ext:mongodb at {without_password(self.url)}"
        hosts = ",".join(
            f"{host}:{port}"
            for host, port in self.url.topology_description.server_descriptions()
        )
        return f"ext:mongodb at mongodb://{hosts}/{self._database}"

    def _reached(self) -> Collections:
        if self._given is not None:
            return self._given
        return self._link().reached()

    def _repeated(self, act: Callable[[Collections], _T]) -> _T:
        for _ in range(_ATTEMPTS):
            try:
                return act(self._reached())
            except AutoReconnect as e:
                # Another thread has met the restart too: nothing was sent yet.
                if _PAUSED not in str(e):
                    raise
                time.sleep(_PAUSE)
        return act(self._reached())

    def _may_repeat(self, error: Exception, again: bool) -> bool:
        if self._given is not None:
            # What its user wants to be tried again, his client tries again.
            return False
        if isinstance(error, InvalidOperation):
            # Another thread has just made a new client: nothing was sent.
            return True
        lasts = NetworkTimeout | NotPrimaryError | ServerSelectionTimeoutError
        return again and not isinstance(error, lasts)

    def _explain(self, error: Exception) -> None:
        refused = refusal(error, self.place())
        if refused is not None:
            raise refused from error
        if is_away(error) and not isinstance(error, AWAY):
            raise AutoReconnect(str(error)) from error


def _linked(key: Hashable, url: str, deadline: float, database: str) -> Link:
    return shared_client(key, lambda: Link(url, deadline, database), Link.close)
