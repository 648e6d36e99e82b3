"""The MongoDB store, under the import path of Beaker 1.x."""

from __future__ import annotations

from beaker.exceptions import MissingBackendError

try:
    from beaker_mongodb import MongoNamespaceManager, MongoSynchronizer
except ModuleNotFoundError as e:
    if e.name != "beaker_mongodb":
        raise
    raise MissingBackendError("beaker.ext.mongodb", "beaker-mongodb") from None

__all__ = ["MongoNamespaceManager", "MongoSynchronizer"]
