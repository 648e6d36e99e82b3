"""Words to truth values and lists, as Beaker 1.x converted them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from beaker.options import boolean, is_boolean

__all__ = ["asbool", "aslist"]


def asbool(obj: Any) -> bool:
    """Return the truth of an object, or of a word such as "yes" or "off".

    Raises:
        ValueError: A text that is no such word.
    """
    if not isinstance(obj, str):
        return bool(obj)
    if is_boolean(obj):
        return boolean("asbool", obj)
    raise ValueError(f"String is not true/false: {obj.strip().lower()!r}")


def aslist(obj: Any, sep: str | None = None, strip: bool = True) -> Sequence[Any]:
    """Return a list of what a text holds between separators, or of one object.

    Args:
        obj: Text to split; a list or tuple, returned as it is; None for no items;
            or one item.
        sep: What stands between the items; None: white space.
        strip: Whether white space around an item is dropped.
    """
    if isinstance(obj, str):
        items = obj.split(sep)
        return [item.strip() for item in items] if strip else items
    if isinstance(obj, list | tuple):
        return obj
    return [] if obj is None else [obj]
