"""The way to Datastore: a request, and its answer or a typed error."""

from __future__ import annotations

import time
from collections.abc import Hashable
from functools import partial
from typing import Any

import requests
from google.api_core.exceptions import Conflict, DeadlineExceeded, GoogleAPICallError
from google.auth.exceptions import GoogleAuthError
from google.cloud.datastore import Client
from google.protobuf.message import DecodeError
from urllib3.exceptions import ProtocolError

from beaker.container import PerProcess, shared_client
from beaker.exceptions import InvalidOptionError
from beaker_google.addresses import Address
from beaker_google.connections import Link
from beaker_google.refusals import refusal

__all__ = ["Patience", "Service"]


class Patience:
    """What is left of the time that one operation may take.

    Args:
        seconds: How long it may take; 0: as long as it likes.
    """

    __slots__ = ("_ends", "_seconds")

    def __init__(self, seconds: float) -> None:
        self._seconds = seconds
        self._ends = time.monotonic() + seconds

    def left(self) -> float | None:
        """Return the seconds left; None: it never ends.

        Raises:
            DeadlineExceeded: None are.
        """
        if not self._seconds:
            return None
        left = self._ends - time.monotonic()
        if left <= 0:
            raise DeadlineExceeded(f"not done within {self._seconds:g} seconds")
        return left


class Service:
    """A database of Datastore, reached by URL or by a client that the user made.

    The clients made here are shared by URL within the process, and a forked child
    makes its own. A client that was passed in is used as it is.

    Args:
        url: Its URL, or a client; None: as the environment says.
        deadline: Seconds that an operation may take; 0: as long as it likes.

    Raises:
        InvalidOptionError: The URL is none of Datastore.
    """

    __slots__ = ("_address", "_client", "_deadline", "_given", "identity")

    #: What this service has in common with no other.
    identity: Hashable

    def __init__(self, url: str | Client | None, deadline: float) -> None:
        self._deadline = deadline
        self._given: Client | None = None
        if url is None or isinstance(url, str):
            self._address = Address.parse(url)
        elif isinstance(url, Client):
            self._given = url
            self._address = Address(url.project, url.database, url.namespace)
        else:
            takes = "a URL or a google.cloud.datastore.Client"
            raise InvalidOptionError("url", url, takes, "ext:google")
        self.identity = ("ext:google", self._given or self._address)
        # Looked up once per process, for every hit needs it.
        made = partial(_made, self.identity, self._address, self.place())
        self._client = PerProcess(made)

    @property
    def client(self) -> Client:
        """This process's client.

        Raises:
            StoreRefusedError: It is ours, and finds no credentials or no project.
        """
        if self._given is not None:
            return self._given
        return self._client()

    def patience(self) -> Patience:
        """Return the time that one operation may take, beginning now."""
        return Patience(self._deadline)

    def ask(self, method: str, within: Patience, **request: Any) -> Any:
        """Return the answer to one request.

        A server closes a connection that was idle for long when it likes, which may
        be when we have begun to use it: then the request is made once more. It may
        have been carried out already. A change that names the version of what it
        changes is told of a conflict then, and looks again; one that names none
        comes to the same.

        Args:
            method: Its name: "lookup", "commit" or "run_query".
            within: How long it may take.
            request: Its fields, but for the names of project and database.

        Raises:
            StoreRefusedError: Datastore says no.
            Conflict: Another has changed what this would have changed.
        """
        try:
            client = self.client
            request["project_id"] = client.project
            if client.database:
                request["database_id"] = client.database
            # The public methods of the client know transactions only, whose locks
            # outlive a process that is killed. The requests below them know the
            # version of an entity, which is all that a comparison needs.
            call = getattr(client._datastore_api, method)  # noqa: SLF001
            try:
                return call(request=request, retry=None, timeout=within.left())
            except requests.ConnectionError as e:
                if not _was_closed(e):
                    raise
                return call(request=request, retry=None, timeout=within.left())
        except Conflict:
            raise
        except (GoogleAPICallError, GoogleAuthError, DecodeError, OSError) as e:
            refused = refusal(e, self.place())
            if refused is not None:
                raise refused from e
            raise

    def partition(self) -> dict[str, str]:
        """Return where the entities are, as their keys say it."""
        client = self.client
        named = {
            "project_id": client.project,
            "database_id": client.database,
            "namespace_id": client.namespace,
        }
        return {name: value for name, value in named.items() if value}

    def place(self) -> str:
        """Return its name and where it is."""
        return f"ext:google at {self._address.place()}"


def _made(identity: Hashable, address: Address, place: str) -> Client:
    return shared_client(identity, lambda: Link(address, place), Link.close).client()


def _was_closed(error: requests.ConnectionError) -> bool:
    """Return whether the server closed the connection instead of answering."""
    return bool(error.args) and isinstance(error.args[0], ProtocolError)
