"""The SQL store that is given a URL, under the import path of Beaker 1.x."""

from __future__ import annotations

from beaker.exceptions import MissingBackendError

try:
    from beaker_sqla import DatabaseContainer, DatabaseNamespaceManager
except ModuleNotFoundError as e:
    if e.name != "beaker_sqla":
        raise
    raise MissingBackendError("beaker.ext.database", "beaker-sqla") from None

__all__ = ["DatabaseContainer", "DatabaseNamespaceManager"]
