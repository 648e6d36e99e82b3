"""Directories that are made for this program's user only."""

from __future__ import annotations

import os
from contextlib import suppress

__all__ = ["make_private"]


def make_private(directory: str) -> None:
    """Make a directory, and those above it that are missing.

    Nobody else gets at what is in them, whatever the umask is. One that is there is
    left as it is.

    Raises:
        FileNotFoundError: One above it has just been removed.
    """
    try:
        os.mkdir(directory, 0o700)
    except FileExistsError:
        return
    except FileNotFoundError:
        above = os.path.dirname(os.path.abspath(directory))
        if above == directory:
            raise
        make_private(above)
        with suppress(FileExistsError):
            os.mkdir(directory, 0o700)
