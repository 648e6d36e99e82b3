"""Tells a server that is away from one that refuses, and says what helps."""

from __future__ import annotations

from pymongo import errors as said

from beaker.exceptions import StoreRefusedError

__all__ = ["AWAY", "is_away", "refusal"]

#: What means that a server is away, too slow, or no longer the primary.
AWAY: tuple[type[BaseException], ...] = (
    said.ConnectionFailure,
    said.NetworkTimeout,
    said.ExecutionTimeout,
    said.WTimeoutError,
    OSError,
)

#: Codes of servers that end or change their role, where pymongo has no class for it.
_AWAY_CODES = frozenset({6, 7, 89, 91, 189, 9001, 10107, 11600, 11602, 13435, 13436})

_LOGIN = (
    "check user and password in the option 'url', and the database that knows them: "
    "the URL's own, unless it says authSource"
)
_ALLOW = "grant its user the role readWrite on the database that the URL names"
_TLS = "check tlsCAFile and tlsCertificateKeyFile in the option 'url'"
_LARGE = "keep less in it: a document of MongoDB holds 16 MiB"
_INDEX = "drop the index of that name; Beaker makes it as it needs it"

#: What helps, by the code of the error.
_REMEDIES = {
    11: _LOGIN,
    13: _ALLOW,
    18: _LOGIN,
    33: _LOGIN,
    8000: _LOGIN,
    17280: _LARGE,
    10334: _LARGE,
    16493: _LARGE,
    85: _INDEX,
    86: _INDEX,
    14031: "free some space on the server's disk",
}


def refusal(error: BaseException, store: str) -> StoreRefusedError | None:
    """Return what to raise in place of an error, if it is the server's refusal.

    Args:
        error: What the client raised.
        store: The store's name and place.
    """
    remedy = _remedy(error)
    return StoreRefusedError(store, error, remedy) if remedy else None


def is_away(error: BaseException) -> bool:
    """Return whether an error means that there is no server at present."""
    code = getattr(error, "code", None)
    return isinstance(error, AWAY) or code in _AWAY_CODES


def _remedy(error: BaseException) -> str | None:
    if "CERTIFICATE_VERIFY_FAILED" in str(error):
        return _TLS
    if isinstance(error, said.DocumentTooLarge):
        return _LARGE
    if is_away(error) or not isinstance(
        error, said.OperationFailure | said.ConfigurationError
    ):
        return None
    code = _code(error)
    return _REMEDIES.get(code, f"see what MongoDB says of its error {code}")


def _code(error: said.PyMongoError) -> int:
    details = getattr(error, "details", None) or {}
    # Of several writes, the first that failed.
    first = (*details.get("writeErrors", ()), *details.get("writeConcernErrors", ()))
    told = first[0].get("code") if first else getattr(error, "code", None)
    return told or 0
