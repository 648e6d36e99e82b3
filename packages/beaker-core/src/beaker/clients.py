"""Clients of servers: one for each server and process, closed at exit."""

from __future__ import annotations

import atexit
import logging
import threading
from collections.abc import Callable, Hashable
from typing import Any, TypeVar

from beaker.perprocess import PerProcess

__all__ = ["forget_client", "shared_client"]

T = TypeVar("T")

_log = logging.getLogger("beaker.store")


def shared_client(
    key: Hashable, make: Callable[[], T], close: Callable[[T], object]
) -> T:
    """Return the client that this process has for a key; make it if there is none.

    It is closed when the interpreter ends. A forked child makes its own, and neither
    uses, closes nor finalizes its parent's: they share sockets.

    Args:
        key: The store's name, the URL, and all else that makes clients differ.
        make: Makes the client; called once, by one thread.
        close: Closes it.
    """
    return _clients().get(key, make, close)


def forget_client(key: Hashable) -> None:
    """Close this process's client for a key, if there is one."""
    _clients().close(key)


class _Clients:
    """The clients of one process."""

    def __init__(self) -> None:
        # Reentrant: making a client may need another one.
        self._guard = threading.RLock()
        self._opened: dict[Hashable, tuple[Any, Callable[[Any], object]]] = {}

    def get(
        self, key: Hashable, make: Callable[[], T], close: Callable[[T], object]
    ) -> T:
        found = self._opened.get(key)
        if found is None:
            with self._guard:
                found = self._opened.get(key)
                if found is None:
                    found = self._opened[key] = make(), close
        client: T = found[0]
        return client

    def close(self, key: Hashable) -> None:
        client, close = self._opened.pop(key, (None, None))
        if close is None:
            return
        try:
            close(client)
        except Exception as error:  # noqa: BLE001 - whatever the client raises
            _log.debug("a client does not close: %s", error)

    def close_all(self) -> None:
        for key in list(self._opened):
            self.close(key)


def _new_clients() -> _Clients:
    atexit.register(_close_at_exit)
    return _Clients()


_clients = PerProcess(_new_clients)


def _close_at_exit() -> None:
    _clients().close_all()
    inherited = _clients.inherited()
    if inherited:
        _never_finalize(inherited)


def _never_finalize(clients: list[_Clients]) -> None:
    # The end of the interpreter would finalize what the parent still uses, and some
    # database drivers then take leave of the server over the parent's connection.
    try:
        from ctypes import py_object, pythonapi

        pythonapi.Py_IncRef(py_object(clients))
    except (ImportError, AttributeError):
        _log.debug("clients inherited from the parent process may be finalized")
