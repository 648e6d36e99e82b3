"""Beaker's caches and sessions in MongoDB."""

from __future__ import annotations

from beaker_mongodb.namespace import MongoNamespaceManager
from beaker_mongodb.synchronizer import MongoSynchronizer

__all__ = ["MongoNamespaceManager", "MongoSynchronizer", "__version__"]

__version__ = "2.0.0"
