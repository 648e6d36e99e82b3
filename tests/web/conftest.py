"""A real browser, and sites for it to visit."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest

from beaker.testing import Recipe
from tests.web.https import terminator
from tests.web.sites import site

OpenSite = Callable[..., "Place"]

#: How the browser calls the site, and another one; both are on this machine.
SHOP, ELSEWHERE = "shop.test", "elsewhere.test"

_INSTALL = "apt-get install chromium chromium-driver"
_FLAGS = [
    *("--headless", "--no-sandbox", "--disable-gpu", "--disable-quic"),
    *("--no-first-run", "--disable-background-networking", "--disable-sync"),
    *("--disable-component-update", "--ignore-certificate-errors"),
    "--host-resolver-rules=MAP *.test 127.0.0.1",
]


class Place:
    """A site as a browser calls it.

    Attributes:
        url: Its address.
        elsewhere: The same server under a name that is not the site's.
        server: Where it is for those who need no name.
    """

    def __init__(self, scheme: str, port: int, server: str) -> None:
        self.url = f"{scheme}://{SHOP}:{port}"
        self.elsewhere = f"{scheme}://{ELSEWHERE}:{port}"
        self.server = server


@pytest.fixture(scope="module")
def chromium(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Any]:
    """A browser without a window, driven by its driver."""
    from selenium import webdriver

    # They tell all that is said between them and the driver.
    for talkative in ("selenium", "urllib3"):
        logging.getLogger(talkative).setLevel(logging.WARNING)
    options = webdriver.ChromeOptions()
    options.binary_location = _installed("chromium")
    for flag in _FLAGS:
        options.add_argument(flag)
    options.add_argument(f"--user-data-dir={tmp_path_factory.mktemp('chromium')}")
    # With explicit paths nothing is looked for, and nothing downloaded.
    browser = webdriver.Chrome(
        options, webdriver.ChromeService(_installed("chromedriver"))
    )
    yield browser
    browser.quit()


@pytest.fixture
def browser(chromium: Any) -> Any:
    """The browser, with one window and no cookies."""
    for window in chromium.window_handles[1:]:
        chromium.switch_to.window(window)
        chromium.close()
    chromium.switch_to.window(chromium.window_handles[0])
    chromium.get("about:blank")
    chromium.execute_cdp_cmd("Network.clearBrowserCookies", {})
    return chromium


@pytest.fixture
def open_site(tmp_path: Path) -> Iterator[OpenSite]:
    """Serves the application by http, or by https, until the test ends."""
    with ExitStack() as stack:

        def opened(scheme: str = "http", **options: Any) -> Place:
            directory = tmp_path / f"{scheme}-{len(list(tmp_path.iterdir()))}"
            store = {"type": "file", "data_dir": str(directory / "data")}
            kind = "waitress" if scheme == "http" else "waitress behind https"
            running = stack.enter_context(site(kind, directory, {**store, **options}))
            if scheme == "http":
                return Place(scheme, int(running.url.rpartition(":")[2]), running.url)
            port = stack.enter_context(terminator(running.url, directory / "tls"))
            return Place(scheme, port, running.url)

        yield opened


def _installed(program: str) -> str:
    """Return the path of a program, or skip the test, under CI fail it."""
    return Recipe(program, (), "", "", _INSTALL).executable()
