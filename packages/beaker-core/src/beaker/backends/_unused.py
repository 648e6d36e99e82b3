"""Removes sessions on disk, each in files of its own, that nobody has used for long."""

from __future__ import annotations

import os
import time
from collections.abc import Iterator
from contextlib import suppress
from math import inf
from typing import Protocol

from beaker.backends._layouts import LEFT_BEHIND, listed
from beaker.backends._private import PrivateFiles
from beaker.protocols import Purged

__all__ = ["RemoveUnused", "modified", "purge_unused", "session_stems"]


class RemoveUnused(Protocol):
    """Removes one session, if its files say that it was not used since."""

    def __call__(self, stem: str, before: float, *, dry_run: bool) -> bool:
        """Return whether it was removed, or would have been.

        Args:
            stem: The path of its files, without their suffixes.
            before: When it must have been used to be kept, in seconds since 1970.
            dry_run: Whether to look only.
        """


def purge_unused(
    files: PrivateFiles, unused_for: float, remove_unused: RemoveUnused, dry_run: bool
) -> Iterator[Purged]:
    """Look at all sessions below a directory; see `NamespaceManager.purge_sessions`.

    Nothing outside of it is touched, whatever links there are in it.
    """
    before = time.time() - unused_for
    examined = removed = 0
    with files:
        with suppress(FileNotFoundError):
            files.check()
        directories = list(_directories(files.place.path))
        total = sum(len(_stems(directory)) for directory in directories)
        for directory in directories:
            for stem in _stems(directory):
                examined += 1
                removed += remove_unused(f"{directory}/{stem}", before, dry_run=dry_run)
            if not dry_run:
                _sweep(directory)
            yield Purged(examined, removed, max(total, examined))
    yield Purged(examined, removed, examined)


def session_stems(files: PrivateFiles) -> Iterator[str]:
    """Yield the names of all sessions below a directory, which mostly are their ids."""
    with files:
        with suppress(FileNotFoundError):
            files.check()
        directories = list(_directories(files.place.path))
    for directory in directories:
        # A digest tells nobody's id.
        yield from sorted(s for s in _stems(directory) if not s.startswith("~"))


def modified(path: str) -> float:
    """Return when a file was last changed or marked; one that is not there: never."""
    try:
        return os.lstat(path).st_mtime
    except FileNotFoundError:
        return inf


def _directories(path: str) -> Iterator[str]:
    # Those of sessions are named by the first character and by the first two.
    for first in listed(path):
        if len(first) == 1 and _is_directory(f"{path}/{first}"):
            for second in listed(f"{path}/{first}"):
                if second[:1] == first and _is_directory(f"{path}/{first}/{second}"):
                    yield f"{path}/{first}/{second}"


def _is_directory(path: str) -> bool:
    return os.path.isdir(path) and not os.path.islink(path)


def _stems(directory: str) -> set[str]:
    # No session's name has a dot in it: what follows one is a suffix.
    return {name.partition(".")[0] for name in listed(directory)} - {""}


def _sweep(directory: str) -> None:
    """Remove what was never put in place, and marks of leases, of dead processes."""
    oldest = time.time() - LEFT_BEHIND
    for name in listed(directory):
        if name.endswith((".tmp", ".lease")):
            path = f"{directory}/{name}"
            if modified(path) < oldest:
                with suppress(FileNotFoundError):
                    os.unlink(path)
