"""The memcached store, under the import path of Beaker 1.x."""

from __future__ import annotations

from beaker.exceptions import MissingBackendError

try:
    from beaker_memcached import (
        MAX_KEY_LENGTH,
        MemcachedContainer,
        MemcachedNamespaceManager,
        PyLibMCNamespaceManager,
        _load_client,
    )
except ModuleNotFoundError as e:
    if e.name != "beaker_memcached":
        raise
    raise MissingBackendError("beaker.ext.memcached", "beaker-memcached") from None

__all__ = [
    "MAX_KEY_LENGTH",
    "MemcachedContainer",
    "MemcachedNamespaceManager",
    "PyLibMCNamespaceManager",
    "_load_client",
]
