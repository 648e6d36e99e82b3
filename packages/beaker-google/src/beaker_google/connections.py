"""From an address to a client: one that keeps its deadline and can be forked."""

from __future__ import annotations

import os
import threading
import time
from typing import NamedTuple

import google.auth
import requests
from google.auth.credentials import AnonymousCredentials, Credentials
from google.auth.exceptions import DefaultCredentialsError
from google.auth.transport.requests import AuthorizedSession, Request
from google.cloud import datastore
from requests.adapters import HTTPAdapter

from beaker.exceptions import StoreRefusedError
from beaker_google.addresses import Address

__all__ = ["Link"]

#: How many connections are kept open, one for each thread that works.
POOL = 100

#: Seconds after which it is looked again for credentials that were not there.
ASKED_AGAIN_AFTER = 10.0

#: Where Google's own tools look for an emulator, and for the id of the project.
_EMULATOR = "DATASTORE_EMULATOR_HOST"
_PROJECT = ("DATASTORE_DATASET", "GOOGLE_CLOUD_PROJECT", "GCLOUD_PROJECT")

_LOGIN = (
    "run 'gcloud auth application-default login', or let "
    "GOOGLE_APPLICATION_CREDENTIALS name the key file of a service account"
)
_NAME_IT = (
    "write its id into the option 'url', as in datastore://my-project, or into "
    "GOOGLE_CLOUD_PROJECT"
)


class Connection(NamedTuple):
    """A client of ours, and the connections that it uses."""

    client: datastore.Client
    http: requests.Session


class Link:
    """The way to a database by a client of ours, made when it is first used.

    Args:
        address: The database.
        store: The store's name and place, for errors.
    """

    def __init__(self, address: Address, store: str) -> None:
        self._address, self._store = address, store
        self._lock = threading.Lock()
        self._connection: Connection | None = None
        self._refusal: StoreRefusedError | None = None
        self._asked_again_at = 0.0

    def client(self) -> datastore.Client:
        """Return the client.

        Raises:
            StoreRefusedError: There are no credentials, or nothing names the project.
        """
        with self._lock:
            if self._connection is None:
                self._connection = self._connected()
            return self._connection.client

    def close(self) -> None:
        """Close the connections."""
        if self._connection is not None:
            self._connection.http.close()

    def _connected(self) -> Connection:
        # Google's libraries look for credentials on the network, too, for seconds.
        if self._refusal is not None and time.monotonic() < self._asked_again_at:
            cause, remedy = self._refusal.cause, self._refusal.remedy
            raise StoreRefusedError(self._store, cause, remedy)
        try:
            return connect(self._address, self._store)
        except StoreRefusedError as e:
            self._refusal = e
            self._asked_again_at = time.monotonic() + ASKED_AGAIN_AFTER
            raise


def connect(address: Address, store: str) -> Connection:
    """Return a client for a database, as the user whom the environment names.

    It speaks HTTP. A child that is forked while its parent's threads use gRPC may
    hang in its first call, and beyond any deadline: the locks that those threads
    hold in gRPC's core are never released in the child.

    Args:
        address: The database.
        store: The store's name and place, for errors.

    Raises:
        StoreRefusedError: There are no credentials, or nothing names the project.
    """
    project = address.project or _project_of_environment()
    is_plain = (address.endpoint or "").startswith("http:")
    credentials: Credentials
    if is_plain or _EMULATOR in os.environ:
        credentials = AnonymousCredentials()
    else:
        credentials, default = _credentials(store)
        project = project or default
    if not project:
        raise StoreRefusedError(store, "nothing names the project", _NAME_IT)
    http = _session(credentials)
    client = datastore.Client(
        project=project,
        namespace=address.tenant,
        database=address.database,
        _http=http,
        _use_grpc=False,
    )
    if address.endpoint:
        client.base_url = address.endpoint.rstrip("/")
    return Connection(client, http)


def _credentials(store: str) -> tuple[Credentials, str | None]:
    try:
        return google.auth.default(scopes=datastore.Client.SCOPE)
    except DefaultCredentialsError as e:
        raise StoreRefusedError(store, e, _LOGIN) from e


def _project_of_environment() -> str | None:
    named = (os.environ.get(name) for name in _PROJECT)
    return next((name for name in named if name), None)


def _session(credentials: Credentials) -> requests.Session:
    # Both would try again where the deadline is for all attempts together.
    http = AuthorizedSession(credentials, auth_request=Request(requests.Session()))
    for scheme in ("http://", "https://"):
        http.mount(scheme, HTTPAdapter(pool_maxsize=POOL, max_retries=0))
    if isinstance(credentials, AnonymousCredentials):
        # An emulator is not behind a proxy, and a password for its host not for it.
        http.trust_env = False
    return http
