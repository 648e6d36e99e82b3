"""Options: from strings in an INI file to values, with errors that help."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Any

from beaker.exceptions import InvalidOptionError

__all__ = [
    "Coercer",
    "anything",
    "boolean",
    "choice",
    "did_you_mean",
    "is_boolean",
    "listing",
    "moment",
    "number",
    "optional",
    "seconds",
    "secrets",
    "text",
    "whole_number",
]

#: Takes an option's name and what the user wrote; returns the value or raises
#: InvalidOptionError.
Coercer = Callable[[str, Any], Any]

_TRUE = frozenset({"true", "yes", "on", "y", "t", "1"})
_FALSE = frozenset({"false", "no", "off", "n", "f", "0"})


def anything(_name: str, value: Any) -> Any:
    """Take what cannot be checked here, such as an object that a program passes."""
    return value


def text(name: str, value: Any) -> str:
    """Take text that is not empty and has no NUL in it, which no system takes."""
    shown = value
    if isinstance(value, bytes):
        value = value.decode(errors="surrogateescape")
    if isinstance(value, str) and value.strip() and "\0" not in value:
        return value
    raise InvalidOptionError(name, shown, "text that is not empty, without NUL")


def boolean(name: str, value: Any) -> bool:
    """Take True, False, or one of the words that INI files use for them."""
    if isinstance(value, str):
        word = value.strip().lower()
        if word in _TRUE:
            return True
        if word in _FALSE:
            return False
    elif isinstance(value, int):
        return bool(value)
    raise InvalidOptionError(name, value, "true or false")


def is_boolean(value: Any) -> bool:
    """Return whether `boolean` takes this value."""
    if isinstance(value, str):
        return value.strip().lower() in _TRUE | _FALSE
    return isinstance(value, int)


def whole_number(name: str, value: Any) -> int:
    """Take a whole number from 0 on."""
    try:
        number_ = int(value)
    except (TypeError, ValueError):
        number_ = -1
    if number_ < 0 or (isinstance(value, float) and value != number_):
        raise InvalidOptionError(name, value, "a whole number from 0 on")
    return number_


def number(name: str, value: Any) -> float:
    """Take a number from 0 on, such as of seconds."""
    try:
        number_ = float(value)
    except (TypeError, ValueError):
        number_ = -1.0
    if not 0 <= number_ < float("inf"):
        raise InvalidOptionError(name, value, "a number from 0 on")
    return number_


def seconds(name: str, value: Any) -> float:
    """Take a number of seconds from 0 on; a whole number stays one."""
    try:
        number_ = -1.0 if isinstance(value, bool) else float(value)
    except (TypeError, ValueError):
        number_ = -1.0
    if not 0 <= number_ < float("inf"):
        raise InvalidOptionError(name, value, "a number of seconds from 0 on")
    # Stores written for 1.x hand it on to clients that take whole numbers only.
    return int(number_) if number_ == int(number_) else number_


def secrets(name: str, value: Any) -> Any:
    """Take one secret, or several: a list, or text with one in each line.

    Returns:
        The one secret as it was given, or a list, the one to write with first.
    """
    if isinstance(value, str):
        lines = [line.strip() for line in value.splitlines() if line.strip()]
        if lines:
            return value if len(lines) == 1 else lines
    elif isinstance(value, bytes):
        if value:
            return value
    elif isinstance(value, Iterable):
        several = list(value)
        if several and all(one and isinstance(one, str | bytes) for one in several):
            return several
    raise InvalidOptionError(name, "***", "a secret, or one in each line, none empty")


def moment(name: str, value: Any) -> float:
    """Take a date, with or without time, in UTC if it says no zone.

    Returns:
        Seconds since 1970.
    """
    from datetime import UTC, date, datetime

    if isinstance(value, int | float) and not isinstance(value, bool):
        return float(value)
    try:
        then = value if isinstance(value, date) else datetime.fromisoformat(value)
    except (TypeError, ValueError):
        takes = "a date such as 2030-01-31, or 2030-01-31T12:00:00+00:00"
        raise InvalidOptionError(name, value, takes) from None
    if not isinstance(then, datetime):
        then = datetime(then.year, then.month, then.day)  # noqa: DTZ001  # set below
    if then.tzinfo is None:
        then = then.replace(tzinfo=UTC)
    return then.timestamp()


def listing(name: str, value: Any) -> list[Any]:
    """Take a list, or text with commas or line ends between its items."""
    if isinstance(value, str):
        items = value.replace("\n", ",").split(",")
        return [item.strip() for item in items if item.strip()]
    if isinstance(value, Iterable) and not isinstance(value, Mapping):
        return list(value)
    raise InvalidOptionError(name, value, "a list, or text with commas")


def choice(*allowed: str) -> Coercer:
    """Return a coercer that takes one of these words, in any case."""

    def one_of(name: str, value: Any) -> str:
        for word in allowed:
            if isinstance(value, str) and value.strip().lower() == word.lower():
                return word
        takes = "one of " + ", ".join(repr(word) for word in allowed)
        raise InvalidOptionError(name, value, takes)

    return one_of


def optional(coercer: Coercer) -> Coercer:
    """Return a coercer that lets None pass, as None or as the word in a file."""

    def or_none(name: str, value: Any) -> Any:
        if value is None or (isinstance(value, str) and value.strip() == "None"):
            return None
        return coercer(name, value)

    return or_none


def did_you_mean(name: str, known: Iterable[str]) -> str | None:
    """Return the known name that this one is probably a slip of, if any."""
    from difflib import get_close_matches

    close = get_close_matches(name, sorted(known), n=1, cutoff=0.7)
    return close[0] if close else None
