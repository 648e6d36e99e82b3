"""Forgets one result of a decorated function, told by the arguments of its call."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from beaker._caching.formerkeys import former_key
from beaker._caching.functions import (
    CachedFunction,
    FunctionCache,
    key_length,
    keys_of_unknown,
)
from beaker.configuration import CACHE_OPTIONS, tell_program
from beaker.exceptions import (
    BeakerException,
    UndecoratedFunctionError,
    UselessInvalidationError,
)

__all__ = ["arguments_in", "forget", "forget_row", "namespace_of"]


def namespace_of(asked: object) -> str:
    """Return the namespace of a decorated function, or the name that is given.

    Raises:
        UndecoratedFunctionError: Nothing is kept for what is given.
    """
    name = getattr(asked, "_arg_namespace", asked)
    if isinstance(name, str):
        return name
    raise UndecoratedFunctionError(asked)


def arguments_in(
    known: CachedFunction | None, kwargs: Mapping[str, Any]
) -> dict[str, Any]:
    """Return which keywords are arguments of the function, and no options of caches."""
    if known is None:
        return {}
    # In their order, which counts for keys of 1.x.
    return {
        name: value
        for name, value in kwargs.items()
        if name not in CACHE_OPTIONS and known.keys.takes(name)
    }


def forget(
    cache: FunctionCache,
    known: CachedFunction | None,
    row: Iterable[object],
    kwargs: Mapping[str, Any],
    *,
    is_named: bool,
) -> None:
    """Remove the result of one call.

    Args:
        cache: Where it is.
        known: The function, if it was decorated in this process.
        row: What the decorator was given, then the arguments of the call.
        kwargs: The keyword arguments of the call.
        is_named: Whether the name of the namespace was given, which functions may
            share, and not the function.

    Raises:
        BeakerException: Keywords are given, and whose they are is not known.
    """
    if known is not None:
        # Opening its cache tells how its keys are made.
        known.cache()
        parts = tuple(row)
        slip = None if is_named else known.slip_in(parts, kwargs)
        if slip:
            tell_program(
                UselessInvalidationError(known.namespace, parts, slip), strict=False
            )
        cache.remove_value(known.key_of_row(parts, kwargs))
    elif kwargs:
        raise BeakerException(
            f"nothing is known of the parameters of {cache.namespace_name!r}: give "
            f"the decorated function itself, or all arguments by position"
        )
    else:
        forget_row(cache, key_length(cache.nsargs), row)


def forget_row(cache: FunctionCache, key_length: int, row: Iterable[object]) -> None:
    """Remove the result of one call of a function that is not known here."""
    namespace, parts = cache.namespace_name, tuple(row)
    # Programs that carry a copy of 1.x's decorator make such a key, too.
    keys = {former_key(parts, namespace, key_length)}
    if not cache.nsargs.get("legacy_keys"):
        keys |= keys_of_unknown(namespace, parts, key_length)
    for key in keys:
        cache.remove_value(key)
