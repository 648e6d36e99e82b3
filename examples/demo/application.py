"""The application: a visitor's session, and a slow function kept in a region."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterable
from datetime import UTC, datetime
from typing import Any
from urllib.parse import parse_qs

from page import Facts, render

from beaker.cache import cache_region, region_invalidate
from beaker.hookspecs import hookimpl
from beaker.middleware import CacheMiddleware, SessionMiddleware
from beaker.plugins import register

#: Seconds that the slow function takes.
SLOWNESS = 1.0


def options(data_dir: str, expire: float) -> dict[str, Any]:
    """Return the whole configuration: these lines are all that Beaker is told."""
    return {
        "session.type": "sqlite",
        "session.data_dir": data_dir,
        "cache.regions": "short_term",
        "cache.short_term.type": "sqlite",
        "cache.short_term.data_dir": data_dir,
        "cache.short_term.expire": expire,
    }


@cache_region("short_term")
def forecast(city: str) -> str:
    """Ask a slow service, so slow that nobody should have to wait for it twice."""
    counter.add()
    time.sleep(SLOWNESS)
    now = datetime.now(UTC)
    return f"The forecast for {city}, made at {now:%H:%M:%S} UTC: mild and clear."


class Counter:
    """How often the slow function ran, and how the cache answered this thread."""

    def __init__(self) -> None:
        self.runs = 0
        self._lock = threading.Lock()
        self._thread = threading.local()

    def add(self) -> None:
        """Count a run."""
        with self._lock:
            self.runs += 1

    @hookimpl
    def value_read(self, outcome: str) -> None:
        """Remember what the cache says of the value that this thread asked for."""
        self._thread.outcome = outcome

    @property
    def outcome(self) -> str:
        """The cache's last answer to this thread: hit, stale or miss."""
        return getattr(self._thread, "outcome", "miss")


counter = Counter()


def application(
    environ: dict[str, Any], start_response: Callable[..., Any]
) -> Iterable[bytes]:
    """Answer one request."""
    session = environ["beaker.session"]
    if environ["REQUEST_METHOD"] == "POST":
        act(environ["PATH_INFO"], form(environ), session)
        start_response("303 See Other", [("Location", "/")])
        return []
    if environ["PATH_INFO"] != "/":
        start_response("404 Not Found", [("Content-Type", "text/plain")])
        return [b"There is only one page here: /\n"]
    session["visits"] = session.get("visits", 0) + 1
    session.save()
    body = render(facts(environ)).encode()
    start_response("200 OK", [("Content-Type", "text/html; charset=utf-8")])
    return [body]


def act(path: str, sent: dict[str, str], session: Any) -> None:
    """Do what a button of the page asks for."""
    if path == "/login" and sent.get("name"):
        session["name"] = sent["name"]
        # Who knew the id of the anonymous session must not know this one.
        session.regenerate_id()
        session.save()
    elif path == "/logout":
        session.delete()
    elif path == "/forget":
        region_invalidate(forecast, "short_term", "Lisbon")


def facts(environ: dict[str, Any]) -> Facts:
    """Ask the slow function, and gather what the page shows."""
    session, configured = environ["beaker.session"], environ["demo.options"]
    started = time.perf_counter()
    answer = forecast("Lisbon")
    return Facts(
        answer=answer,
        outcome=counter.outcome,
        seconds=time.perf_counter() - started,
        slowness=SLOWNESS,
        runs=counter.runs,
        visits=session["visits"],
        name=session.get("name"),
        session_id=session.id[:8],
        options=configured,
    )


def form(environ: dict[str, Any]) -> dict[str, str]:
    """Return what a form sent."""
    length = int(environ.get("CONTENT_LENGTH") or 0)
    sent = parse_qs(environ["wsgi.input"].read(length).decode())
    return {name: values[0][:80] for name, values in sent.items()}


def make_app(configured: dict[str, Any]) -> Callable[..., Iterable[bytes]]:
    """Return the application between Beaker's two middlewares."""

    def inner(
        environ: dict[str, Any], start_response: Callable[..., Any]
    ) -> Iterable[bytes]:
        return application({**environ, "demo.options": configured}, start_response)

    register(counter)
    return SessionMiddleware(CacheMiddleware(inner, configured), configured)
