"""The namespaces and keys that Beaker 1.x made for decorated functions.

They tell calls apart less well than today's: an argument that holds a space counts as
two, and functions of one name in one file share their values.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from beaker.keys import FunctionKeys

__all__ = ["FormerKeys", "former_key", "former_namespace"]


def former_namespace(function: Callable[..., Any]) -> str:
    """Return the namespace of a function: its source file and its name."""
    from inspect import getsourcefile

    return f"{getsourcefile(function)}|{getattr(function, '__name__', '')}"


def former_key(parts: Sequence[object], namespace: str, limit: int) -> str:
    """Return the key for a decorator's tags and a call's arguments in one row."""
    return FormerKeys.shortened(" ".join(map(str, parts)), namespace, limit)


class FormerKeys(FunctionKeys):
    """Makes the keys of one decorated function as 1.x did.

    Args:
        function: The function.
        tags: What the decorator was given to tell this function from others.
    """

    _compiles = False

    def __init__(
        self, function: Callable[..., Any], tags: Sequence[object] = ()
    ) -> None:
        from inspect import signature

        super().__init__(function, tags)
        self._signature = signature(function)

    @staticmethod
    def shortened(key: str, namespace: str, limit: int) -> str:
        """Return the key, or its SHA-1 if it is too long with its namespace."""
        if len(key) + len(namespace) <= limit:
            return key
        from hashlib import sha1

        # Told apart by it as in 1.x; nothing secret depends on it.
        return sha1(key.encode(), usedforsecurity=False).hexdigest()

    def of_call(self, args: Sequence[Any], kwargs: Mapping[str, Any]) -> str:
        """Return the key of a call as the function's body would see it."""
        if kwargs:
            bound = self._signature.bind(*args, **kwargs)
            args, kwargs = bound.args, bound.kwargs
        return self._joined(args[1:] if self.skips_first else args, kwargs)

    def of_arguments(self, args: Sequence[Any], kwargs: Mapping[str, Any]) -> str:
        """Return the key of a call without its `self` or `cls`."""
        first = (None,) if self.skips_first else ()
        return self.of_call((*first, *args), kwargs)

    def of_flat(self, values: Sequence[Any], kwargs: Mapping[str, Any]) -> str:
        """Return the key of the decorator's tags and a call's arguments in one row."""
        if kwargs:
            return super().of_flat(values, kwargs)
        return " ".join(map(str, values))

    def _joined(self, args: Sequence[Any], kwargs: Mapping[str, Any]) -> str:
        named = [f"{name}:{value}" for name, value in kwargs.items()]
        return " ".join(map(str, [*self.tags, *args, *named]))
