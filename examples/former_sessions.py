"""Counts what visitors still bring from Beaker 1.x, and says when that can end.

Needs: Python 3.11 or newer and beaker-core; no server.
Install: pip install 'beaker-core>=2'
Run: python examples/former_sessions.py
Shows: the hook former_session_met, and the modes compat, migrate and strict.
"""

from __future__ import annotations

import secrets
import sys
import tempfile
from collections import Counter
from typing import Any

from beaker.hookspecs import hookimpl
from beaker.plugins import register
from beaker.session import Session

# A site has its own in its configuration, the same in every process.
SECRET = secrets.token_urlsafe(32)
VISITORS = ("ann", "ben", "eve")
WEEKS = 3


class FormerSessions:
    """Counts by kind; look at it after each week, or send it to your metrics."""

    def __init__(self) -> None:
        self.met: Counter[str] = Counter()

    @hookimpl
    def former_session_met(self, kind: str) -> None:
        """Count one: a cookie, a payload, a cipher, an unsigned record."""
        self.met[kind] += 1

    def report(self) -> str:
        """Say what was met since the last report, and what follows from it."""
        met, self.met = self.met, Counter()
        if met:
            kinds = ", ".join(f"{number} x {kind}" for kind, number in met.items())
            return f"{kinds}: stay with mode = migrate"
        return "none: set mode = strict, or legacy_until = the day of your choice"


def visit(options: dict[str, Any], cookie: str | None) -> str:
    """Visit the site once, and return the cookie that the browser then has."""
    request: dict[str, Any] = {"cookie": cookie}
    session = Session(request, **options)
    session["visits"] = session.get("visits", 0) + 1
    session.save()
    sent = request.get("cookie_out") if request.get("set_cookie") else None
    return sent.partition(";")[0] if sent else str(cookie)


def main() -> int:
    """Upgrade a site with three visitors, and return the exit status."""
    former = FormerSessions()
    register(former)
    reports = []
    with tempfile.TemporaryDirectory() as directory:
        options: dict[str, Any] = {"type": "file", "data_dir": directory}
        options["secret"] = SECRET
        # What the mode compat writes is what 1.x wrote.
        compat = {**options, "mode": "compat"}
        cookies = {name: visit(compat, None) for name in VISITORS}
        for week in range(1, WEEKS + 1):
            # One visitor more comes each week.
            for name in VISITORS[:week]:
                cookies[name] = visit(options, cookies[name])
            reports.append(former.report())
            print(f"week {week}: {reports[-1]}")
        for name in VISITORS:
            cookies[name] = visit(options, cookies[name])
        reports.append(former.report())
        print(f"week {WEEKS + 1}: {reports[-1]}")
        strict = {**options, "mode": "strict"}
        found = [Session({"cookie": cookies[name]}, **strict) for name in VISITORS]
    visits = [session["visits"] for session in found]
    print(f"in the mode strict all are still there: {visits} visits")
    ended = reports[-1].startswith("none")
    return 0 if ended and visits == [5, 4, 3] else 1


if __name__ == "__main__":
    sys.exit(main())
