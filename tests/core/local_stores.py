"""The stores on this machine's disk, for tests that hold for all of them."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Protocol

from beaker.backends.dbm import DBMNamespaceManager
from beaker.backends.file import FileNamespaceManager
from beaker.backends.sqlite import SqliteNamespaceManager
from beaker.protocols import NamespaceManager

#: A further store needs a line here and, if it takes more than a directory, its
#: options in `opener`.
KINDS: dict[str, type[NamespaceManager]] = {
    "file": FileNamespaceManager,
    "dbm": DBMNamespaceManager,
    "sqlite": SqliteNamespaceManager,
}


class Open(Protocol):
    """Opens a namespace of the store under test."""

    def __call__(self, namespace: str = ..., **options: Any) -> NamespaceManager:
        """Return its manager."""


@contextmanager
def opener(kind: str, directory: Path) -> Iterator[Open]:
    """Give the function that opens namespaces in a directory, and close them."""
    opened = []

    def open_namespace(
        namespace: str = "namespace", **options: Any
    ) -> NamespaceManager:
        manager = KINDS[kind](namespace, **{"data_dir": str(directory), **options})
        opened.append(manager)
        return manager

    try:
        yield open_namespace
    finally:
        for manager in opened:
            if isinstance(manager, SqliteNamespaceManager):
                manager._database.close()
