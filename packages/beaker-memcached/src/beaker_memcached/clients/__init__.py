"""The client libraries that can be chosen, each behind one adapter."""

from __future__ import annotations

from importlib import import_module
from types import ModuleType

from beaker.exceptions import InvalidCacheBackendError
from beaker_memcached.clients.base import Client, Login, Reach

__all__ = ["MODULES", "Client", "Login", "Reach", "open_client"]

#: The wheel that brings each library, in the order in which ``auto`` tries them.
MODULES = {
    "pymemcache": "pymemcache",
    "pylibmc": "pylibmc",
    "memcache": "python-memcached",
    "bmemcached": "python-binary-memcached",
}


def open_client(module: str, reach: Reach) -> Client:
    """Return a client of one server; it connects when it is first used.

    Args:
        module: A key of `MODULES`, or ``auto``: the first that is installed.
        reach: Where the server is, and how to come in.

    Raises:
        InvalidCacheBackendError: The library is not installed.
        InvalidOptionError: It cannot do what the options ask for.
    """
    name = _load_client(module).__name__
    adapter = import_module(f"beaker_memcached.clients.{name}_adapter")
    client: Client = adapter.Adapter(reach)
    return client


def _load_client(name: str = "auto") -> ModuleType:
    """Return the library of this name; 1.x had this function."""
    asked = list(MODULES) if name == "auto" else [name]
    for module in asked:
        try:
            return import_module(module)
        except ModuleNotFoundError as e:
            if e.name != module:
                raise
    # The first is the one to choose.
    wheel = MODULES.get(asked[0], asked[0])
    message = (
        f"ext:memcached needs the client library {asked[0]!r}, which is not "
        f"installed; install it with: pip install {wheel}"
    )
    raise InvalidCacheBackendError(message)
