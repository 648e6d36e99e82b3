"""What a subclass that was written for Beaker 1.x has: the calls of its own client."""

from __future__ import annotations

from typing import Any

from beaker.protocols import NamespaceManager
from beaker.synchronization import file_synchronizer
from beaker_memcached.names import former_name

__all__ = ["FormerCalls"]


class FormerCalls(NamespaceManager):
    """Works on `mc`, which the subclass's ``__init__`` sets.

    Attributes:
        mc: A client with `get`, `set`, `delete` and `flush_all`.
        lock_dir: Directory of the locks under which values are created.
    """

    mc: Any
    lock_dir: str | None = None

    def _format_key(self, key: str | bytes) -> str:
        text = key if isinstance(key, str) else key.decode("ascii")
        return former_name(f"{self.namespace}_{text}")

    def __getitem__(self, key: str) -> Any:
        return self.mc.get(self._format_key(key))

    def __contains__(self, key: str) -> bool:
        return self[key] is not None

    def has_key(self, key: str) -> bool:
        """Return whether there is a value."""
        return key in self

    def set_value(self, key: str, value: Any, expiretime: float | None = None) -> None:
        """Store a value, for so many seconds; None: as long as the server likes."""
        if expiretime:
            self.mc.set(self._format_key(key), value, time=expiretime)
        else:
            self.mc.set(self._format_key(key), value)

    def __setitem__(self, key: str, value: Any) -> None:
        self.set_value(key, value)

    def __delitem__(self, key: str) -> None:
        self.mc.delete(self._format_key(key))

    def do_remove(self) -> None:
        """Empty the servers: 1.x had no way to tell what is in a namespace."""
        self.mc.flush_all()

    def get_creation_lock(self, key: str) -> Any:
        """Return the lock of this machine under which a value is created."""
        name = f"memcached/{self.namespace}/{key!r}"
        return file_synchronizer(name, lock_dir=self.lock_dir)
