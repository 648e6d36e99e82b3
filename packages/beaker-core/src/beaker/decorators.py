"""Functions whose results are cached, and the keys their results are found by."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from functools import update_wrapper
from typing import TYPE_CHECKING, Any, ParamSpec, TypeVar
from weakref import WeakValueDictionary

from beaker import container
from beaker.exceptions import StoreUnavailableError
from beaker.freshness import CLOCK_SKEW
from beaker.keys import (
    FunctionKeys,
    escaped,
    function_namespace,
    joined,
    shortened,
)
from beaker.listeners import listens, tell
from beaker.option_tables import DEFAULT_KEY_LENGTH

if TYPE_CHECKING:
    from beaker.cache import Cache

__all__ = [
    "CachedFunction",
    "decorated",
    "key_length",
    "keys_of_unknown",
    "known_function",
]

P = ParamSpec("P")
R = TypeVar("R")


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
        open_cache: Callable[[str], Cache | None],
        region: str | None,
    ) -> None:
        self.function, self.region, self._tags = function, region, tags
        self.namespace = function_namespace(function)
        self.keys = FunctionKeys(function, tags)
        self.room = DEFAULT_KEY_LENGTH - len(self.namespace)
        self._open_cache = open_cache
        self.opened: Cache | None = None

    def cache(self) -> Cache | None:
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


def cached_function(own: CachedFunction) -> Callable[..., Any]:
    """Return the function that answers from the cache where it can."""
    function, namespace = own.function, own.namespace
    name = getattr(function, "__name__", "function")

    def cached(*args: Any, **kwargs: Any) -> Any:
        cache = own.opened or own.cache()
        if cache is None:
            return function(*args, **kwargs)
        key = own.key_of_call(args, kwargs)
        values = cache.values
        try:
            record = values.read(key)
        except StoreUnavailableError:
            record = None
        if record is not None and cache.starttime is None:
            now = container.now()
            if record.stored - CLOCK_SKEW <= now < record.fresh_until:
                if "value_read" in listens:
                    tell("value_read", namespace=namespace, key=key, outcome="hit")
                return record.value

        def create() -> Any:
            return function(*args, **kwargs)

        # So that a debugger shows whose value is being made.
        create.__name__ = create.__qualname__ = f"_cached_{name}"
        return values.resolve(key, record, create, cache.expiretime, cache.starttime)

    return update_wrapper(cached, function)


def decorated(own: CachedFunction) -> Callable[..., Any]:
    """Return the caching counterpart of a function or of a coroutine function."""
    from inspect import iscoroutinefunction

    if iscoroutinefunction(own.function):
        from beaker.coroutines import cached_coroutine

        cached = cached_coroutine(own)
    else:
        cached = cached_function(own)
    # The first two are what 1.x put there, and what copies of its decorator read.
    cached._arg_namespace = own.namespace  # type: ignore[attr-defined]  # noqa: SLF001
    if own.region is not None:
        cached._arg_region = own.region  # type: ignore[attr-defined]  # noqa: SLF001
    cached._cached_function = own  # type: ignore[attr-defined]  # noqa: SLF001
    _known[own.namespace] = own
    return cached
