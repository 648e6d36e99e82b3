"""Beaker at work: a session, and a slow function in a cache, on one page.

Needs: Python 3.11 or newer, beaker-core and waitress; no server.
Install: pip install 'beaker-core>=2' waitress
Run: python examples/demo, then open the address that it prints.
Test: python examples/demo --check visits the page by itself and exits 0 or 1.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
import threading

from application import make_app, options
from visit import visit
from waitress.server import create_server


def main() -> int:
    """Serve the page until interrupted, or visit it once."""
    parser = argparse.ArgumentParser(description="Beaker at work, on one page.")
    parser.add_argument("--port", type=int, default=8080)
    parser.add_argument("--data-dir", default=".beaker-demo")
    parser.add_argument("--check", action="store_true", help="visit it and tell")
    chosen = parser.parse_args()
    return check() if chosen.check else serve(chosen.data_dir, chosen.port)


def serve(data_dir: str, port: int) -> int:
    """Serve the page until someone presses Ctrl-C."""
    app = make_app(options(data_dir, expire=10))
    try:
        server = create_server(app, host="127.0.0.1", port=port, threads=16)
    except OSError as e:
        print(f"port {port}: {e.strerror}; choose another with --port", file=sys.stderr)
        return 1
    print(f"Beaker at work: http://127.0.0.1:{port} (Ctrl-C ends it)", flush=True)
    server.run()
    return 0


def check() -> int:
    """Serve the page on a free port, visit it, and return the exit status."""
    with tempfile.TemporaryDirectory() as data_dir:
        app = make_app(options(data_dir, expire=2))
        server = create_server(app, host="127.0.0.1", port=0, threads=16)
        threading.Thread(target=server.run, daemon=True).start()
        fine = visit(f"http://127.0.0.1:{server.effective_port}", expire=2)
        server.close()
    print("all is well" if fine else "something is wrong")
    return 0 if fine else 1


if __name__ == "__main__":
    sys.exit(main())
