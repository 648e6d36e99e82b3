"""Whose id a session has."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest

from beaker.backends.memory import MemoryNamespaceManager
from beaker.session import Session
from tests.core.sessions import (
    FORMER_ID_COOKIE,
    KEY,
    STRONG,
    Visit,
    contents,
    sent,
    signed_anew,
)

SECRET = STRONG
FORMER = signed_anew(FORMER_ID_COOKIE)


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
    former = Session({}, FORMER[40:], use_cookies=False, **options)
    former["n"] = 5
    former.save()

    request: dict[str, Any] = {"cookie": f"{KEY}={FORMER}"}
    session = Session(request, **options)
    session.save(accessed_only=True)

    assert session["n"] == 5
    assert request["set_cookie"]
    assert Session({"cookie": sent(request)}, **{**options, "mode": "strict"})["n"] == 5
    former.delete()


def test_strict_mode_refuses_the_cookie_of_beaker_1() -> None:
    options: Any = {"key": KEY, "type": "memory", "secret": SECRET}
    former = Session({}, FORMER[40:], use_cookies=False, **options)
    former.save()

    strict = {**options, "mode": "strict"}
    session = Session({"cookie": f"{KEY}={FORMER}"}, **strict)

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


@pytest.mark.parametrize("secret", [None, SECRET])
def test_of_two_cookies_of_one_name_the_one_with_a_session_counts(
    secret: str | None,
) -> None:
    _, gone = saved(secret=secret)
    Session({"cookie": sent(gone)}, key=KEY, type="memory", secret=secret).delete()
    session, request = saved(secret=secret)

    for first, second in ((gone, request), (request, gone)):
        both = f"{sent(first)}; {sent(second)}"
        found = Session({"cookie": both}, key=KEY, type="memory", secret=secret)

        assert (found.id, found.is_new) == (session.id, False)
        found["n"] = 2
        found.save()


def test_a_heap_of_cookies_costs_a_few_looks(monkeypatch: pytest.MonkeyPatch) -> None:
    looked = []
    fetch = MemoryNamespaceManager.fetch_accessed

    def counted(manager: MemoryNamespaceManager, key: str) -> Any:
        looked.append(manager.namespace)
        return fetch(manager, key)

    monkeypatch.setattr(MemoryNamespaceManager, "fetch_accessed", counted)
    heap = "; ".join(f"{KEY}={number:032x}" for number in range(100))

    Session({"cookie": heap}, key=KEY, type="memory")

    assert len(looked) <= 5
