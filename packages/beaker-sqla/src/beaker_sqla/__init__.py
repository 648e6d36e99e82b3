"""Beaker's caches and sessions in SQLite, PostgreSQL, MariaDB or MySQL."""

from __future__ import annotations

from beaker_sqla.containers import DatabaseContainer, SqlaContainer
from beaker_sqla.namespace import DatabaseNamespaceManager, SqlaNamespaceManager
from beaker_sqla.schema import make_cache_table

__all__ = [
    "DatabaseContainer",
    "DatabaseNamespaceManager",
    "SqlaContainer",
    "SqlaNamespaceManager",
    "__version__",
    "make_cache_table",
]

__version__ = "2.0.0"
