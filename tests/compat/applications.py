"""Small applications on several frameworks, each visited through WebTest and a server.

Run where Beaker, the framework, WebTest and waitress are installed. As JSON it is given
the framework's name, the options of sessions and caches or the path of a configuration
file, and a path and its visitor's name for each visit. Prints what was answered, as JSON.
"""

from __future__ import annotations

import configparser
import http.client
import json
import sys
import threading
from collections.abc import Callable
from http.cookies import SimpleCookie
from typing import Any

from beaker.cache import CacheManager, cache_regions
from beaker.middleware import SessionMiddleware
from beaker.util import parse_cache_config_options

Options = dict[str, Any]
Application = Callable[..., Any]
Visit = tuple[str, str]

#: How often the cached function was called.
made: list[str] = []


def answer(path: str, session: Any, squared: Callable[[int], int]) -> str:
    """Do what all of these applications do."""
    _, command, word = (path + "//").split("/", 2)
    word = word.strip("/")
    if command == "login":
        session["user"] = word
        session["cart"] = []
        session.save()
    elif command == "add":
        session["cart"].append(word)
        session.save()
    elif command == "square":
        return f"{squared(int(word))} made {len(made)}"
    elif command == "logout":
        session.invalidate()
    return f"{session.get('user')} {session.get('cart')}"


def region(options: Options) -> Callable[[int], int]:
    """Return a function that is cached in the region ``short``."""
    cache_regions.clear()
    manager = CacheManager(**parse_cache_config_options(options))

    @manager.region("short", "square")
    def squared(number: int) -> int:
        made.append("once more")
        return number * number

    function: Callable[[int], int] = squared
    return function


def wsgi(options: Options) -> Application:
    """Without a framework."""
    squared = region(options)

    def application(environ: Options, start_response: Any) -> list[bytes]:
        text = answer(environ["PATH_INFO"], environ["beaker.session"], squared)
        start_response("200 OK", [("Content-Type", "text/plain")])
        return [text.encode()]

    return SessionMiddleware(application, options)


def pyramid(options: Options) -> Application:
    """On Pyramid with pyramid_beaker."""
    from pyramid.config import Configurator
    from pyramid.response import Response

    config = Configurator(settings=options)
    config.include("pyramid_beaker")
    squared = region(options)

    def view(request: Any) -> Any:
        return Response(answer(request.path_info, request.session, squared))

    config.add_route("all", "/*path")
    config.add_view(view, route_name="all")
    return config.make_wsgi_app()  # type: ignore[no-any-return]  # no types there


def turbogears(options: Options) -> Application:
    """On TurboGears 2."""
    import tg
    from tg.configurator.components.session import SessionConfigurationComponent

    squared = region(options)

    class Root(tg.TGController):  # type: ignore[misc]  # no types there
        @tg.expose(content_type="text/plain")  # type: ignore[untyped-decorator]  # likewise
        def _default(self, *path: str) -> str:
            return answer("/" + "/".join(path), tg.session, squared)

    config = tg.MinimalApplicationConfigurator()
    config.register(SessionConfigurationComponent)
    config.update_blueprint({"root_controller": Root(), **options})
    return config.make_wsgi_app()  # type: ignore[no-any-return]  # no types there


def flask(options: Options) -> Application:
    """On Flask, with the session of Beaker as Flask's own."""
    from flask import Flask, session
    from flask.sessions import SessionInterface

    class OfBeaker(SessionInterface):  # type: ignore[misc]  # no types there
        def open_session(self, app: Any, request: Any) -> Any:  # noqa: ARG002
            return request.environ["beaker.session"]

        def save_session(self, app: Any, session: Any, response: Any) -> None:  # noqa: ARG002
            session.save()

    squared = region(options)
    application = Flask("shop")
    application.session_interface = OfBeaker()

    @application.route("/<path:path>")  # type: ignore[untyped-decorator]  # likewise
    def view(path: str) -> str:
        return answer(f"/{path}", session, squared)

    application.wsgi_app = SessionMiddleware(application.wsgi_app, options)
    return application  # type: ignore[no-any-return]  # no types there


def bottle(options: Options) -> Application:
    """On Bottle."""
    from bottle import Bottle, request

    squared = region(options)
    application = Bottle()

    @application.route("/<path:path>")  # type: ignore[untyped-decorator]  # likewise
    def view(path: str) -> str:
        return answer(f"/{path}", request.environ["beaker.session"], squared)

    return SessionMiddleware(application, options)


def through_webtest(application: Application, visits: list[Visit]) -> list[str]:
    """Return the answers, each visitor with cookies of his own."""
    from webtest import TestApp

    visitors: dict[str, Any] = {}
    told = []
    for path, name in visits:
        visitor = visitors.setdefault(name, TestApp(application))
        told.append(visitor.get(path).text)
    return told


def through_waitress(
    application: Application, visits: list[Visit], cookies: dict[str, str]
) -> list[str]:
    """Return the answers of a server; the cookies are kept in the dictionary.

    The server ends with the process.
    """
    from waitress.server import create_server

    server = create_server(application, host="127.0.0.1", port=0, threads=4)
    threading.Thread(target=server.run, daemon=True).start()
    told = []
    for path, name in visits:
        connection = http.client.HTTPConnection("127.0.0.1", server.effective_port)
        connection.request("GET", path, headers={"Cookie": cookies.get(name, "")})
        response = connection.getresponse()
        text = response.read().decode()
        assert response.status == 200, text
        for sent in response.headers.get_all("Set-Cookie", []):
            for morsel in SimpleCookie(sent).values():
                cookies[name] = f"{morsel.key}={morsel.value}"
        connection.close()
        told.append(text)
    return told


def configured(options: Options | str) -> Options:
    """Return the options as they are, or as they stand in a file."""
    if not isinstance(options, str):
        return options
    parser = configparser.ConfigParser(interpolation=None)
    parser.read(options, encoding="utf-8")
    return dict(parser["app:main"])


if __name__ == "__main__":
    asked = json.load(sys.stdin)
    application = globals()[asked["framework"]](configured(asked["options"]))
    visits, cookies = [tuple(pair) for pair in asked["visits"]], asked["cookies"]
    if asked["through"] == "webtest":
        told = through_webtest(application, visits)
    else:
        told = through_waitress(application, visits, cookies)
    json.dump({"told": told, "cookies": cookies}, sys.stdout)
