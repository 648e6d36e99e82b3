"""Text that is no Unicode, such as the name of an odd file, as SQLite can keep it."""

from __future__ import annotations

from typing import Any, TypeAlias

__all__ = ["Parameters", "decoded", "encodable"]

#: What goes into the places that a statement leaves open.
Parameters: TypeAlias = tuple[Any, ...]


def encodable(parameters: Parameters) -> Parameters:
    """Return parameters with text as bytes where it has lone surrogates.

    To SQLite bytes equal no text, so that no other text is taken for this one.
    """
    return tuple(_as_bytes_if_broken(each) for each in parameters)


def decoded(value: str | bytes) -> str:
    """Return text that comes from the database as it was put there."""
    return value if isinstance(value, str) else value.decode("utf-8", "surrogatepass")


def _as_bytes_if_broken(value: Any) -> Any:
    if isinstance(value, str) and not value.isascii():
        try:
            value.encode()
        except UnicodeEncodeError:
            return value.encode("utf-8", "surrogatepass")
    return value
