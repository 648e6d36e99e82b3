"""``python -m beaker``: what there is to do on a command line."""

from __future__ import annotations

import sys

import beaker._installation  # noqa: F401  # stops before names of 1.x are missed
from beaker.commands import main

if __name__ == "__main__":
    sys.exit(main())
