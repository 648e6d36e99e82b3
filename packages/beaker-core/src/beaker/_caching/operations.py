"""What can be done with a decorated function beside calling it."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial, update_wrapper
from typing import TYPE_CHECKING, Any

from beaker._caching.functions import CachedFunction

if TYPE_CHECKING:
    from inspect import Signature

__all__ = ["BoundMethod", "CachedMethod", "equip"]


def equip(cached: Any, own: CachedFunction) -> None:
    """Give a caching function `invalidate`, `invalidate_all`, `refresh`, `uncached`."""

    def refresh(*args: Any, **kwargs: Any) -> Any:
        cache = own.cache()
        if cache is None:
            return own.function(*args, **kwargs)
        key, expire = own.key_of_call(args, kwargs), cache.expiretime
        creation = cache.values.refreshment(key, expire)
        return creation.made(lambda: own.function(*args, **kwargs))

    def invalidate(*args: Any, **kwargs: Any) -> None:
        # Opening the cache tells how its keys are made.
        cache = own.cache()
        if cache is not None:
            cache.remove_value(own.key_of_arguments(args, kwargs))

    def invalidate_all() -> None:
        cache = own.cache()
        if cache is not None:
            cache.clear()

    cached.invalidate, cached.invalidate_all = invalidate, invalidate_all
    cached.refresh, cached.uncached = refresh, own.function


class BoundMethod(partial[Any]):
    """A decorated method of one object."""

    __slots__ = ()

    # The method's own, as it is seen by whoever asks an object for help.
    __doc__ = property(lambda self: self.func.__doc__)

    @property
    def __self__(self) -> Any:
        return self.args[0]

    @property
    def __func__(self) -> Any:
        return self.func

    @property
    def __signature__(self) -> Signature:
        from inspect import signature

        whole = signature(self.func)
        return whole.replace(parameters=list(whole.parameters.values())[1:])

    def invalidate(self, *args: Any, **kwargs: Any) -> Any:
        """Remove the result for these arguments."""
        if self.func._cached_function.keys.counts_self:  # type: ignore[attr-defined]  # noqa: SLF001
            args = (self.__self__, *args)
        return self.__func__.invalidate(*args, **kwargs)

    def invalidate_all(self) -> Any:
        """Remove the results for all objects and arguments."""
        return self.__func__.invalidate_all()

    def refresh(self, *args: Any, **kwargs: Any) -> Any:
        """Call the method now, keep the result and return it."""
        return self.__func__.refresh(self.__self__, *args, **kwargs)

    def uncached(self, *args: Any, **kwargs: Any) -> Any:
        """Call the method itself."""
        return self.__func__.uncached(self.__self__, *args, **kwargs)

    def __getattr__(self, name: str) -> Any:
        return getattr(self.func, name)


class CachedMethod:
    """A decorated function with a first argument `self` or `cls`, as a class holds it.

    From the class it is the function, from an object a `BoundMethod`.

    Args:
        cached: The function that answers from the cache.
    """

    def __init__(self, cached: Callable[..., Any]) -> None:
        self._cached = cached
        update_wrapper(self, cached)

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        return self._cached(*args, **kwargs)

    def __get__(self, instance: object, owner: type | None = None) -> Any:
        if instance is None:
            return self._cached
        return BoundMethod(self._cached, instance)
