"""The deprecated containers of Beaker 1.x."""

from __future__ import annotations

from beaker.container import Container
from beaker_sqla.namespace import DatabaseNamespaceManager, SqlaNamespaceManager

__all__ = ["DatabaseContainer", "SqlaContainer"]


class DatabaseContainer(Container):
    """Deprecated: a value in a database that is given by its URL."""

    namespace_manager = DatabaseNamespaceManager


class SqlaContainer(Container):
    """Deprecated: a value in a database that is given by an engine."""

    namespace_manager = SqlaNamespaceManager
