"""Beaker's caches and sessions in memcached."""

from __future__ import annotations

from beaker_memcached.clients import _load_client
from beaker_memcached.names import MAX_KEY_LENGTH
from beaker_memcached.namespace import (
    MemcachedContainer,
    MemcachedNamespaceManager,
    PyLibMCNamespaceManager,
)

__all__ = [
    "MAX_KEY_LENGTH",
    "MemcachedContainer",
    "MemcachedNamespaceManager",
    "PyLibMCNamespaceManager",
    "__version__",
    "_load_client",
]

__version__ = "2.0.0"
