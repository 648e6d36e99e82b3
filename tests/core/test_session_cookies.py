"""What the cookie of a session says."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta, timezone
from typing import Any

import pytest

from beaker.exceptions import InvalidOptionError
from beaker.session import Session, SessionObject
from tests.core.sessions import (
    KEY,
    Visit,
    sent,
    setting,
)

SECRET = "s" * 20


def saved(cookie: str = "", **options: Any) -> tuple[Session, dict[str, Any]]:
    """Return a session that was saved, and its request."""
    request = {"cookie": cookie}
    session = Session(request, **{"key": KEY, "type": "memory", **options})
    session["n"] = 1
    session.save()
    return session, request


def header(**options: Any) -> str:
    """Return the Set-Cookie header of a new session."""
    return str(saved(**options)[1]["cookie_out"])


# -- attributes


def test_the_cookie_is_for_the_server_alone_by_default() -> None:
    name, *attributes = header().split("; ")

    assert name.startswith(f"{KEY}=")
    assert attributes == ["HttpOnly", "Path=/", "SameSite=Lax"]


@pytest.mark.parametrize(
    ("secure", "https", "expected"),
    [
        ("auto", True, True),
        ("auto", False, False),
        (True, False, True),
        (False, True, False),
        ("true", False, True),
    ],
)
def test_secure_follows_the_scheme_unless_it_is_set(
    secure: object, https: bool, expected: bool
) -> None:
    visit = Visit(type="memory", secure=secure)

    scheme: Any = {"wsgi.url_scheme": "https" if https else "http"}
    response = visit.request(setting(n=1), **scheme)

    assert ("Secure" in response.cookie.split("; ")) is expected


def test_what_is_set_is_said() -> None:
    said = header(
        httponly=False,
        samesite="Strict",
        cookie_domain="example.org",
        cookie_path="/app",
        secure=True,
    )

    attributes = said.split("; ")[1:]
    assert attributes == [
        "Domain=example.org",
        "Path=/app",
        "SameSite=Strict",
        "Secure",
    ]


def test_samesite_can_be_left_out() -> None:
    assert "SameSite" not in header(samesite=None)


def test_samesite_none_needs_secure() -> None:
    assert "SameSite=None; Secure" in header(samesite="None")
    with pytest.raises(InvalidOptionError, match="samesite"):
        header(samesite="None", secure=False)


@pytest.mark.parametrize(
    "options",
    [
        {"key": "__Host-sid", "secure": False},
        {"key": "__Secure-sid", "secure": False},
        {"key": "__Host-sid", "cookie_domain": "example.org"},
        {"key": "__Host-sid", "cookie_path": "/app"},
    ],
)
def test_a_name_that_promises_is_not_broken(options: dict[str, Any]) -> None:
    with pytest.raises(InvalidOptionError, match="__"):
        header(**options)


@pytest.mark.parametrize("key", ["__Host-sid", "__Secure-sid"])
def test_a_name_that_promises_makes_the_cookie_secure(key: str) -> None:
    assert header(key=key).endswith("; Secure")


@pytest.mark.parametrize(
    "evil", ["/\r\nSet-Cookie: a=b", "/; Secure", "/\0", "/\x7f", "/ü"]
)
def test_no_attribute_can_break_out_of_the_header(evil: str) -> None:
    with pytest.raises(InvalidOptionError, match="cookie_path"):
        header(cookie_path=evil)
    with pytest.raises(InvalidOptionError, match="cookie_domain"):
        header(cookie_domain=evil)

    session, request = saved()
    with pytest.raises(InvalidOptionError):
        session.path = evil
    with pytest.raises(InvalidOptionError):
        session.domain = evil

    assert evil not in request["cookie_out"]
    assert session.path == "/"


@pytest.mark.parametrize("key", ["a b", "a=b", "a;b", "a\r\nb", "ü", ""])
def test_a_cookie_name_is_checked(key: str) -> None:
    with pytest.raises(InvalidOptionError, match="'key'"):
        header(key=key)


def test_domain_and_path_can_be_set_on_the_way_and_are_kept() -> None:
    visit = Visit(type="memory")
    visit.request(setting(n=1))

    def move(session: Any) -> None:
        session.domain, session.path = "example.org", "/here"
        session.save()

    moved = visit.request(move)
    regenerated = visit.request(lambda session: session.regenerate_id())

    for response in (moved, regenerated):
        assert "; Domain=example.org; " in response.cookie
        assert "; Path=/here; " in response.cookie


def test_a_domain_that_is_set_sends_no_cookie_of_what_is_not_stored() -> None:
    def act(session: Any) -> None:
        session.domain = "example.org"

    assert Visit(type="memory").request(act).cookie == ""


# -- how long the browser keeps it


@pytest.mark.parametrize("forever", [True, "true", None])
def test_a_cookie_can_end_with_the_browser(forever: object) -> None:
    assert "expires" not in (
        header() if forever is None else header(cookie_expires=forever)
    )


def test_a_cookie_can_last_for_ever() -> None:
    assert "; expires=Tue, 19-Jan-2038 03:14:07 GMT; " in header(cookie_expires=False)


@pytest.mark.parametrize("expires", [300, "300", timedelta(seconds=300)])
def test_a_cookie_can_last_for_some_seconds(expires: object) -> None:
    said = re.search("; expires=([^;]*);", header(cookie_expires=expires))

    assert said
    ends = datetime.strptime(said[1], "%a, %d-%b-%Y %H:%M:%S GMT").replace(tzinfo=UTC)
    assert 290 < (ends - datetime.now(UTC)).total_seconds() < 301


@pytest.mark.parametrize(
    "moment",
    [
        datetime(2030, 2, 28, 23, 30),  # noqa: DTZ001 - naive means UTC
        datetime(2030, 3, 1, 1, 30, tzinfo=timezone(timedelta(hours=2))),
    ],
)
def test_a_cookie_can_end_at_a_moment(moment: datetime) -> None:
    said = header(cookie_expires=moment)

    assert "; expires=Thu, 28-Feb-2030 23:30:00 GMT; " in said


def test_the_end_of_a_cookie_can_be_changed_and_taken_back() -> None:
    session, request = saved(cookie_expires=300)
    assert "expires" in request["cookie_out"]

    session.cookie_expires = None
    session.save()

    assert "expires" not in request["cookie_out"]


def test_an_end_that_is_set_on_the_way_is_sent() -> None:
    visit = Visit(type="memory")
    visit.request(setting(n=1))

    def act(session: Any) -> None:
        session.cookie_expires = False
        session.save()

    assert "expires=Tue, 19-Jan-2038" in visit.request(act).cookie


@pytest.mark.parametrize("wrong", ["soon", [1], {}])
def test_a_wrong_end_of_the_cookie_is_told(wrong: object) -> None:
    with pytest.raises(InvalidOptionError, match="cookie_expires"):
        saved(cookie_expires=wrong)


# -- what programs look at


def test_programs_can_look_at_the_cookie() -> None:
    session, request = saved(secret=SECRET, cookie_domain="example.org")

    morsel = session.cookie[session.key]
    session._set_cookie_values()

    assert f"{KEY}={morsel.coded_value}" == sent(request)
    assert (morsel["domain"], morsel["httponly"]) == ("example.org", True)
    assert morsel.output(header="").strip() == request["cookie_out"]


def test_a_session_object_keeps_its_state_where_frameworks_look() -> None:
    lazy = SessionObject({"HTTP_COOKIE": ""}, key=KEY, type="memory")
    assert lazy.__dict__["_sess"] is None
    assert lazy.__dict__["_params"] == {"key": KEY, "type": "memory"}

    lazy["n"] = 1
    assert not lazy.__dict__["_headers"]["set_cookie"]
    lazy.save()
    assert lazy.__dict__["_dirty"]
    lazy.persist()

    assert lazy.__dict__["_headers"]["set_cookie"]
    assert lazy.__dict__["_headers"]["cookie_out"].startswith(f"{KEY}=")
