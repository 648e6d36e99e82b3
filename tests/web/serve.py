"""Serves the application with waitress."""

from __future__ import annotations

import sys

from waitress.server import create_server

from tests.web.application import make_app


def main() -> None:
    """Serve until killed.

    Its arguments: the settings, a port, and what the browser is to see, http or https.
    """
    settings, port, scheme = sys.argv[1:]
    server = create_server(
        make_app(settings), host="127.0.0.1", port=port, threads=8, url_scheme=scheme
    )
    print("ready", flush=True)  # noqa: T201  # for whoever started it
    server.run()


if __name__ == "__main__":
    main()
