"""Visits the running demonstration as browsers would, and tells what it saw."""

from __future__ import annotations

import re
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from html import unescape
from http.cookiejar import CookieJar
from time import sleep
from typing import NamedTuple
from urllib.parse import urlencode
from urllib.request import HTTPCookieProcessor, build_opener

SESSION_COOKIE = "beaker.session.id"


class Seen(NamedTuple):
    """What a page said."""

    outcome: str
    session: str
    visits: str
    who: str
    runs: str
    seconds: str


class Browser:
    """One visitor, with cookies."""

    def __init__(self, url: str) -> None:
        self.url, self.cookies = url, CookieJar()
        self._opener = build_opener(HTTPCookieProcessor(self.cookies))

    def get(self) -> Seen:
        """Look at the page."""
        return self._open("/")

    def press(self, button: str, **fields: str) -> Seen:
        """Send one of the page's forms, and look at the page that follows."""
        return self._open(f"/{button}", urlencode(fields).encode())

    def _open(self, path: str, body: bytes | None = None) -> Seen:
        with self._opener.open(self.url + path, body, timeout=30) as answer:
            page = answer.read().decode()
        marks = re.findall(r'data-(\w+)="([^"]*)"', page)
        return Seen(**{name: unescape(value) for name, value in marks})

    def cookie(self) -> str | None:
        """Return the session's cookie, if there is one."""
        held = (one.value for one in self.cookies if one.name == SESSION_COOKIE)
        return next(held, None)


def visit(url: str, expire: float) -> bool:
    """Do what a newcomer would try, print it, and return whether all was well."""
    fine = True
    for what, seen, expected in walk(url, expire):
        fine = fine and expected
        print("ok  " if expected else "NOT ", what, "|", describe(seen))
    return fine


def walk(url: str, expire: float) -> Iterator[tuple[str, Seen, bool]]:
    """Yield what was done, what was seen, and whether that is as it should be."""
    ann, ben = Browser(url), Browser(url)
    first = ann.get()
    yield "the first visitor waits", first, first.outcome == "miss"
    again = ann.get()
    counted = again.outcome == "hit" and again.visits == "2"
    yield "asking again is a hit", again, counted and again.session == first.session
    other = ben.get()
    shares = other.outcome == "hit" and other.visits == "1"
    yield "another visitor shares it", other, shares and other.session != first.session
    yield from log_in_and_out(ann, url)
    yield from expire_and_crowd(ben, url, expire)


def log_in_and_out(ann: Browser, url: str) -> Iterator[tuple[str, Seen, bool]]:
    """Yield the steps around a login."""
    before, thief = ann.get(), Browser(url)
    for cookie in ann.cookies:
        thief.cookies.set_cookie(cookie)
    logged_in = ann.press("login", name="Ann <b>")
    kept = int(logged_in.visits) == int(before.visits) + 1
    renewed = logged_in.session != before.session and kept
    yield "logging in keeps the session", logged_in, renewed and "Ann" in logged_in.who
    stolen = thief.get()
    yield "the id from before is dead", stolen, stolen.who == "a visitor"
    gone = ann.press("logout")
    yield "logging out ends it", gone, (gone.who, gone.visits) == ("a visitor", "1")


def expire_and_crowd(
    ben: Browser, url: str, expire: float
) -> Iterator[tuple[str, Seen, bool]]:
    """Yield what an invalidation does, and what many get of an expired value."""
    runs = int(ben.get().runs)
    forgot = ben.press("forget")
    made = forgot.outcome == "miss" and int(forgot.runs) == runs + 1
    yield "forgetting it runs it once more", forgot, made
    sleep(expire + 0.1)
    seen = crowd(url)
    stale = [one for one in seen if one.outcome == "stale"]
    once = max(int(one.runs) for one in seen) == runs + 2
    what = f"{len(stale)} of {len(seen)} get the expired one at once"
    yield what, (stale or seen)[0], len(stale) == len(seen) - 1 and once


def crowd(url: str, size: int = 8) -> list[Seen]:
    """Return what several new visitors see who come at the same time."""
    with ThreadPoolExecutor(size) as pool:
        return list(pool.map(lambda _: Browser(url).get(), range(size)))


def describe(seen: Seen) -> str:
    """Return a line about what was seen."""
    return (
        f"{seen.outcome} in {float(seen.seconds):.3f} s, session {seen.session}…, "
        f"visit {seen.visits} of {seen.who}, runs of the function: {seen.runs}"
    )
