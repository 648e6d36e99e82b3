"""What is read from a Cookie header, and what a Set-Cookie header says."""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import lru_cache
from typing import TYPE_CHECKING, Any

from beaker.exceptions import InvalidOptionError

if TYPE_CHECKING:
    from datetime import datetime

__all__ = [
    "COOKIE_LIMIT",
    "attributes",
    "check_name",
    "cookie_values",
    "expiry",
    "months",
    "serialize_cookie_date",
    "set_cookie",
    "shown_attributes",
    "weekdays",
]

#: Bytes of name and value together that every browser keeps.
COOKIE_LIMIT = 4096

months = (
    *(None, "Jan", "Feb", "Mar", "Apr", "May", "Jun"),
    *("Jul", "Aug", "Sep", "Oct", "Nov", "Dec"),
)
weekdays = ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun")

# A date all programs can still count to: the end of 32 bits, as in 1.x.
_NEVER = "Tue, 19-Jan-2038 03:14:07 GMT"
_TOKEN = re.compile(r"[!#$%&'*+\-.^_`|~0-9A-Za-z]+")
_SAFE = bytes(set(range(ord(" "), ord("~") + 1)) - {ord(";")})


def cookie_values(header: str | None, name: str) -> list[str]:
    """Return the values of all cookies of this name, in the browser's order.

    Other cookies are not looked at, whatever is in them.
    """
    values: list[str] = []
    if header and name in header:
        for pair in header.split(";"):
            if name in pair:
                found, equals, value = pair.partition("=")
                if equals and found.strip() == name:
                    values.append(value.strip().strip('"'))
    return values


def check_name(name: str) -> str:
    """Return a cookie's name if it is one.

    Raises:
        InvalidOptionError: It holds what a header would not bring back.
    """
    if not _TOKEN.fullmatch(name):
        takes = "letters, digits and -_.!#$%&'*+^`|~"
        raise InvalidOptionError("key", name, takes)
    return name


def set_cookie(name: str, value: str, expires: str | None, attributes: str) -> str:
    """Return the value of a Set-Cookie header.

    Raises:
        InvalidOptionError: The value holds what would end it, or the header.
    """
    # An id of the program may be any text; all other values are base64.
    _clean("id", value)
    if expires is None:
        return f"{name}={value}{attributes}"
    # Attributes stand in alphabetical order, as 1.x and http.cookies write them.
    if attributes.startswith("; Domain="):
        domain, semicolon, rest = attributes[2:].partition("; ")
        return f"{name}={value}; {domain}; expires={expires}{semicolon}{rest}"
    return f"{name}={value}; expires={expires}{attributes}"


@lru_cache(maxsize=256)
def attributes(
    name: str,
    domain: str | None,
    path: str | None,
    *,
    secure: bool,
    httponly: bool,
    samesite: str | None,
) -> str:
    """Return the attributes of a cookie as a header says them.

    Raises:
        InvalidOptionError: Browsers would refuse the cookie, or read another one.
    """
    _check_prefix(name, domain, path, secure)
    if samesite == "None" and not secure:
        takes = "'Lax' or 'Strict' where 'secure' is false"
        raise InvalidOptionError("samesite", samesite, takes)
    parts = [
        ("Domain", _clean("cookie_domain", domain)),
        ("HttpOnly", httponly),
        ("Path", _clean("cookie_path", path)),
        ("SameSite", _clean("samesite", samesite)),
        ("Secure", secure),
    ]
    said = (key if value is True else f"{key}={value}" for key, value in parts if value)
    return "".join(f"; {part}" for part in said)


def expiry(expires: Any) -> str | None:
    """Return when a cookie ends, as a header says it; None: with the browser.

    Args:
        expires: True or None: with the browser; False: never; a number of seconds
            or a timedelta from now; a datetime, in UTC unless it says otherwise.

    Raises:
        InvalidOptionError: It is none of these.
    """
    if expires is True or expires is None:
        return None
    if expires is False:
        return _NEVER
    return serialize_cookie_date(_moment(expires))


def serialize_cookie_date(moment: datetime) -> str:
    """Return a time in UTC as a cookie says it, in English whatever the locale."""
    return (
        f"{weekdays[moment.weekday()]}, {moment.day:02d}-{months[moment.month]}-"
        f"{moment.year} {moment.hour:02d}:{moment.minute:02d}:{moment.second:02d} GMT"
    )


def shown_attributes(attributes: str, expires: str | None) -> Iterator[tuple[str, Any]]:
    """Return attributes by their names in lower case, as a Morsel holds them."""
    yield "expires", expires or ""
    for part in attributes.split("; ")[1:]:
        key, equals, value = part.partition("=")
        yield key.lower(), value if equals else True


def _moment(expires: Any) -> datetime:
    from datetime import UTC, datetime, timedelta

    now = datetime.now(UTC)
    try:
        if isinstance(expires, int | float):
            return now + timedelta(seconds=expires)
        if isinstance(expires, timedelta):
            return now + expires
    except OverflowError:
        pass
    if isinstance(expires, datetime):
        return expires.astimezone(UTC) if expires.tzinfo else expires
    takes = "true, false, a number of seconds, a timedelta or a datetime"
    raise InvalidOptionError("cookie_expires", expires, takes)


def _clean(option: str, value: str | None) -> str | None:
    # A control character or a semicolon would end the attribute, or the header.
    if value and (not value.isascii() or value.encode().translate(None, _SAFE)):
        takes = "ASCII text without control characters and semicolons"
        raise InvalidOptionError(option, value, takes)
    return value


def _check_prefix(
    name: str, domain: str | None, path: str | None, secure: bool
) -> None:
    bound = name.startswith("__Host-")
    if (bound or name.startswith("__Secure-")) and not secure:
        raise InvalidOptionError("secure", secure, f"true with a key like {name!r}")
    if bound and domain:
        takes = f"no value with a key like {name!r}"
        raise InvalidOptionError("cookie_domain", domain, takes)
    if bound and path != "/":
        raise InvalidOptionError("cookie_path", path, f"'/' with a key like {name!r}")
