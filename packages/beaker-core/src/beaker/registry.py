"""Values by key, made once however many threads ask for them."""

from __future__ import annotations

import threading
from collections.abc import Callable, MutableMapping
from typing import Any
from weakref import WeakValueDictionary

from beaker.perprocess import PerProcess

__all__ = ["SyncDict", "ThreadLocal", "WeakValuedRegistry"]


class SyncDict:
    """A dictionary that makes what it does not hold, once for all threads."""

    def __init__(self) -> None:
        # Reentrant: while a value is made, one of a weak dictionary may be collected
        # and its finalizer come here. Per process: a child is forked meanwhile.
        self._mutex = PerProcess(threading.RLock)
        self.dict: MutableMapping[Any, Any] = {}

    @property
    def mutex(self) -> Any:
        """The lock under which values are made."""
        return self._mutex()

    def get(
        self, key: Any, createfunc: Callable[..., Any], *args: Any, **kwargs: Any
    ) -> Any:
        """Return the key's value, or what `createfunc` makes of the arguments."""
        # An entry of a weak dictionary may go between a test and a look: just look.
        try:
            return self.dict[key]
        except KeyError:
            return self.sync_get(key, createfunc, *args, **kwargs)

    def sync_get(
        self, key: Any, createfunc: Callable[..., Any], *args: Any, **kwargs: Any
    ) -> Any:
        """Do as `get` does, under the lock from the beginning."""
        with self.mutex:
            try:
                return self.dict[key]
            except KeyError:
                made = self.dict[key] = createfunc(*args, **kwargs)
                return made

    def has_key(self, key: Any) -> bool:
        """Return whether there is a value now."""
        return key in self

    def clear(self) -> None:
        """Forget all values."""
        self.dict.clear()

    def __contains__(self, key: object) -> bool:
        return key in self.dict

    def __getitem__(self, key: Any) -> Any:
        return self.dict[key]

    def __setitem__(self, key: Any, value: Any) -> None:
        self.dict[key] = value

    def __delitem__(self, key: Any) -> None:
        del self.dict[key]


class WeakValuedRegistry(SyncDict):
    """A `SyncDict` that lets go of a value when nobody else holds it."""

    def __init__(self) -> None:
        super().__init__()
        self.dict = WeakValueDictionary()


class ThreadLocal:
    """One value for each thread."""

    __slots__ = ("_local",)

    def __init__(self) -> None:
        self._local = threading.local()

    def put(self, value: Any) -> None:
        """Set this thread's value."""
        self._local.value = value

    def has(self) -> bool:
        """Return whether this thread has a value."""
        return hasattr(self._local, "value")

    def get(self, default: Any = None) -> Any:
        """Return this thread's value, or the default."""
        return getattr(self._local, "value", default)

    def remove(self) -> None:
        """Forget this thread's value.

        Raises:
            AttributeError: It has none.
        """
        del self._local.value
