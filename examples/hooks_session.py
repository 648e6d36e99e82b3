"""Keeps an audit log of sessions: begun, used, moved at login, ended, refused.

Needs: Python 3.11 or newer and beaker-core; no server.
Install: pip install 'beaker-core>=2'
Run: python examples/hooks_session.py
Shows: the hooks session_loaded, session_saved, session_rotated, session_deleted and
session_rejected.
"""

from __future__ import annotations

import secrets
import sys
from collections.abc import Callable, Iterable
from typing import Any

from beaker.hookspecs import hookimpl
from beaker.middleware import SessionMiddleware
from beaker.plugins import register

# A site has its own in its configuration, the same in every process.
SECRET = secrets.token_urlsafe(32)

VISITS = ["/", "/", "/login", "/logout"]
EXPECTED = [
    *("saved", "loaded", "saved"),
    *("loaded", "rotated", "saved", "loaded", "deleted"),
    *("rejected", "saved"),
]


class AuditLog:
    """One line per event; ids are shortened, for a whole one opens the session."""

    def __init__(self) -> None:
        self.events: list[str] = []

    @hookimpl
    def session_loaded(self, session_id: str) -> None:
        """Note that a request uses a session."""
        self._note("loaded", session_id[:8])

    @hookimpl
    def session_saved(self, session_id: str) -> None:
        """Note that a session was written."""
        self._note("saved", session_id[:8])

    @hookimpl
    def session_rotated(self, session_id: str, former_id: str) -> None:
        """Note a new id."""
        self._note("rotated", f"{former_id[:8]} to {session_id[:8]}")

    @hookimpl
    def session_deleted(self, session_id: str) -> None:
        """Note the end of a session."""
        self._note("deleted", session_id[:8])

    @hookimpl
    def session_rejected(self, session_id: str | None, reason: str) -> None:
        """Note what was not accepted: a forged cookie, a broken record."""
        self._note("rejected", f"{(session_id or 'unknown')[:8]}: {reason}")

    def _note(self, event: str, details: str) -> None:
        self.events.append(event)
        print(f"  session {event}: {details}")


def application(
    environ: dict[str, Any], start_response: Callable[..., Any]
) -> Iterable[bytes]:
    """Count visits, log in and out."""
    session, path = environ["beaker.session"], environ["PATH_INFO"]
    if path == "/logout":
        session.delete()
    else:
        session["visits"] = session.get("visits", 0) + 1
        if path == "/login":
            session.regenerate_id()
        session.save()
    start_response("200 OK", [("Content-Type", "text/plain")])
    return [b""]


class Browser:
    """Visits the application, and keeps its cookie."""

    def __init__(self, app: Callable[..., Iterable[bytes]]) -> None:
        self.app, self.cookie = app, ""

    def visit(self, path: str) -> None:
        """Ask for a page."""
        environ = {"REQUEST_METHOD": "GET", "PATH_INFO": path}
        if self.cookie:
            environ["HTTP_COOKIE"] = self.cookie
        print(f"GET {path}")
        self.app(environ, self._start_response)

    def _start_response(
        self, _status: str, headers: list[tuple[str, str]], _exc_info: Any = None
    ) -> None:
        for name, value in headers:
            if name.lower() == "set-cookie":
                self.cookie = value.partition(";")[0]


def main() -> int:
    """Visit the application, forge a cookie, and return the exit status."""
    audit = AuditLog()
    register(audit)
    app = SessionMiddleware(application, type="memory", secret=SECRET)
    browser = Browser(app)
    for path in VISITS:
        browser.visit(path)
    forger = Browser(app)
    forger.cookie = "beaker.session.id=" + 40 * "0" + 32 * "a"
    forger.visit("/")
    return 0 if audit.events == EXPECTED else 1


if __name__ == "__main__":
    sys.exit(main())
