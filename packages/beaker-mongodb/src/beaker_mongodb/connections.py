"""From a URL to a client: one that keeps its deadline and leaves retrying to us."""

from __future__ import annotations

import threading
import time
from typing import Any
from urllib.parse import SplitResult, parse_qsl, unquote_plus, urlsplit

import pymongo
from pymongo import MongoClient
from pymongo.errors import (
    ConfigurationError,
    InvalidURI,
    PyMongoError,
    ServerSelectionTimeoutError,
)

from beaker.exceptions import InvalidOptionError, MissingCacheParameter
from beaker_mongodb.layout import Client, Collections

__all__ = ["Link", "connect", "database_of", "without_password"]

_TAKES = (
    "mongodb://host:port/database, mongodb://host,host/database?replicaSet=name, "
    "or mongodb+srv://name/database"
)

#: Seconds that a server may take to let a client go.
LEAVE_WITHIN = 0.2

#: Seconds between two looks at whether a server was found.
_LOOKS_EVERY = 0.002


def connect(url: str, deadline: float) -> Client:
    """Return a client; it begins to look for its servers at once, in the background.

    What the URL says in its query wins over what we set.

    Args:
        url: As the option takes it.
        deadline: Seconds that an operation may take; 0: as long as it likes.

    Raises:
        InvalidOptionError: This is no URL of MongoDB.
    """
    given = {name.lower() for name, _ in parse_qsl(_split(url).query)}
    settings = {
        name: value
        for name, value in _settings(deadline).items()
        if name.lower() not in given
    }
    try:
        return MongoClient(url, **settings)
    except (InvalidURI, ConfigurationError, ValueError, TypeError) as e:
        if type(e.__context__).__module__.startswith("dns."):
            # It is the names that are not to be had, not their URL that is wrong.
            raise ServerSelectionTimeoutError(str(e)) from e
        # What it quotes may be a piece of a password that was not percent-encoded.
        takes = f"{_TAKES}; {e}" if "@" not in url else _TAKES
        raise InvalidOptionError(
            "url", without_password(url), takes, "ext:mongodb"
        ) from None


class Link:
    """The way to a database by a client of ours, made anew when its servers are lost.

    A client that has lost them looks for them every half second or more rarely, and who
    waits for it waits half a second at least. A new one finds them at once.

    Args:
        url: As the option takes it.
        deadline: Seconds that an operation may take; 0: as long as it likes.
        database: The name of the database.
    """

    def __init__(self, url: str, deadline: float, database: str) -> None:
        self._url, self._deadline, self._database = url, deadline, database
        self._lock = threading.Lock()
        self._connect()

    def reached(self) -> Collections:
        """Return the collections, by a client that knows a server.

        Raises:
            ServerSelectionTimeoutError: None was found within the deadline.
        """
        collections = self._collections
        if not collections.client.topology_description.has_known_servers:
            collections = self._renewed(collections)
            self._await_server(collections.client)
        self._has_found = True
        return collections

    def close(self) -> None:
        """Close the client."""
        _close(self._collections.client)

    def _connect(self) -> None:
        self._collections = Collections(
            connect(self._url, self._deadline), self._database
        )
        self._made_at, self._has_found = time.monotonic(), False

    def _renewed(self, lost: Collections) -> Collections:
        with self._lock:
            age = time.monotonic() - self._made_at
            may_find = not self._has_found and age < (self._deadline or 1)
            if self._collections is lost and not may_find:
                self._connect()
                # Who is just using it is told so, and asks for the new one.
                _close(lost.client)
            return self._collections

    def _await_server(self, client: Client) -> None:
        gives_up_at = time.monotonic() + (self._deadline or float("inf"))
        while True:
            found = client.topology_description
            if found.has_known_servers:
                return
            errors = [one.error for one in found.server_descriptions().values()]
            if all(errors) or time.monotonic() >= gives_up_at:
                causes = ", ".join(str(error) for error in errors if error)
                message = causes or f"no answer within {self._deadline:g} seconds"
                cause = next((error for error in errors if error), None)
                raise ServerSelectionTimeoutError(message) from cause
            time.sleep(_LOOKS_EVERY)


def database_of(url: str | Client) -> str:
    """Return the name of the default database of a URL or a client.

    Raises:
        InvalidOptionError: This is no URL of MongoDB.
        MissingCacheParameter: It has none.
    """
    # pymongo takes a bare host, of which a part would be taken for the database.
    if isinstance(url, str) and not url.startswith(("mongodb://", "mongodb+srv://")):
        shown = "..." if "@" in url else url.partition("?")[0]
        raise InvalidOptionError("url", shown, _TAKES, "ext:mongodb")
    name = _named_by(url)
    if name:
        return name
    lacking = (
        f"ext:mongodb at {without_password(url)}: the option 'url' names no database; "
        if isinstance(url, str)
        else "ext:mongodb: the given client has no default database; "
    )
    raise MissingCacheParameter(
        f"{lacking}write one after the host, as in mongodb://localhost:27017/beaker"
    )


def without_password(url: str) -> str:
    """Return a URL without user, password and query."""
    parts = _split(url)
    if "@" in url and "@" not in parts.netloc:
        # Something in the password was not percent-encoded: it may be anywhere.
        return f"{parts.scheme}://..."
    return f"{parts.scheme}://{parts.netloc.rpartition('@')[2]}{parts.path}"


def _close(client: Client) -> None:
    # It takes leave of its server, but does not begin to look for one that is gone.
    is_there = client.topology_description.has_known_servers
    with pymongo.timeout(LEAVE_WITHIN if is_there else 1e-6):
        client.close()


def _split(url: str) -> SplitResult:
    try:
        return urlsplit(url)
    except ValueError:
        # pymongo will say what is wrong with it.
        return SplitResult("mongodb", "...", "/...", "", "")


def _named_by(url: str | Client) -> str:
    if isinstance(url, str):
        # The collection that may follow the database is not ours to choose.
        return unquote_plus(_split(url).path.lstrip("/")).partition(".")[0]
    try:
        return url.get_default_database().name
    except PyMongoError:
        return ""


def _settings(deadline: float) -> dict[str, Any]:
    settings: dict[str, Any] = {
        # The deadline is for the operation, not for each of several attempts.
        "retryWrites": False,
        "retryReads": False,
        # What was acknowledged outlives the server, and the failover to another.
        "w": "majority",
        "appname": "beaker",
    }
    if deadline:
        milliseconds = max(1, round(deadline * 1000))
        settings["timeoutMS"] = milliseconds
        settings["serverSelectionTimeoutMS"] = milliseconds
        settings["connectTimeoutMS"] = milliseconds
    return settings
