"""What JSON makes another thing of, so that it comes back as it was not stored."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from typing import Any, NamedTuple

from beaker.configuration import tell_program
from beaker.exceptions import UnserializableValueError
from beaker.serializers import JSON

__all__ = ["tell_what_json_changes"]


class _Change(NamedTuple):
    path: str
    kind: type
    becomes: str
    loses: bool = False


def tell_what_json_changes(
    data: Mapping[Any, Any], stored: bytes, *, strict: bool
) -> None:
    """Tell the program of values that JSON gives back as another type.

    Args:
        data: What was to be stored.
        stored: Its JSON.
        strict: Whether to raise instead of warning.

    Raises:
        UnserializableValueError: Two keys became one; with `strict`, any change.
    """
    # To look at every value takes far longer than this, and hardly ever finds one.
    if JSON.loads(stored) == data:
        return
    for change in _changes(data, ""):
        error = UnserializableValueError(
            "json", change.kind, change.becomes, path=change.path
        )
        tell_program(error, strict=strict or change.loses)


def _changes(value: Any, path: str) -> Iterator[_Change]:
    if isinstance(value, tuple):
        yield _Change(path, type(value), "it comes back as a list")
    if isinstance(value, list | tuple):
        for index, each in enumerate(value):
            yield from _changes(each, f"{path}[{index}]")
    elif isinstance(value, Mapping):
        for key, each in value.items():
            at = f"{path}[{key!r}]"
            if not isinstance(key, str):
                (written,) = json.loads(json.dumps({key: None}))
                loses = written in value
                becomes = "there is such a text too" if loses else "it comes back so"
                said = f"the key becomes the text {written!r}, and {becomes}"
                yield _Change(at, type(key), said, loses)
            yield from _changes(each, at)
