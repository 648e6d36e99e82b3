"""Requests to a WSGI application, without a server."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterable

from opened import Ask

__all__ = ["KEY", "SECRET", "wsgi"]

#: The secret that sessions are signed with, and the name of their cookie.
SECRET, KEY = "s" * 40, "sid"


def wsgi(application: Callable[..., Iterable[bytes]]) -> Ask:
    """Return what asks a WSGI application."""

    def ask(cookie: str, times: int) -> str | None:
        environ = {
            "REQUEST_METHOD": "GET",
            "SCRIPT_NAME": "",
            "PATH_INFO": "/",
            "QUERY_STRING": "",
            "SERVER_NAME": "localhost",
            "SERVER_PORT": "80",
            "HTTP_HOST": "localhost",
            "HTTP_COOKIE": cookie,
            "wsgi.url_scheme": "http",
            "wsgi.errors": sys.stderr,
        }
        sent: list[tuple[str, str]] = []

        def start_response(
            _: str, headers: list[tuple[str, str]], *_error: object
        ) -> None:
            sent[:] = headers

        for _ in range(times):
            b"".join(application(dict(environ), start_response))
        return next((v for k, v in sent if k.lower() == "set-cookie"), None)

    return ask
