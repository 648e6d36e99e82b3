"""A session as a real browser lives through it, by http."""

from __future__ import annotations

from typing import Any

from beaker.testing import wait_until
from tests.web.conftest import OpenSite
from tests.web.visitor import Visitor

ADD = """
    const name = arguments[0];
    window.added = Promise.all(
        [...Array(10).keys()].map(n => fetch(`/add?key=${name}-${n}`)));
"""
WAIT = "const done = arguments[0]; window.added.then(() => done('added'));"


def shown(browser: Any, url: str) -> str:
    """Return what a page shows."""
    browser.get(url)
    return text(browser)


def text(browser: Any) -> str:
    """Return what the present page shows, if it is there yet."""
    # In one step: an element may be gone before it is asked for its text.
    return str(browser.execute_script("return document.body?.innerText ?? ''")).strip()


def cookie(browser: Any) -> dict[str, Any]:
    """Return the one cookie that the browser has for this page."""
    (found,) = browser.get_cookies()
    return dict(found)


def test_a_visitor_logs_in_and_is_counted(browser: Any, open_site: OpenSite) -> None:
    url = open_site().url

    assert shown(browser, f"{url}/login?name=ann") == "ann"
    assert [shown(browser, f"{url}/count") for _ in range(3)] == ["1", "2", "3"]
    assert shown(browser, f"{url}/name") == "ann"


def test_who_only_looks_has_no_cookie(browser: Any, open_site: OpenSite) -> None:
    assert shown(browser, f"{open_site().url}/name") == "nobody"

    assert browser.get_cookies() == []


def test_no_script_sees_the_cookie(browser: Any, open_site: OpenSite) -> None:
    shown(browser, f"{open_site().url}/login?name=ann")

    assert browser.execute_script("return document.cookie") == ""
    kept = cookie(browser)
    assert (kept["httpOnly"], kept["sameSite"], kept["secure"]) == (True, "Lax", False)
    assert "expiry" not in kept


def test_two_tabs_write_at_once_and_both_are_kept(
    browser: Any, open_site: OpenSite
) -> None:
    url = open_site().url
    shown(browser, f"{url}/login?name=ann")
    browser.switch_to.new_window("tab")
    shown(browser, f"{url}/name")
    tabs = browser.window_handles

    for tab in tabs:
        browser.switch_to.window(tab)
        browser.execute_script(ADD, tab)
    for tab in tabs:
        browser.switch_to.window(tab)
        browser.execute_async_script(WAIT)

    assert len(tabs) == 2
    assert shown(browser, f"{url}/keys") == "20"
    assert shown(browser, f"{url}/name") == "ann"


def test_a_rotated_id_is_followed_and_the_old_one_is_dead(
    browser: Any, open_site: OpenSite
) -> None:
    place = open_site()
    shown(browser, f"{place.url}/login?name=ann")
    old = cookie(browser)["value"]

    assert shown(browser, f"{place.url}/rotate") == "ann"

    assert cookie(browser)["value"] != old
    assert shown(browser, f"{place.url}/name") == "ann"
    assert Visitor(place.server, f"sid={old}").get("/name").body == "nobody"


def test_a_logout_takes_the_cookie_and_the_session(
    browser: Any, open_site: OpenSite
) -> None:
    place = open_site()
    shown(browser, f"{place.url}/login?name=ann")
    old = cookie(browser)["value"]

    shown(browser, f"{place.url}/logout")

    assert browser.get_cookies() == []
    assert shown(browser, f"{place.url}/name") == "nobody"
    assert Visitor(place.server, f"sid={old}").get("/name").body == "nobody"


def test_a_cookie_with_an_end_ends(browser: Any, open_site: OpenSite) -> None:
    url = open_site(cookie_expires=3).url
    shown(browser, f"{url}/login?name=ann")
    assert cookie(browser)["expiry"] > 0

    wait_until(lambda: browser.get_cookies() == [], lambda: "it is kept")

    assert shown(browser, f"{url}/name") == "nobody"


def test_a_session_that_goes_unused_ends_before_its_cookie(
    browser: Any, open_site: OpenSite
) -> None:
    # Its pages are not asked for meanwhile: that would be use.
    url = open_site(timeout=1).url
    shown(browser, f"{url}/login?name=ann")
    asked = browser.execute_async_script(
        "const done = arguments[0];"
        "setTimeout(() => fetch('/name').then(r => r.text()).then(done), 2100)"
    )

    assert asked == "nobody"
    assert len(browser.get_cookies()) == 1


def test_a_form_of_another_site_is_sent_without_the_cookie(
    browser: Any, open_site: OpenSite
) -> None:
    place = open_site()
    shown(browser, f"{place.url}/login?name=ann")
    to = f"{place.elsewhere}/form?to={place.url}/name"

    browser.get(to)
    browser.find_element("id", "send").click()
    wait_until(lambda: text(browser) in ("ann", "nobody"), lambda: text(browser))
    posted = text(browser)
    browser.get(to)
    browser.find_element("id", "go").click()
    wait_until(lambda: text(browser) in ("ann", "nobody"), lambda: text(browser))
    linked = text(browser)

    assert (posted, linked) == ("nobody", "ann")


def test_a_name_that_is_for_https_is_not_kept_by_http(
    browser: Any, open_site: OpenSite
) -> None:
    shown(browser, f"{open_site(key='__Host-sid').url}/login?name=ann")

    assert browser.get_cookies() == []


def test_a_session_that_is_in_its_cookie_goes_the_same_way(
    browser: Any, open_site: OpenSite
) -> None:
    url = open_site(type="cookie", validate_key="p9Rw_5nVk-1cJhXf4sQe").url
    assert shown(browser, f"{url}/login?name=ann") == "ann"

    assert [shown(browser, f"{url}/count") for _ in range(2)] == ["1", "2"]
    assert browser.execute_script("return document.cookie") == ""
    shown(browser, f"{url}/logout")

    assert browser.get_cookies() == []
    assert shown(browser, f"{url}/name") == "nobody"
