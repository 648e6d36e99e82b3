"""The sessions that are compared: a request with one, and the same without."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from pathlib import Path
from typing import Any

from caches import OURS, django_caches
from floors import limit_of_sessions
from opened import REDIS, Ask, Requests, use
from wsgi import KEY, SECRET, wsgi

__all__ = ["SESSIONS"]


def beaker(store: str, place: Path) -> Requests:
    """Use the middleware of Beaker, of either release."""
    from beaker.middleware import SessionMiddleware

    own: dict[str, Any] = {
        "redis": {"type": "ext:redis", "url": REDIS},
        "sql": {"type": "ext:database", "url": f"sqlite:///{place}/sessions.db"},
        "cookie": {"type": "cookie"},
        "encrypted cookie": {"type": "cookie", "encrypt_key": "e" * 40},
    }.get(store, {"type": store, "data_dir": str(place)})
    if own["type"] == "cookie":
        own |= {"validate_key": SECRET, "data_serializer": "json"}
    else:
        own |= {"secret": SECRET}
    options = {f"session.{name}": value for name, value in own.items()}
    options["session.key"] = KEY

    def ask(act: str) -> Ask:
        # 1.14.1 knows no such option, and writes it down each time.
        often = {"session.accessed_every": 60} if act == "read quietly" else {}

        def application(environ: Any, start_response: Any) -> list[bytes]:
            if act not in ("none", "untouched"):
                session = environ["beaker.session"]
                use(act, session)
                if not act.startswith("read"):
                    session.save()
            start_response("200 OK", [("Content-Type", "text/plain")])
            return [b"ok"]

        bare = act == "none"
        with_one = SessionMiddleware(application, {**options, **often})
        return wsgi(application if bare else with_one)

    return Requests(ask)


def django(store: str, place: Path) -> Requests:
    """Use the sessions of Django, without the rest of it."""
    caches = django_caches(place)
    from importlib import import_module
    from io import BytesIO

    from django.contrib.sessions.backends import cache as cached
    from django.contrib.sessions.middleware import SessionMiddleware
    from django.core.handlers.wsgi import WSGIRequest
    from django.http import HttpResponse

    class InCache(cached.SessionStore):  # type: ignore[misc]  # Django has no types
        def __init__(self, session_key: str | None = None) -> None:
            self._cache = caches["default" if store == "memory" else store]
            cached.SessionBase.__init__(self, session_key)

    engines = {"file": "file", "cookie": "signed_cookies", "sql": "db"}
    engine: Any = InCache
    if store in engines:
        module = import_module(f"django.contrib.sessions.backends.{engines[store]}")
        engine = module.SessionStore

    def ask(act: str) -> Ask:
        def view(request: Any) -> Any:
            if act not in ("none", "untouched"):
                use(act, request.session)
            return HttpResponse(b"ok")

        handler: Any = view
        if act != "none":
            handler = SessionMiddleware(view)
            handler.SessionStore = engine

        def application(environ: Any, start_response: Any) -> list[bytes]:
            environ["wsgi.input"] = BytesIO()
            response = handler(WSGIRequest(environ))
            cookies = [c.output(header="") for c in response.cookies.values()]
            start_response("200 OK", [("Set-Cookie", one) for one in cookies])
            return [response.content]

        return wsgi(application)

    return Requests(ask)


def starlette(_store: str, _place: Path) -> Requests:
    """Use the signed cookies of Starlette, without the rest of it."""
    from starlette.middleware.sessions import SessionMiddleware

    loop = asyncio.new_event_loop()

    def ask(act: str) -> Ask:
        async def application(scope: Any, _: Any, send: Any) -> None:
            if act not in ("none", "untouched"):
                use(act, scope["session"])
            start = {"type": "http.response.start", "status": 200, "headers": []}
            await send(start)
            await send({"type": "http.response.body", "body": b"ok"})

        handler: Any = application
        if act != "none":
            handler = SessionMiddleware(application, SECRET)
        sent: list[tuple[bytes, bytes]] = []

        async def send(message: Any) -> None:
            sent[:] = message.get("headers", sent)

        async def several(cookie: str, times: int) -> None:
            headers = [(b"host", b"localhost"), (b"cookie", cookie.encode())]
            for _ in range(times):
                scope = {"type": "http", "path": "/", "headers": list(headers)}
                await handler(scope, None, send)

        def run(cookie: str, times: int) -> str | None:
            loop.run_until_complete(several(cookie, times))
            return next((v.decode() for k, v in sent if k == b"set-cookie"), None)

        return run

    return Requests(ask)


#: Who is compared on which store.
SESSIONS: dict[str, dict[str, Callable[[str, Path], Requests]]] = {
    "memory": {OURS: beaker, "Django": django, "limit": limit_of_sessions},
    "file": {OURS: beaker, "Django": django, "limit": limit_of_sessions},
    "cookie": {
        OURS: beaker,
        "Starlette": starlette,
        "Django": django,
        "limit": limit_of_sessions,
    },
    "encrypted cookie": {OURS: beaker},
    "redis": {OURS: beaker, "Django": django, "limit": limit_of_sessions},
    "sql": {OURS: beaker, "Django": django},
}
