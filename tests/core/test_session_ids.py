"""Whose id a session has, and what the cookie around it says."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta, timezone
from pathlib import Path
from typing import Any

import pytest

from beaker.exceptions import InvalidOptionError
from beaker.session import Session, SessionObject
from tests.core.sessions import (
    FORMER_ID_COOKIE,
    KEY,
    Visit,
    contents,
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


# -- ids


@pytest.mark.parametrize("secret", [None, SECRET])
def test_an_id_has_128_bits_in_32_hex_digits(secret: str | None) -> None:
    ids = {saved(secret=secret)[0].id for _ in range(100)}

    assert len(ids) == 100
    assert all(re.fullmatch("[0-9a-f]{32}", one) for one in ids)


@pytest.mark.parametrize("secret", [None, SECRET])
@pytest.mark.parametrize(
    "chosen",
    ["attackerchosen", "0" * 32, "../../etc/passwd", "x" * 300, "ü", "", '"', "a" * 72],
)
def test_an_id_chosen_by_the_browser_is_replaced(
    secret: str | None, chosen: str
) -> None:
    session, _ = saved(f"{KEY}={chosen}", secret=secret)

    assert session.id != chosen
    assert session.is_new


def test_visits_with_ids_of_nobody_leave_nothing_behind(tmp_path: Path) -> None:
    visit = Visit(type="file", data_dir=str(tmp_path / "data"))

    for number in range(1000):
        visit.browser.cookies[KEY] = f"{number:032x}"
        assert visit.read(contents) == "{}"

    assert list(tmp_path.rglob("*")) == []


def test_the_cookie_of_a_session_is_not_one_of_another_name() -> None:
    session, request = saved(secret=SECRET)
    moved = sent(request).replace(KEY, "other")

    other = Session({"cookie": moved}, key="other", type="memory", secret=SECRET)

    assert other.is_new
    assert other.id != session.id


def test_the_cookie_of_beaker_1_is_read_and_sent_anew() -> None:
    options: Any = {"key": KEY, "type": "memory", "secret": SECRET}
    former = Session({}, FORMER_ID_COOKIE[40:], use_cookies=False, **options)
    former["n"] = 5
    former.save()

    request: dict[str, Any] = {"cookie": f"{KEY}={FORMER_ID_COOKIE}"}
    session = Session(request, **options)
    session.save(accessed_only=True)

    assert session["n"] == 5
    assert request["set_cookie"]
    assert Session({"cookie": sent(request)}, **{**options, "mode": "strict"})["n"] == 5
    former.delete()


def test_strict_mode_refuses_the_cookie_of_beaker_1() -> None:
    options: Any = {"key": KEY, "type": "memory", "secret": SECRET}
    former = Session({}, FORMER_ID_COOKIE[40:], use_cookies=False, **options)
    former.save()

    strict = {**options, "mode": "strict"}
    session = Session({"cookie": f"{KEY}={FORMER_ID_COOKIE}"}, **strict)

    assert session.is_new
    former.delete()


def test_a_cookie_under_an_old_secret_is_accepted_and_sent_anew() -> None:
    session, request = saved(secret="old")
    rotated: Any = {"secret": ["new", "old"], "key": KEY, "type": "memory"}

    answer: dict[str, Any] = {"cookie": sent(request)}
    found = Session(answer, **rotated)
    found.save(accessed_only=True)

    assert found.id == session.id
    assert answer["set_cookie"]
    later = Session({"cookie": sent(answer)}, secret="new", key=KEY, type="memory")
    assert later.id == session.id


def test_secrets_stand_one_in_a_line_in_a_file() -> None:
    _, request = saved(secret="old")

    session, _ = saved(sent(request), secret="new\nold")

    assert not session.is_new


@pytest.mark.parametrize(
    "neighbour",
    [
        "broken",
        'a="b',
        "a=b=c",
        "=x",
        "a[1]=2",
        'json={"a":"b;c"}',
        "ü=1",
        "$Version=1",
        "a=\x01",
        f"not{KEY}=1",
    ],
)
@pytest.mark.parametrize("order", ["{0}; {1}", "{1}; {0}", "{0};{1}"])
def test_odd_neighbours_hide_no_session(neighbour: str, order: str) -> None:
    session, request = saved(secret=SECRET)

    cookies = order.format(neighbour, sent(request))
    found, _ = saved(cookies, secret=SECRET)

    assert found.id == session.id


def test_of_two_cookies_of_one_name_the_one_we_signed_counts() -> None:
    session, request = saved(secret=SECRET)

    found, _ = saved(f"{KEY}=planted; {sent(request)}", secret=SECRET)

    assert found.id == session.id


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
