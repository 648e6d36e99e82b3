"""The application behind real servers."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from beaker.testing import Recipe, Server
from tests.web.visitor import Visitor

__all__ = ["SERVERS", "Site", "site"]

_WAITRESS = ("-m", "tests.web.serve", "{directory}/settings.json", "{port}")
_GUNICORN = (
    *("-m", "gunicorn", "--preload", "--bind", "127.0.0.1:{port}"),
    *("--graceful-timeout", "3", "--no-control-socket"),
    "tests.web.application:make_app('{directory}/settings.json')",
)


def _recipe(ready: str, *arguments: str) -> Recipe:
    return Recipe(
        program=sys.executable,
        arguments=arguments,
        ready=ready,
        url="http://127.0.0.1:{port}",
        install="pip install waitress gunicorn",
    )


#: One process with threads, processes with threads, and processes without. What is
#: served by processes is loaded, and has used its store, before they are forked.
SERVERS = {
    "waitress": _recipe("ready", *_WAITRESS, "http"),
    "waitress behind https": _recipe("ready", *_WAITRESS, "https"),
    "gunicorn, threads": _recipe(
        "Listening at", *_GUNICORN, "--workers", "2", "--threads", "4"
    ),
    "gunicorn, workers": _recipe("Listening at", *_GUNICORN, "--workers", "4"),
}


class Site:
    """The application, served.

    Attributes:
        url: Where.
        gate: The directory in which its slow page waits.
        processes: How many there are to answer.
    """

    def __init__(self, server: Server, gate: Path) -> None:
        self.url, self.gate = server.url, gate
        arguments = server.recipe.arguments
        has_workers = "--workers" in arguments
        self.processes = (
            int(arguments[arguments.index("--workers") + 1]) if has_workers else 1
        )

    def visitor(self, name: str | None = None) -> Visitor:
        """Return a visitor, logged in if he has a name."""
        visitor = Visitor(self.url)
        if name is not None:
            assert visitor.get(f"/login?name={name}").body == name
        return visitor


@contextmanager
def site(kind: str, directory: Path, options: dict[str, Any]) -> Iterator[Site]:
    """Yield the application on a server of this kind, with these options."""
    gate = directory / "gate"
    gate.mkdir(parents=True)
    settings = {"key": "sid", **options, "gate": str(gate)}
    (directory / "settings.json").write_text(json.dumps(settings), encoding="utf-8")
    server = Server(SERVERS[kind], directory)
    with server:
        yield Site(server, gate)
        # So that its workers end with it.
        server.stop()
