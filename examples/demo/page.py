"""The page: what happened in this request, in words and colours."""

from __future__ import annotations

from html import escape
from pathlib import Path
from string import Template
from typing import Any, NamedTuple

HERE = Path(__file__).parent

LOGIN = """
<form method="post" action="/login">
  <input name="name" placeholder="Your name" aria-label="Your name" required maxlength="40">
  <button>Log in</button>
</form>"""

LOGOUT = """
<form method="post" action="/logout"><button>Log out</button></form>"""

MEANINGS = {
    "hit": "It was there and fresh.",
    "stale": "It has expired. You get the old one at once; the next is being made.",
    "miss": "It was not there or had expired: the function ran, and you waited for it.",
}


class Facts(NamedTuple):
    """What the page shows of one request."""

    answer: str
    outcome: str
    seconds: float
    slowness: float
    runs: int
    visits: int
    name: str | None
    session_id: str
    options: dict[str, Any]


def render(facts: Facts) -> str:
    """Return the page as HTML."""
    who = escape(facts.name) if facts.name else "a visitor"
    shown = {name: escape(str(value)) for name, value in facts._asdict().items()}
    return Template((HERE / "page.html").read_text(encoding="utf-8")).substitute(
        shown,
        who=who,
        form=LOGOUT if facts.name else LOGIN,
        meaning=MEANINGS[facts.outcome],
        took=duration(facts.seconds),
        width=max(1, min(100, round(100 * facts.seconds / facts.slowness))),
        ran=times(facts.runs),
        came=times(facts.visits),
        session_store=escape(facts.options["session.type"]),
        cache_store=escape(facts.options["cache.short_term.type"]),
        expire=facts.options["cache.short_term.expire"],
        configuration=escape(configuration(facts.options)),
    )


def times(count: int) -> str:
    """Return a count as people say it."""
    return "once" if count == 1 else f"{count} times"


def duration(seconds: float) -> str:
    """Return a time as people say it."""
    if seconds < 0.0995:  # noqa: PLR2004  # what rounds to less than 100 ms
        return f"{1000 * seconds:.2g} ms"
    return f"{seconds:.2f} s"


def configuration(options: dict[str, Any]) -> str:
    """Return options as a program writes them."""
    lines = (f'    "{name}": {value!r},' for name, value in options.items())
    return "\n".join(["options = {", *lines, "}"])
