"""The application that servers and browsers are pointed at."""

from __future__ import annotations

import json
import os
import time
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl

from beaker.middleware import SessionMiddleware
from beaker.session import Session

__all__ = ["make_app"]

Query = dict[str, str]

#: Seconds for which a request waits to be let go.
PATIENCE = 20.0


def make_app(settings: str) -> SessionMiddleware:
    """Return the application; it has used its store, as one may that is preloaded.

    Args:
        settings: A file of JSON: the options of sessions, and under ``gate`` a
            directory in which a request and a test wait for each other.
    """
    options = json.loads(Path(settings).read_text(encoding="utf-8"))
    pages = Pages(Path(options.pop("gate")))
    if options.get("type") != "cookie":
        first = Session({}, "preloaded", **{**options, "use_cookies": False})
        first["name"] = "the one who loads"
        first.save()
    return SessionMiddleware(pages, **options)


class Pages:
    """Answers each path with what the method of its name returns."""

    def __init__(self, gate: Path) -> None:
        self._gate = gate

    def __call__(
        self, environ: dict[str, Any], start_response: Callable[..., Any]
    ) -> Iterable[bytes]:
        """Answer a request."""
        query = dict(parse_qsl(environ["QUERY_STRING"]))
        page = getattr(self, environ["PATH_INFO"].strip("/"), None)
        if page is None:
            start_response("404 Not Found", [("Content-Type", "text/plain")])
            return [b"no such page"]
        body = page(environ["beaker.session"], query)
        kind = "text/html; charset=utf-8"
        headers = [("Content-Type", kind), ("X-Process", str(os.getpid()))]
        start_response("200 OK", headers)
        return [str(body).encode()]

    def login(self, session: Any, query: Query) -> object:
        """Give the session a name and an id of its own."""
        session["name"] = query["name"]
        session.regenerate_id()
        session.save()
        return query["name"]

    def name(self, session: Any, _: Query) -> object:
        """Return whose session it is."""
        return session.get("name", "nobody")

    def add(self, session: Any, query: Query) -> object:
        """Add a key, and return whose session it is."""
        session[query["key"]] = True
        session.save()
        return session.get("name", "nobody")

    def keys(self, session: Any, _: Query) -> object:
        """Return how many keys were added."""
        return sum(session[key] is True for key in session)

    def count(self, session: Any, _: Query) -> object:
        """Count this request."""
        session["count"] = session.get("count", 0) + 1
        session.save()
        return session["count"]

    def rotate(self, session: Any, _: Query) -> object:
        """Give the session another id."""
        session.regenerate_id()
        session.save()
        return session.get("name", "nobody")

    def logout(self, session: Any, _: Query) -> object:
        """End the session."""
        session.delete()
        return "nobody"

    def slow(self, session: Any, query: Query) -> object:
        """Load the session, wait to be let go, then add a key."""
        session.get("name")
        (self._gate / "loaded").touch()
        gives_up_at = time.monotonic() + PATIENCE
        while not (self._gate / "go").exists():
            assert time.monotonic() < gives_up_at
            time.sleep(0.01)
        return self.add(session, query)

    def form(self, _: Any, query: Query) -> object:
        """Return a form and a link that lead elsewhere; no session is looked at."""
        to = query["to"]
        form = f"<form method=post action='{to}'><button id=send>send</button></form>"
        return (
            f"<!doctype html><title>elsewhere</title>{form}<a id=go href='{to}'>go</a>"
        )

    def preloaded(self, session: Any, _: Query) -> object:
        """Return whose the session is that was stored before the server forked."""
        found = session.get_by_id("preloaded")
        return found and found["name"]
