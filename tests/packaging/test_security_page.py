"""The steps by which a secret is changed, as the page on security has them."""

from __future__ import annotations

import re
import textwrap
from configparser import ConfigParser
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest

from beaker.middleware import SessionMiddleware
from beaker.session import CookieSession
from tests.core.sessions import KEY, STRONG, Browser, Visit, setting
from tests.projects import ROOT

Options = dict[str, Any]

OLD, NEW = STRONG, STRONG[::-1]
PAGE = (ROOT / "docs" / "security.md").read_text(encoding="utf-8")


def steps() -> list[Options]:
    """Return the options of each step, before the first and after the last."""
    section = PAGE.partition("\n## Change a secret\n")[2].partition("\n## ")[0]
    blocks = re.findall(r"^ *```ini\n(.*?)^ *```$", section, re.DOTALL | re.MULTILINE)
    told = [{"session.secret": OLD}]
    for block in blocks:
        parser = ConfigParser()
        text = block.replace("the old secret", OLD).replace("the new secret", NEW)
        parser.read_string("[app]\n" + textwrap.dedent(text))
        told.append(dict(parser["app"]))
    return told


@pytest.fixture
def shop(tmp_path: Path) -> Options:
    """What the configuration of a site says beside its secret."""
    place = {"session.type": "file", "session.data_dir": str(tmp_path)}
    return {"session.key": KEY, "session.mode": "strict", **place}


def site(shop: Options, step: Options) -> Visit:
    """Return the site after a step, and a browser that was never there."""
    visit = Visit()
    wrapped = SessionMiddleware(visit.application, {**shop, **step})
    visit.browser = Browser(wrapped)
    return visit


def test_there_are_the_three_steps() -> None:
    assert [step["session.secret"].split() for step in steps()] == [
        [OLD],
        [OLD, NEW],
        [NEW, OLD],
        [NEW],
    ]


def test_processes_of_two_steps_know_each_others_visitors(shop: Options) -> None:
    # While the old one is taken out, only those come whom the third step has seen.
    for before, after in pairwise(steps()[:3]):
        for here, there in ((before, after), (after, before)):
            first, second = site(shop, here), site(shop, there)
            first.request(setting(n=1))
            second.browser.cookies = dict(first.browser.cookies)

            assert second.read(lambda session: session["n"]) == "1"


def test_a_visitor_of_each_step_is_not_logged_out(shop: Options) -> None:
    cookies: dict[str, str] = {}
    for number, step in enumerate(steps()):
        visit = site(shop, step)
        visit.browser.cookies = cookies
        found = visit.read(lambda session: session.get("n"))
        assert found == str(number or None)
        visit.request(setting(n=number + 1))
        cookies = visit.browser.cookies

    only_new = site(shop, {"session.secret": NEW})
    only_new.browser.cookies = cookies
    assert only_new.read(lambda session: session["n"]) == "4"


def test_even_one_who_only_reads(shop: Options) -> None:
    first, _, second, third = (site(shop, step) for step in steps())
    first.request(setting(n=1))

    second.browser.cookies = first.browser.cookies
    second.read(lambda session: session["n"])
    third.browser.cookies = second.browser.cookies

    assert third.read(lambda session: session["n"]) == "1"


def test_who_stayed_away_begins_anew(shop: Options) -> None:
    first, *_, last = (site(shop, step) for step in steps())
    first.request(setting(n=1))
    last.browser.cookies = first.browser.cookies

    assert last.read(lambda session: session.get("n")) == "None"


def test_the_keys_of_sessions_in_cookies_are_changed_likewise() -> None:
    cookie = ""
    for number, step in enumerate(steps()):
        keys = step["session.secret"]
        request: Options = {"cookie": cookie}
        session = CookieSession(request, key=KEY, validate_key=keys, mode="strict")
        assert session.get("n") == (number or None)
        session["n"] = number + 1
        session.save()
        cookie = request["cookie_out"].partition(";")[0]
