"""What is known of a decorated function: its cache, and the keys of its results."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from functools import cached_property
from typing import TYPE_CHECKING, Any, Protocol
from weakref import WeakValueDictionary

from beaker._caching.chosenkeys import ChosenKeys
from beaker._caching.formerkeys import FormerKeys, former_namespace
from beaker._caching.regeneration import ValueStore
from beaker.keys import (
    FunctionKeys,
    KeyMaker,
    escaped,
    function_namespace,
    joined,
    shortened,
)
from beaker.option_tables import DEFAULT_KEY_LENGTH

if TYPE_CHECKING:
    from inspect import Signature

__all__ = [
    "CachedFunction",
    "FunctionCache",
    "NamespaceFor",
    "key_length",
    "keys_of_unknown",
    "known_function",
    "make_known",
]

#: Returns the namespace of a function in a cache with these options.
NamespaceFor = Callable[[Mapping[str, Any]], str]


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

    def clear(self) -> None:
        """Remove all values of the namespace."""
        ...


class CachedFunction:
    """What belongs to one decorated function: its cache, opened late, and its keys.

    Args:
        function: The function.
        tags: What the decorator was given to tell it from others.
        open_cache: Takes a function that returns the namespace for the options;
            returns the cache, or None while caching is switched off. Called at the
            first call, so that decorating may come before configuring.
        region: The name of its cache region, if it has one.
        choose: Makes what tells a call from others of its arguments; None: they do.

    Attributes:
        key_of_call: Returns the key of a call, from its positional arguments with
            `self` or `cls`, and its keyword arguments.
        room: Characters that a key may have of which the function's arguments are
            simply the parts; -1: the cache is not open, or its keys are not made so.
    """

    key_of_call: KeyMaker

    def __init__(
        self,
        function: Callable[..., Any],
        tags: Sequence[object],
        open_cache: Callable[[NamespaceFor], FunctionCache | None],
        region: str | None,
        choose: Callable[..., Any] | None = None,
    ) -> None:
        self.function, self.region = function, region
        self._tags, self._choose = tags, choose
        self._open_cache = open_cache
        self.opened: FunctionCache | None = None
        self.room = -1
        self._settle({})

    def cache(self) -> FunctionCache | None:
        """Return its cache, or None while caching is switched off."""
        if self.opened is None:
            self.opened = self._open_cache(self._settle)
            if self.opened is not None and self.keys.simple_names:
                self.room = self._limit - len(self.namespace)
        return self.opened

    def key_of_arguments(self, args: Sequence[Any], kwargs: Mapping[str, Any]) -> str:
        """Return the key of a call without its `self` or `cls`, if they do not count.

        Raises:
            TypeError: The function cannot be called so.
        """
        self._bind(args, kwargs)
        return self._shortened(self.keys.of_arguments(args, kwargs))

    def key_of_row(self, row: Sequence[object], kwargs: Mapping[str, Any]) -> str:
        """Return the key for the decorator's tags and a call's arguments in one row."""
        return self._shortened(self.keys.of_flat(row, kwargs))

    def slip_in(self, row: Sequence[object], kwargs: Mapping[str, Any]) -> str | None:
        """Return why no call of this function has such a row; None if one may."""
        tags = self.keys.tags
        if [str(part) for part in row[: len(tags)]] != tags:
            return f"what its decorator was given comes first: {', '.join(tags)}"
        try:
            self._bind(row[len(tags) :], kwargs)
        except TypeError as e:
            return str(e)
        return None

    def _bind(self, args: Sequence[Any], kwargs: Mapping[str, Any]) -> None:
        # What a function of the program makes keys of, that function checks.
        if self._choose is None:
            first = (None,) if self.keys.skips_first else ()
            self._signature.bind(*first, *args, **kwargs)

    @cached_property
    def _signature(self) -> Signature:
        from inspect import signature

        return signature(self.function)

    def _settle(self, options: Mapping[str, Any]) -> str:
        """Decide how keys are made, and return the namespace."""
        function, tags, typed = self.function, self._tags, bool(options.get("typed"))
        is_former = bool(options.get("legacy_keys"))
        name = former_namespace if is_former else function_namespace
        self.namespace: str = name(function)
        self.keys: FunctionKeys
        if self._choose is not None:
            self.keys = ChosenKeys(function, self._choose, tags, typed=typed)
        elif is_former:
            self.keys = FormerKeys(function, tags)
        else:
            self.keys = FunctionKeys(function, tags, typed=typed)
        self._limit = key_length(options)
        self.key_of_call = self.keys.maker(self.namespace, self._limit)
        make_known(self)
        return self.namespace

    def _shortened(self, key: str) -> str:
        return self.keys.shortened(key, self.namespace, self._limit)


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
