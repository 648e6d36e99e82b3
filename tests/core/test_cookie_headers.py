"""The headers that carry cookies, and the cookie classes of Beaker 1.x."""

from __future__ import annotations

import locale
from datetime import UTC, datetime, timedelta
from http.cookies import CookieError

import pytest

from beaker._sessions.cookieheaders import (
    attributes,
    cookie_values,
    expiry,
    serialize_cookie_date,
    set_cookie,
)
from beaker.cookie import SignedCookie, SimpleCookie
from beaker.exceptions import InvalidOptionError


@pytest.mark.parametrize(
    ("header", "values"),
    [
        ("a=1", ["1"]),
        ("b=2; a=1", ["1"]),
        ("a=1; a=2", ["1", "2"]),
        (' a = "1" ;b', ["1"]),
        ("a=b=c", ["b=c"]),
        ("a=", [""]),
        ("aa=1; xa=2", []),
        ("a", []),
        ("", []),
        (None, []),
    ],
)
def test_the_values_of_a_cookie_are_found(
    header: str | None, values: list[str]
) -> None:
    assert list(cookie_values(header, "a")) == values


def test_attributes_stand_as_http_cookies_writes_them() -> None:
    said = attributes(
        "a", "example.org", "/x", secure=True, httponly=True, samesite="Lax"
    )
    written = set_cookie("a", "1", "Thu, 01-Jan-1970 00:00:00 GMT", said)

    morsel = SimpleCookie("a=1")["a"]
    for name, value in (
        ("domain", "example.org"),
        ("expires", "Thu, 01-Jan-1970 00:00:00 GMT"),
        ("httponly", True),
        ("path", "/x"),
        ("samesite", "Lax"),
        ("secure", True),
    ):
        morsel[name] = value
    assert written == morsel.OutputString()


def test_a_cookie_without_attributes_is_its_value() -> None:
    said = attributes("a", None, None, secure=False, httponly=False, samesite=None)

    assert set_cookie("a", "1", None, said) == "a=1"


def test_a_date_is_english_in_every_locale() -> None:
    former = locale.setlocale(locale.LC_TIME)
    for name in ("de_DE.UTF-8", "fr_FR.UTF-8", "C.UTF-8"):
        try:
            locale.setlocale(locale.LC_TIME, name)
        except locale.Error:
            continue
        said = serialize_cookie_date(datetime(2024, 2, 29, 1, 2, 3, tzinfo=UTC))
        assert said == "Thu, 29-Feb-2024 01:02:03 GMT"
    locale.setlocale(locale.LC_TIME, former)


@pytest.mark.parametrize("expires", [timedelta.max, 10**20, "x", object()])
def test_a_time_that_there_is_not_is_told(expires: object) -> None:
    with pytest.raises(InvalidOptionError, match="cookie_expires"):
        expiry(expires)


def test_a_bad_name_hides_no_other_cookie() -> None:
    cookies = SimpleCookie({"a b": "1", "c": "2"})

    assert {name: morsel.value for name, morsel in cookies.items()} == {"c": "2"}


def test_a_program_that_sets_a_bad_name_is_told() -> None:
    cookies = SimpleCookie()

    with pytest.raises(CookieError):
        cookies["a b"] = "1"


def test_signed_cookies_sign_what_they_hold() -> None:
    sending = SignedCookie("secret")
    sending["a"] = "text"
    received = SignedCookie("secret", f"a={sending['a'].coded_value}")

    assert received["a"].value == "text"
    assert not SignedCookie("other", f"a={sending['a'].coded_value}")["a"].value


@pytest.mark.parametrize("value", ["a\r\nSet-Cookie: b=1", "a; Domain=x", "a\0", "ü"])
def test_a_value_that_would_end_its_header_is_refused(value: str) -> None:
    with pytest.raises(InvalidOptionError, match="option 'id' takes"):
        set_cookie("a", value, None, "")
