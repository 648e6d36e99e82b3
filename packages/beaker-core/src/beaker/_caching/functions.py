"""What is known of a decorated function: its cache, and the keys of its results."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any, Protocol
from weakref import WeakValueDictionary

from beaker._caching.regeneration import ValueStore
from beaker.keys import FunctionKeys, escaped, function_namespace, joined, shortened
from beaker.option_tables import DEFAULT_KEY_LENGTH

__all__ = [
    "CachedFunction",
    "FunctionCache",
    "key_length",
    "keys_of_unknown",
    "known_function",
    "make_known",
]


class FunctionCache(Protocol):
    """What a decorated function needs of a `beaker.cache.Cache`."""

    namespace_name: str
    nsargs: dict[str, Any]
    values: ValueStore
    expiretime: float | None
    starttime: float | None

    def remove_value(self, key: str) -> None:
        """Remove a value."""
        ...


class CachedFunction:
    """What belongs to one decorated function: its cache, opened late, and its keys.

    Args:
        function: The function.
        tags: What the decorator was given to tell it from others.
        open_cache: Returns its cache, or None while caching is switched off. Called
            at the first call, so that decorating may come before configuring.
        region: The name of its cache region, if it has one.
    """

    def __init__(
        self,
        function: Callable[..., Any],
        tags: Sequence[object],
        open_cache: Callable[[str], FunctionCache | None],
        region: str | None,
    ) -> None:
        self.function, self.region, self._tags = function, region, tags
        self.namespace = function_namespace(function)
        self.keys = FunctionKeys(function, tags)
        self.room = DEFAULT_KEY_LENGTH - len(self.namespace)
        self._open_cache = open_cache
        self.opened: FunctionCache | None = None

    def cache(self) -> FunctionCache | None:
        """Return its cache, or None while caching is switched off."""
        if self.opened is None:
            cache = self._open_cache(self.namespace)
            if cache is None:
                return None
            options = cache.nsargs
            if options.get("typed"):
                self.keys = FunctionKeys(self.function, self._tags, typed=True)
            self.room = key_length(options) - len(self.namespace)
            self.opened = cache
        return self.opened

    def key_of_call(self, args: Sequence[Any], kwargs: Mapping[str, Any]) -> str:
        """Return the key of a call, `self` or `cls` included."""
        key = self.keys.of_call(args, kwargs)
        if len(key) <= self.room:
            return key
        return shortened(key, self.namespace, self.room + len(self.namespace))

    def key_of_row(self, row: Sequence[object], kwargs: Mapping[str, Any]) -> str:
        """Return the key for the decorator's tags and a call's arguments in one row."""
        key = self.keys.of_flat(row, kwargs)
        return shortened(key, self.namespace, self.room + len(self.namespace))


#: Decorated functions by namespace, for invalidation by a namespace's name.
_known: WeakValueDictionary[str, CachedFunction] = WeakValueDictionary()


def make_known(own: CachedFunction) -> None:
    """Let a function be found by its namespace, for as long as it lives."""
    _known[own.namespace] = own


def known_function(asked: object) -> CachedFunction | None:
    """Return what belongs to a decorated function, or to the name of its namespace."""
    if isinstance(asked, str):
        return _known.get(asked)
    found = getattr(asked, "_cached_function", None)
    return found if isinstance(found, CachedFunction) else None


def key_length(options: Mapping[str, Any]) -> int:
    """Return the length from which a key is stored as its digest."""
    given = options.get("key_length")
    return DEFAULT_KEY_LENGTH if given is None else int(given)


def keys_of_unknown(namespace: str, row: Sequence[object], limit: int) -> set[str]:
    """Return the keys for a row of arguments to a function that is not known here."""
    # An empty argument is written in two ways, depending on the function.
    texts = [str(part) for part in row]
    plain = " ".join(escaped(text) if text else text for text in texts)
    return {shortened(key, namespace, limit) for key in (joined(texts), plain)}
