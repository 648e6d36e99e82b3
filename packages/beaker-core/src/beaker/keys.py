r"""The text under which a function's result is kept, from its arguments.

Every argument counts by its `str()`, `self` and `cls` do not. No two different
argument lists share a key: parts are separated by one space, and what an argument
holds of spaces and backslashes is escaped. A backslash before any other character is
never escaped text, so it can carry meaning:

    ``\-``         an empty argument
    ``\name:x``    the argument `name`, where its position does not tell it
    ``\#digest``   SHA-256 of a key that was longer than allowed
"""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Iterable, Mapping, Sequence
from hashlib import sha256
from typing import Any

__all__ = ["FunctionKeys", "function_namespace", "joined", "shortened", "takes_self"]


def escaped(part: str) -> str:
    """Return one part of a key, so that it cannot be taken for several."""
    if not part:
        return "\\-"
    if "\\" in part or " " in part:
        return part.replace("\\", "\\\\").replace(" ", "\\ ")
    return part


def joined(parts: Iterable[object]) -> str:
    """Return the key of arguments of which nothing is known but their order."""
    return " ".join([escaped(str(part)) for part in parts])


def shortened(key: str, namespace: str, limit: int) -> str:
    """Return the key, or its digest if it is too long together with its namespace.

    Args:
        key: The key.
        namespace: The namespace it is for.
        limit: Characters that both may have; the option ``key_length``.
    """
    if len(key) + len(namespace) <= limit:
        return key
    return "\\#" + sha256(key.encode(errors="surrogatepass")).hexdigest()


def function_namespace(function: Callable[..., Any]) -> str:
    """Return the namespace of a function: its module and its qualified name.

    For a function of the main program it is the program's file instead, because
    every program's module is called the same.
    """
    function = getattr(function, "__func__", function)
    module = getattr(function, "__module__", None) or "?"
    if module == "__main__":
        path = getattr(sys.modules.get("__main__"), "__file__", None)
        module = os.path.realpath(path) if path else module
    return f"{module}|{getattr(function, '__qualname__', repr(function))}"


def takes_self(function: Callable[..., Any]) -> bool:
    """Return whether the first parameter is called `self` or `cls`."""
    from inspect import signature

    names = list(signature(function).parameters)
    return bool(names) and names[0] in ("self", "cls")


class FunctionKeys:
    """Makes the keys of one decorated function.

    Args:
        function: The function.
        tags: What the decorator was given to tell this function from others.
        typed: Whether arguments of different types differ though their text is
            the same, as ``1`` and ``'1'``.
    """

    def __init__(
        self,
        function: Callable[..., Any],
        tags: Sequence[object] = (),
        *,
        typed: bool = False,
    ) -> None:
        from inspect import Parameter, signature

        parameters = list(signature(function).parameters.values())
        self.skips_first = bool(parameters) and parameters[0].name in ("self", "cls")
        if self.skips_first:
            del parameters[0]
        self.tags = [str(tag) for tag in tags]
        self._part = _typed_part if typed else _part
        self._prefix = [escaped(tag) for tag in self.tags]
        positional = (Parameter.POSITIONAL_ONLY, Parameter.POSITIONAL_OR_KEYWORD)
        self._names = [p.name for p in parameters if p.kind in positional]
        # A default counts by its text too: what is left out must be what it means.
        self._defaults = {
            p.name: self._part(p.default)
            for p in parameters
            if p.default is not Parameter.empty
        }
        self._plain = not self._defaults and not typed

    def of_call(self, args: Sequence[Any], kwargs: Mapping[str, Any]) -> str:
        """Return the key of a call as the function's body would see it.

        Args:
            args: The positional arguments, `self` or `cls` included.
            kwargs: The keyword arguments.
        """
        if self.skips_first:
            args = args[1:]
        return self.of_arguments(args, kwargs)

    def of_arguments(self, args: Sequence[Any], kwargs: Mapping[str, Any]) -> str:
        """Return the key of a call without its `self` or `cls`."""
        if self._plain and not kwargs:
            parts = [
                arg
                if type(arg) is str and arg and " " not in arg and "\\" not in arg
                else escaped(str(arg))
                for arg in args
            ]
            return " ".join([*self._prefix, *parts])
        return " ".join([*self._prefix, *self._bound(args, kwargs)])

    def of_flat(self, values: Sequence[Any], kwargs: Mapping[str, Any]) -> str:
        """Return the key of the decorator's tags and a call's arguments in one row.

        That is how invalidation is told about a call. Where the row does not begin
        with the tags, it is taken as it is.
        """
        count = len(self.tags)
        if [str(value) for value in values[:count]] != self.tags:
            return joined(values)
        return self.of_arguments(values[count:], kwargs)

    def _bound(self, args: Sequence[Any], kwargs: Mapping[str, Any]) -> list[str]:
        """Bind keywords to their parameters and leave out what equals its default."""
        part, defaults = self._part, self._defaults
        given = dict(zip(self._names, args, strict=False))
        surplus = args[len(self._names) :]
        given.update((name, kwargs[name]) for name in self._names if name in kwargs)
        parts: list[str] = []
        in_row = True
        for name in self._names:
            text = part(given[name]) if name in given else None
            if text is None or (text == defaults.get(name) and not surplus):
                in_row = False
            elif in_row:
                parts.append(text)
            else:
                parts.append(f"\\{name}:{text}")
        parts.extend(part(value) for value in surplus)
        for name in sorted(kwargs.keys() - set(self._names)):
            text = part(kwargs[name])
            if text != defaults.get(name):
                parts.append(f"\\{name}:{text}")
        return parts


def _part(value: Any) -> str:
    return escaped(str(value))


def _typed_part(value: Any) -> str:
    kind = type(value)
    return escaped(f"{kind.__module__}.{kind.__qualname__}:{value}")
