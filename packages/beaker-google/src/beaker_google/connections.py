"""From an address to a client: one that keeps its deadline and can be forked."""

from __future__ import annotations

import os
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

__all__ = ["Connection", "connect"]

#: How many connections are kept open, one for each thread that works.
POOL = 100

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

    def close(self) -> None:
        """Close the connections."""
        self.http.close()


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
