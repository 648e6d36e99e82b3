"""Value: one cached value, read, expired and regenerated once.

The names that stores written for Beaker 1.x import from here live on as well.
"""

from __future__ import annotations

import logging
import pickle  # noqa: F401 - 1.x had it here, and programs find it here
import time
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from beaker import util  # noqa: F401 - likewise
from beaker._caching.regeneration import ValueStore
from beaker.bases import AbstractDictionaryNSManager, OpenResourceNamespaceManager
from beaker.clients import forget_client, shared_client
from beaker.exceptions import CreationAbortedError
from beaker.keys import key_text
from beaker.perprocess import PerProcess
from beaker.pools import Pool
from beaker.protocols import NamespaceManager, StoreOptions
from beaker.registry import SyncDict
from beaker.stores import Store

if TYPE_CHECKING:
    from beaker.backends.dbm import DBMNamespaceManager
    from beaker.backends.file import FileNamespaceManager
    from beaker.backends.memory import MemoryNamespaceManager

__all__ = [
    "AbstractDictionaryNSManager",
    "Container",
    "ContainerContext",
    "ContainerMeta",
    "CreationAbortedError",
    "DBMContainer",
    "DBMNamespaceManager",
    "DbmContainer",
    "FileContainer",
    "FileNamespaceManager",
    "MemoryContainer",
    "MemoryNamespaceManager",
    "NamespaceManager",
    "OpenResourceNamespaceManager",
    "PerProcess",
    "Pool",
    "StoreOptions",
    "SyncDict",
    "Value",
    "forget_client",
    "namespace_classes",
    "now",
    "shared_client",
]

logger = logging.getLogger("beaker.container")
debug = logger.debug


def now() -> float:
    """Return the present, in seconds since the epoch.

    A program that replaces the global `time` of this module by an object with a
    function `time` moves the clock by which values expire.
    """
    return time.time()


class Value:
    """A single value in a namespace: its expiry, and how it is made.

    Args:
        key: The key.
        namespace: The manager of the namespace it is in.
        createfunc: Returns a new value, without arguments; None: the value is only
            ever set.
        expiretime: Seconds for which a newly stored value is fresh; None: for ever.
        starttime: What was stored before this time, in seconds since the epoch, does
            not count; None: no such limit.
        values: The namespace's `ValueStore`, if the caller has it at hand.
    """

    __slots__ = (
        "_values",
        "createfunc",
        "expire_argument",
        "expiretime",
        "key",
        "namespace",
        "starttime",
        "storedtime",
    )

    def __init__(
        self,
        key: str | bytes,
        namespace: NamespaceManager,
        createfunc: Callable[[], Any] | None = None,
        expiretime: float | None = None,
        starttime: float | None = None,
        *,
        values: ValueStore | None = None,
    ) -> None:
        self.key = key_text(key)
        self.namespace = namespace
        self.createfunc = createfunc
        self.expiretime = self.expire_argument = expiretime
        self.starttime = starttime
        self.storedtime = -1.0
        self._values = values or ValueStore(Store.around(namespace), now)

    def has_value(self) -> bool:
        """Return whether a value is stored, expired or not."""
        return self._values.read(self.key) is not None

    def has_current_value(self) -> bool:
        """Return whether a value is stored that has not expired."""
        return self._values.current(self.key, self.starttime) is not None

    def can_have_value(self) -> bool:
        """Return whether `get_value` would find a value or could make one."""
        return self.createfunc is not None or self.has_current_value()

    def get_value(self) -> Any:
        """Return the value; one caller makes it where it is missing or expired.

        While somebody makes a new one, the others are given the expired value for as
        long as its grace lasts, and wait after that.

        Raises:
            KeyError: There is no current value and no creation function.
        """
        return self._values.get(
            self.key, self.createfunc, self.expire_argument, self.starttime
        )

    def set_value(self, value: Any, storedtime: float | None = None) -> None:
        """Store a value as made at `storedtime`; None: now."""
        self._values.put(self.key, value, self.expire_argument, storedtime)

    def clear_value(self) -> None:
        """Remove the value, expired or not."""
        self._values.remove(self.key)

    def _get_value(self) -> tuple[float, float | None, Any]:
        # For subclasses that were written for 1.x.
        record = self._values.read(self.key)
        if record is None:
            raise KeyError(self.key)
        return record.stored, record.expire, record.value

    def _is_expired(self, storedtime: float, expiretime: float | None) -> bool:
        # For subclasses that were written for 1.x.
        if self.starttime is not None and storedtime < self.starttime:
            return True
        return expiretime is not None and now() >= storedtime + expiretime


class ContainerMeta(type):
    """The metaclass of the deprecated containers; they know their manager."""

    namespace_class: Any

    def __init__(
        cls, name: str, bases: tuple[type, ...], members: dict[str, Any]
    ) -> None:
        super().__init__(name, bases, members)
        if "namespace_manager" in members:
            namespace_classes[cls] = cls.namespace_class = members["namespace_manager"]


#: The manager of each deprecated container class.
namespace_classes: dict[type, Any] = {}


class Container(metaclass=ContainerMeta):
    """Deprecated since 1.0: use `Value`, which this returns."""

    def __new__(cls, *args: Any, **kwargs: Any) -> Any:
        """Return a `Value`; the arguments are the same."""
        return Value(*args, **kwargs)

    @classmethod
    def create_namespace(cls, *args: Any, **kwargs: Any) -> Any:
        """Return a manager of the class that belongs to this container."""
        manager = cls.namespace_class
        if isinstance(manager, str):
            manager = globals()["__getattr__"](manager)
        return manager(*args, **kwargs)


class FileContainer(Container):
    """Deprecated: a value in the file store."""

    namespace_manager = "FileNamespaceManager"


class MemoryContainer(Container):
    """Deprecated: a value in the memory store."""

    namespace_manager = "MemoryNamespaceManager"


class DBMContainer(Container):
    """Deprecated: a value in the dbm store."""

    namespace_manager = "DBMNamespaceManager"


DbmContainer = DBMContainer


class ContainerContext(dict[str, Any]):
    """Deprecated since 1.0: opened namespaces by name."""

    def get_namespace(
        self, namespace: str, container_class: type[Container], **kwargs: Any
    ) -> Any:
        """Return the namespace of this name, opened at its first use."""
        if namespace not in self:
            self[namespace] = container_class.create_namespace(namespace, **kwargs)
        return self[namespace]


def __getattr__(name: str) -> Any:
    # The built-in stores are imported when somebody asks for one of them.
    from beaker.plugins import built_in_class

    found = built_in_class(name)
    if found is None:
        message = f"module {__name__!r} has no attribute {name!r}"
        raise AttributeError(message)
    return found
