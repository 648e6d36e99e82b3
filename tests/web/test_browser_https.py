"""A session as a real browser lives through it, by https."""

from __future__ import annotations

from typing import Any

import pytest

from beaker.testing import wait_until
from tests.web.conftest import OpenSite
from tests.web.test_browser import cookie, shown, text


@pytest.mark.parametrize("key", ["sid", "__Secure-sid", "__Host-sid"])
def test_a_cookie_is_for_https_alone(
    browser: Any, open_site: OpenSite, key: str
) -> None:
    url = open_site("https", key=key).url

    assert shown(browser, f"{url}/login?name=ann") == "ann"

    kept = cookie(browser)
    assert (kept["name"], kept["secure"], kept["path"]) == (key, True, "/")
    assert (kept["httpOnly"], kept["sameSite"]) == (True, "Lax")
    # Without a dot before it: this host's, and no other one's below it.
    assert kept["domain"] == "shop.test"
    assert browser.execute_script("return document.cookie") == ""
    assert [shown(browser, f"{url}/count") for _ in range(2)] == ["1", "2"]


def test_http_is_not_sent_what_https_was_given(
    browser: Any, open_site: OpenSite
) -> None:
    secure, plain = open_site("https"), open_site("http")
    shown(browser, f"{secure.url}/login?name=ann")

    assert shown(browser, f"{plain.url}/name") == "nobody"
    assert browser.get_cookies() == []
    assert shown(browser, f"{secure.url}/name") == "ann"


@pytest.mark.parametrize(
    ("samesite", "posted"), [("Strict", "nobody"), ("Lax", "nobody"), ("None", "ann")]
)
def test_a_form_of_another_site_is_sent_with_the_cookie_only_where_it_is_told(
    browser: Any, open_site: OpenSite, samesite: str, posted: str
) -> None:
    place = open_site("https", key="__Secure-sid", samesite=samesite)
    shown(browser, f"{place.url}/login?name=ann")
    assert cookie(browser)["sameSite"] == samesite

    browser.get(f"{place.elsewhere}/form?to={place.url}/name")
    browser.find_element("id", "send").click()
    wait_until(lambda: text(browser) in ("ann", "nobody"), lambda: text(browser))

    assert text(browser) == posted


def test_a_logout_takes_a_cookie_that_is_bound_to_its_host(
    browser: Any, open_site: OpenSite
) -> None:
    url = open_site("https", key="__Host-sid").url
    shown(browser, f"{url}/login?name=ann")

    shown(browser, f"{url}/logout")

    assert browser.get_cookies() == []
    assert shown(browser, f"{url}/name") == "nobody"
