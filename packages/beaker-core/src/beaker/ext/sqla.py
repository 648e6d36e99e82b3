"""The SQL store that is given an engine and a table, under the import path of Beaker 1.x."""

from __future__ import annotations

from beaker.exceptions import MissingBackendError

try:
    from beaker_sqla import SqlaContainer, SqlaNamespaceManager, make_cache_table
except ModuleNotFoundError as e:
    if e.name != "beaker_sqla":
        raise
    raise MissingBackendError("beaker.ext.sqla", "beaker-sqla") from None

__all__ = ["SqlaContainer", "SqlaNamespaceManager", "make_cache_table"]
