"""Tells a Datastore that is away from one that refuses, and says what helps."""

from __future__ import annotations

from google.api_core import exceptions as said
from google.auth.exceptions import GoogleAuthError, TransportError
from google.protobuf.message import DecodeError

from beaker.exceptions import StoreRefusedError

__all__ = ["AWAY", "refusal"]

#: What means that Datastore is away, too slow, overloaded, or behind a proxy that
#: answers in its place.
AWAY: tuple[type[BaseException], ...] = (
    OSError,
    said.ServerError,
    said.TooManyRequests,
    said.Aborted,
    said.Cancelled,
    TransportError,
    DecodeError,
)

_LOGIN = (
    "let GOOGLE_APPLICATION_CREDENTIALS name the key file of a service account that "
    "exists, or run 'gcloud auth application-default login'"
)
_ALLOW = (
    "give the account the role roles/datastore.user in the project, and see that the "
    "Cloud Datastore API is enabled there"
)
_CREATE = (
    "make the database with 'gcloud firestore databases create "
    "--type=datastore-mode', or name another one in the option 'url'"
)
_TRUST = "set REQUESTS_CA_BUNDLE to a file with the certificates that are trusted"
_MODE = (
    "see that the database is one of Firestore in Datastore mode, and that the option "
    "'table_name' is the name of a kind"
)

_REMEDIES: list[tuple[type[BaseException], str]] = [
    (said.Unauthorized, _LOGIN),
    (said.Forbidden, _ALLOW),
    (said.NotFound, _CREATE),
    (said.BadRequest, _MODE),
    (said.GoogleAPICallError, "see what Google says of this error"),
    (GoogleAuthError, _LOGIN),
]


def refusal(error: BaseException, store: str) -> StoreRefusedError | None:
    """Return what to raise in place of an error, if it is a refusal.

    Args:
        error: What the client raised.
        store: The store's name and place.
    """
    if "CERTIFICATE_VERIFY_FAILED" in str(error):
        return StoreRefusedError(store, error, _TRUST)
    if isinstance(error, AWAY):
        return None
    for kind, remedy in _REMEDIES:
        if isinstance(error, kind):
            return StoreRefusedError(store, error, remedy)
    return None
