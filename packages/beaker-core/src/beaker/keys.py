r"""The text under which a function's result is kept, from its arguments.

Every argument counts by its `str()`, `self` and `cls` do not. No two different
argument lists share a key: parts are separated by one space, and what an argument
holds of spaces and backslashes is escaped. A backslash before any other character is
never escaped text, so it can carry meaning:

    ``\-``         an empty argument, where their number may vary
    ``\name:x``    the argument `name`, where its position does not tell it;
                   ``\name/:x`` if it has no keyword, ``\?name:x`` if `name` is
                   no identifier
    ``\#digest``   SHA-256 of a key that was longer than allowed
"""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Iterable, Mapping, Sequence
from hashlib import sha256
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from inspect import Parameter

__all__ = [
    "FunctionKeys",
    "KeyMaker",
    "escaped",
    "function_namespace",
    "joined",
    "key_text",
    "shortened",
    "takes_self",
    "typed_text",
]


#: Makes the key of a call from its positional arguments, `self` or `cls` included, and
#: its keyword arguments.
KeyMaker = Callable[[tuple[Any, ...], Mapping[str, Any]], str]


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


def key_text(key: object) -> str:
    """Return a key that a program names as text; 1.x kept keys as bytes."""
    if isinstance(key, bytes):
        return key.decode("ascii", "backslashreplace")
    return key if type(key) is str else str(key)


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

    #: Whether invalidation needs the `self` or `cls` of a call.
    counts_self = False
    #: Whether the keys of simple calls are made as `of_call` of this class has them.
    _compiles = True

    shortened = staticmethod(shortened)

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
        self._first = [_name_of(parameters.pop(0))] if self.skips_first else []
        self.tags = [str(tag) for tag in tags]
        self._text = typed_text if typed else str

        def names(*kinds: Any) -> list[str]:
            return [_name_of(p) for p in parameters if p.kind in kinds]

        self._names = names(Parameter.POSITIONAL_ONLY, Parameter.POSITIONAL_OR_KEYWORD)
        self._nameable = set(names(Parameter.POSITIONAL_OR_KEYWORD))
        self._keyword_only = set(names(Parameter.KEYWORD_ONLY))
        self._takes_any = bool(names(Parameter.VAR_KEYWORD))
        # A default counts by its text too: what is left out must be what it means.
        optional = [p for p in parameters if p.default is not Parameter.empty]
        self._defaults = {_name_of(p): self._text(p.default) for p in optional}
        is_fixed = len(self._names) == len(parameters) and not self._defaults
        self._is_plain = is_fixed and not typed
        #: What the keys begin with, because of the tags.
        self.lead = "".join(f"{escaped(tag)} " for tag in self.tags)

    @property
    def simple_names(self) -> list[str]:
        """The names of the parameters, `self` too, if their texts are all behind `lead`.

        Empty where some may be left out, or may be given in one way only.
        """
        names = [*self._first, *self._names]
        is_simple = self._compiles and self._is_plain and self._names
        if not is_simple or "\\" in self.lead or not all(map(str.isidentifier, names)):
            return []
        return names

    def takes(self, name: str) -> bool:
        """Return whether the function takes a keyword argument of this name."""
        return self._takes_any or name in self._nameable | self._keyword_only

    def of_call(self, args: Sequence[Any], kwargs: Mapping[str, Any]) -> str:
        """Return the key of a call as the function's body would see it.

        Args:
            args: The positional arguments, `self` or `cls` included.
            kwargs: The keyword arguments.
        """
        if self.skips_first:
            args = args[1:]
        return self.of_arguments(args, kwargs)

    def maker(self, namespace: str, limit: int) -> KeyMaker:
        """Return what `of_call` and `shortened` do together, compiled for the function.

        Args:
            namespace: The namespace that the keys are for.
            limit: Characters that a key and the namespace may have together.
        """
        of_call, shorten, room = self.of_call, self.shortened, limit - len(namespace)

        def make(args: tuple[Any, ...], kwargs: Mapping[str, Any]) -> str:
            key = of_call(args, kwargs)
            return key if len(key) <= room else shorten(key, namespace, limit)

        if not (self._compiles and self._is_plain and self._names):
            return make
        return self._quick(make, room)

    def of_arguments(self, args: Sequence[Any], kwargs: Mapping[str, Any]) -> str:
        """Return the key of a call without its `self` or `cls`."""
        tags = [escaped(tag) for tag in self.tags]
        return " ".join([*tags, *self._bound(args, kwargs)])

    def of_flat(self, values: Sequence[Any], kwargs: Mapping[str, Any]) -> str:
        """Return the key of the decorator's tags and a call's arguments in one row.

        That is how invalidation is told about a call. Where the row does not begin
        with the tags, it is taken as it is.
        """
        count = len(self.tags)
        if [str(value) for value in values[:count]] != self.tags:
            return joined(values)
        return self.of_arguments(values[count:], kwargs)

    def _quick(self, others: KeyMaker, room: int) -> KeyMaker:
        """Return what makes the keys of calls with just the positional arguments."""
        count, first, lead = len(self._names), int(self.skips_first), self.lead
        row, given, spaces = " ".join(["%s"] * count), count + first, count - 1
        room -= len(lead)

        def make(args: tuple[Any, ...], kwargs: Mapping[str, Any]) -> str:
            if not kwargs and len(args) == given:
                text: str = row % (args[1:] if first else args)
                # As many spaces as between the parts, so none is within one.
                is_short = 0 < len(text) <= room
                if is_short and text.count(" ") == spaces and "\\" not in text:
                    return lead + text
            return others(args, kwargs)

        return make

    def _bound(self, args: Sequence[Any], kwargs: Mapping[str, Any]) -> list[str]:
        """Bind keywords to their parameters and leave out what equals its default."""
        text_of, defaults = self._text, self._defaults
        given = dict(zip(self._names, args, strict=False))
        given.update((name, kwargs[name]) for name in self._nameable & kwargs.keys())
        surplus = args[len(self._names) :]
        parts: list[str] = []
        in_row = True
        for name in self._names:
            text = text_of(given[name]) if name in given else None
            if text is None or (text == defaults.get(name) and not surplus):
                in_row = False
            elif in_row:
                parts.append(self._part(text))
            else:
                parts.append(f"\\{name}:{escaped(text)}")
        parts.extend(escaped(text_of(value)) for value in surplus)
        for name in sorted(kwargs.keys() - self._nameable):
            text = text_of(kwargs[name])
            if name not in self._keyword_only or text != defaults.get(name):
                parts.append(f"\\{_marked(name)}:{escaped(text)}")
        return parts

    def _part(self, text: str) -> str:
        # Where the number of parts is fixed an empty one is told by its place.
        if not text and self._is_plain and len(self._names) > 1:
            return text
        return escaped(text)


def _name_of(parameter: Parameter) -> str:
    # What cannot be given by keyword has a name that no keyword argument has.
    is_nameless = parameter.kind is parameter.POSITIONAL_ONLY
    return f"{parameter.name}/" if is_nameless else parameter.name


def _marked(name: str) -> str:
    # A dictionary that is unpacked into a call may hold any text.
    if name.isidentifier():
        return name
    return "?" + escaped(name).replace(":", "\\:")


def typed_text(value: Any) -> str:
    """Return a value's text with its type before it."""
    kind = type(value)
    return f"{kind.__module__}.{kind.__qualname__}:{value!s}"
