"""Where the examples named store_*.py find their server: no example itself."""

from __future__ import annotations

import sys
import tempfile
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path

__all__ = ["reached"]


@contextmanager
def reached(
    start: Callable[[Path], AbstractContextManager[str]],
) -> Iterator[str]:
    """Yield the URL that the command line gives, or that of a server of our own.

    Args:
        start: Starts one with its files in a directory, and yields its URL.
    """
    given = [word for word in sys.argv[1:] if not word.startswith("--")]
    if given:
        yield given[0]
        return
    with tempfile.TemporaryDirectory() as directory, start(Path(directory)) as url:
        yield url
