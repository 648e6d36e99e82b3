"""What a type checker sees of a decorated function."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Concatenate, ParamSpec, Protocol, Self, TypeVar, overload

__all__ = ["Cached", "Decorator"]

P = ParamSpec("P")
Rest = ParamSpec("Rest")
R_co = TypeVar("R_co", covariant=True)
Owner = TypeVar("Owner")
TakesClass = TypeVar("TakesClass", bound=Callable[Concatenate[type[Any], ...], Any])


class Cached(Protocol[P, R_co]):
    """A function that answers from a cache where it can.

    Of a coroutine function, what all of these return is awaited.
    """

    __name__: str
    __qualname__: str

    def __call__(self, *args: P.args, **kwargs: P.kwargs) -> R_co:
        """Return the result, kept or made."""
        ...

    def refresh(self, *args: P.args, **kwargs: P.kwargs) -> R_co:
        """Call the function now, keep the result and return it.

        Where an invalidation comes meanwhile, the result is not kept.
        """
        ...

    def uncached(self, *args: P.args, **kwargs: P.kwargs) -> R_co:
        """Call the function itself; the cache is neither read nor written."""
        ...

    def invalidate(self, *args: Any, **kwargs: Any) -> Any:
        """Remove the result for these arguments, without `self` or `cls`.

        Where the decorator was given `key=`, they are what that function takes.
        """
        ...

    def invalidate_all(self) -> Any:
        """Remove the results for all arguments, whatever the decorator was given."""
        ...

    @overload
    def __get__(self, instance: None, owner: type, /) -> Self: ...

    @overload
    def __get__(
        self: Cached[Concatenate[Owner, Rest], R_co],
        instance: Owner,
        owner: type | None = None,
        /,
    ) -> Cached[Rest, R_co]: ...


class Decorator(Protocol):
    """What makes a cached function of a function.

    No checker lets `classmethod` bind anything but a function. So what takes a class
    first, or anything, is shown as what it was, without `refresh` and the others.
    """

    @overload
    def __call__(self, function: TakesClass, /) -> TakesClass: ...

    @overload
    def __call__(self, function: Callable[P, R_co], /) -> Cached[P, R_co]: ...
