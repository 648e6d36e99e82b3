"""The way to a MongoDB server: its collections, and its answers or typed errors."""

from __future__ import annotations

import logging
import os
import time
from collections.abc import Callable, Hashable
from typing import Any, TypeVar

import pymongo
from bson.codec_options import CodecOptions
from bson.errors import BSONError
from pymongo import IndexModel
from pymongo.collection import Collection
from pymongo.errors import (
    AutoReconnect,
    InvalidOperation,
    NetworkTimeout,
    NotPrimaryError,
    PyMongoError,
    ServerSelectionTimeoutError,
)

from beaker.container import shared_client
from beaker.exceptions import MissingCacheParameter
from beaker_mongodb.connections import Client, Link, database_of, without_password
from beaker_mongodb.refusals import AWAY, is_away, refusal

__all__ = ["Collections", "Documents", "Server"]

_T = TypeVar("_T")

_log = logging.getLogger("beaker.store.ext:mongodb")

Documents = Collection[dict[str, Any]]

#: Seconds that the making of indexes may take.
INDEX_PATIENCE = 5.0

#: Seconds for which it is believed that there are sessions of 1.x, or none.
FORMER_CHECKED_EVERY = 60.0

_EXPIRY = IndexModel("expires", expireAfterSeconds=0)
_NAMESPACE = IndexModel(
    # Sessions and locks have no namespace, and no need to be in there.
    "namespace",
    partialFilterExpression={"namespace": {"$exists": True}},
)


class Collections:
    """The collections of one client.

    Attributes:
        records: Those of 2.x, with the leases on them.
        former: The sessions of 1.x, under the name that it misspelt.
        locks: Those of `MongoSynchronizer`.
    """

    __slots__ = (
        "_former_checked",
        "_has_former",
        "_indexed",
        "client",
        "former",
        "locks",
        "records",
    )

    def __init__(self, client: Client, database: str) -> None:
        self.client = client
        # Whatever its user has set for documents of his own.
        plain: Any = CodecOptions()
        chosen = client.get_database(database, codec_options=plain)
        self.records: Documents = chosen["beaker_cache"]
        self.former: Documents = chosen["backer_cache"]
        self.locks: Documents = chosen["beaker_locks"]
        self._indexed: set[str] = set()
        self._has_former, self._former_checked = False, -FORMER_CHECKED_EVERY

    def index(self, written: Documents) -> None:
        """Make the indexes of a collection that was written to, once per client.

        Where they are made already, or are being made by another, that is all right.
        """
        name = written.name
        if name in self._indexed:
            return
        wanted = [_EXPIRY, _NAMESPACE] if name == self.records.name else [_EXPIRY]
        try:
            with pymongo.timeout(INDEX_PATIENCE):
                written.create_indexes(wanted)
        except AWAY as e:
            # The document is written, and the next who writes makes them.
            _log.debug("%s has no indexes yet: %s", name, e)
        else:
            self._indexed.add(name)

    def has_former(self) -> bool:
        """Return whether there are sessions of 1.x, as of a minute ago at most."""
        now = time.monotonic()
        if now >= self._former_checked + FORMER_CHECKED_EVERY:
            self._has_former = self.former.find_one({}, {"_id": 1}) is not None
            self._former_checked = now
        return self._has_former


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

    __slots__ = ("_collections", "_database", "_deadline", "_key", "_link", "url")

    def __init__(self, url: str | Client | None, deadline: float) -> None:
        if url is None or url == "":
            raise MissingCacheParameter(
                "ext:mongodb needs the option 'url', "
                "such as mongodb://localhost:27017/beaker"
            )
        self.url, self._deadline = url, deadline
        self._database = database_of(url)
        self._key = ("ext:mongodb", url, deadline)
        # Looked up once per process, for every hit needs it.
        self._link: tuple[int, Link | None] = (0, None)
        self._collections: Collections | None = None

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
        url = self.url
        if not isinstance(url, str):
            return url
        process, link = self._link
        if link is None or process != os.getpid():
            link = shared_client(
                self._key, lambda: Link(url, self._deadline), Link.close
            )
            self._link = os.getpid(), link
        return link.client()

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
                if not (again and self._is_stale(e)):
                    raise
                return act(self._reached())
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
        client = self.client
        found = self._collections
        if found is None or found.client is not client:
            found = self._collections = Collections(client, self._database)
        return found

    def _is_stale(self, error: Exception) -> bool:
        if not isinstance(self.url, str):
            # What its user wants to be tried again, his client tries again.
            return False
        if isinstance(error, InvalidOperation):
            # Another thread has just made a new one in its place.
            return self._collections is None or self._collections.client is not (
                self.client
            )
        lasts = NetworkTimeout | NotPrimaryError | ServerSelectionTimeoutError
        return not isinstance(error, lasts)

    def _explain(self, error: Exception) -> None:
        refused = refusal(error, self.place())
        if refused is not None:
            raise refused from error
        if is_away(error) and not isinstance(error, AWAY):
            raise AutoReconnect(str(error)) from error
