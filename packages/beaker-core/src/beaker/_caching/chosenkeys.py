"""Keys that a function of the program chooses for each call."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from beaker.keys import FunctionKeys, escaped, typed_text

__all__ = ["ChosenKeys"]


class ChosenKeys(FunctionKeys):
    """Makes the keys of one decorated function from what another makes of a call.

    Args:
        function: The decorated function.
        choose: Takes the arguments of a call, `self` or `cls` included, and returns
            what tells it from other calls: anything that `str` takes, or a tuple of
            such parts.
        tags: What the decorator was given to tell this function from others.
        typed: Whether parts of different types differ though their text is the same.
    """

    counts_self = True
    _compiles = False

    def __init__(
        self,
        function: Callable[..., Any],
        choose: Callable[..., Any],
        tags: Sequence[object] = (),
        *,
        typed: bool = False,
    ) -> None:
        super().__init__(function, tags, typed=typed)
        self._choose = choose
        self._part_text = typed_text if typed else str

    def of_call(self, args: Sequence[Any], kwargs: Mapping[str, Any]) -> str:
        """Return the key of a call as the function's body would see it."""
        chosen = self._choose(*args, **kwargs)
        parts = chosen if isinstance(chosen, tuple) else (chosen,)
        texts = [*self.tags, *map(self._part_text, parts)]
        return " ".join([escaped(text) for text in texts])

    of_arguments = of_call
