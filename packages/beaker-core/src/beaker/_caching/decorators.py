"""Functions that answer from a cache where they can."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import update_wrapper
from typing import Any

from beaker import container
from beaker._caching.compiled import compiled
from beaker._caching.freshness import CLOCK_SKEW
from beaker._caching.functions import CachedFunction, FunctionCache
from beaker._caching.operations import CachedMethod, equip
from beaker.exceptions import StoreRefusedError, StoreUnavailableError
from beaker.listeners import listens
from beaker.records import Record

__all__ = ["decorated"]


def cached_function(own: CachedFunction) -> Callable[..., Any]:
    """Return the function that answers from the cache where it can."""
    function = own.function
    name = f"_cached_{getattr(function, '__name__', 'function')}"

    def resolve(
        cache: FunctionCache,
        key: str,
        record: Record | None,
        args: tuple[Any, ...],
        kwargs: Mapping[str, Any],
    ) -> Any:
        def create() -> Any:
            return function(*args, **kwargs)

        # So that a debugger shows whose value is being made.
        create.__name__ = create.__qualname__ = name
        times = cache.expiretime, cache.starttime
        return cache.values.resolve(key, record, create, *times)

    def cached(*args: Any, **kwargs: Any) -> Any:
        cache = own.opened or own.cache()
        if cache is None:
            return function(*args, **kwargs)
        key, values = own.key_of_call(args, kwargs), cache.values
        try:
            record = values.read(key)
        except (StoreUnavailableError, StoreRefusedError) as e:
            record = values.does_without(e)
        if record is not None and cache.starttime is None:
            # What `container.now` does, without the call.
            now: float = container.time.time()  # type: ignore[attr-defined]  # a global of 1.x
            if record.stored - CLOCK_SKEW <= now < record.fresh_until:
                if "value_read" in listens:
                    values.tell_read(key, "hit")
                return record.value
        return resolve(cache, key, record, args, kwargs)

    return update_wrapper(compiled(own, cached, resolve), function)


def decorated(own: CachedFunction) -> Any:
    """Return the caching counterpart of a function or of a coroutine function."""
    from inspect import iscoroutinefunction

    if iscoroutinefunction(own.function):
        from beaker._caching import coroutines

        cached = coroutines.cached_coroutine(own)
        coroutines.equip(cached, own)
    else:
        cached = cached_function(own)
        equip(cached, own)
    # The first two are what 1.x put there, and what copies of its decorator read.
    cached._arg_namespace = own.namespace  # type: ignore[attr-defined]  # noqa: SLF001
    if own.region is not None:
        cached._arg_region = own.region  # type: ignore[attr-defined]  # noqa: SLF001
    cached._cached_function = own  # type: ignore[attr-defined]  # noqa: SLF001
    return CachedMethod(cached) if own.keys.skips_first else cached
