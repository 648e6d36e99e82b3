"""A browser as small as can be: it keeps one cookie and asks for pages."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from http.client import HTTPConnection
from typing import NamedTuple
from urllib.parse import urlsplit

__all__ = ["Answer", "Visitor", "in_parallel"]

#: Seconds that a busy machine may take for an answer.
PATIENCE = 30


class Answer(NamedTuple):
    """What a server said."""

    status: int
    body: str
    cookie: str | None
    process: str | None


class Visitor:
    """Asks one site for pages, from any number of threads.

    Args:
        url: The site.
        cookie: What the Cookie header says at first.
    """

    def __init__(self, url: str, cookie: str | None = None) -> None:
        self._url, self.cookie = url, cookie

    def get(self, path: str) -> Answer:
        """Ask for a page, and keep the cookie that comes with it."""
        connection = HTTPConnection(urlsplit(self._url).netloc, timeout=PATIENCE)
        try:
            headers = {"Cookie": self.cookie} if self.cookie else {}
            connection.request("GET", path, headers=headers)
            response = connection.getresponse()
            body = response.read().decode()
        finally:
            connection.close()
        cookie = response.getheader("Set-Cookie")
        if cookie is not None:
            # An id may hold the digits of a year.
            is_gone = "01-Jan-1970" in cookie
            self.cookie = None if is_gone else cookie.partition(";")[0]
        return Answer(response.status, body, cookie, response.getheader("X-Process"))


def in_parallel(visits: list[tuple[Visitor, str]]) -> list[Answer]:
    """Return what visitors are answered who all ask at once."""
    with ThreadPoolExecutor(len(visits)) as pool:
        return list(pool.map(lambda visit: visit[0].get(visit[1]), visits))
