"""``python -m beaker purge``: removes the sessions that nobody has used for long."""

from __future__ import annotations

import sys
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, Protocol

from beaker.commands.files import sections_in
from beaker.commands.rendering import rich_console
from beaker.configuration import SESSION_DEFAULTS
from beaker.exceptions import (
    BeakerException,
    BeakerWarning,
    InvalidOptionError,
    UnsupportedOperationError,
)
from beaker.protocols import Purged
from beaker.session import purge_sessions

__all__ = ["purge", "seconds_of"]

_UNITS = {"s": 1, "m": 60, "h": 3600, "d": 86400, "w": 604800}


class Show(Protocol):
    """Shows how far a purge is."""

    def __call__(self, counts: Purged) -> None:
        """Show these counts."""


def purge(
    path: str,
    *,
    section: str | None = None,
    unused_for: str | None = None,
    dry_run: bool = False,
) -> int:
    """Remove unused sessions from each store that a file configures.

    Args:
        path: The configuration file.
        section: The one section that is wanted; None: all.
        unused_for: An age such as ``90m``, ``12h`` or ``30d``; None: the timeout that
            the file has.
        dry_run: Whether to count only.

    Returns:
        0 if all was done, 1 if a store was passed over, 2 if one failed.

    Raises:
        ConfigurationFileError: The file cannot be used.
        InvalidOptionError: The age is none.
    """
    age = None if unused_for is None else seconds_of(unused_for)
    done: dict[str, int] = {}
    for each in sections_in(path, section):
        if not each.session:
            continue
        options = {**SESSION_DEFAULTS, **each.session}
        # Two sections with one store: it is purged once.
        known = repr(sorted((k, str(v)) for k, v in each.session.items()))
        if known not in done:
            done[known] = _purge(f"[{each.name}]", options, age, dry_run=dry_run)
    return max(done.values(), default=0)


def seconds_of(age: str) -> float:
    """Return how many seconds an age is, such as ``90m`` or ``30d``.

    Raises:
        InvalidOptionError: It is no age.
    """
    number, unit = (age[:-1], age[-1:]) if age[-1:] in _UNITS else (age, "s")
    try:
        seconds = float(number) * _UNITS[unit]
    except ValueError:
        seconds = -1.0
    if not 0 <= seconds < float("inf"):
        takes = "a number with s, m, h, d or w behind it, such as 30d"
        raise InvalidOptionError("--unused-for", age, takes)
    return seconds


def _purge(
    name: str, options: dict[str, Any], age: float | None, *, dry_run: bool
) -> int:
    counts = Purged(0, 0)
    try:
        with warnings.catch_warnings(), _progress(name) as show:
            # The doctor tells what is weak or misspelt, and not each night's job.
            warnings.simplefilter("ignore", BeakerWarning)
            for counts in purge_sessions(options, age, dry_run=dry_run):
                show(counts)
    except UnsupportedOperationError as e:
        print(f"{name} passed over: {e}", file=sys.stderr)  # noqa: T201  # for who runs it
        return 1
    except BeakerException as e:
        print(f"{name} {e}", file=sys.stderr)  # noqa: T201  # for who runs it
        return 2
    what = "would be removed" if dry_run else "removed"
    print(f"{name} {counts.examined} sessions, {counts.removed} {what}")  # noqa: T201  # its purpose
    return 0


@contextmanager
def _progress(name: str) -> Iterator[Show]:
    """Yield what shows counts: a bar on a terminal, where there is one to be had."""
    console = rich_console(stderr=True) if sys.stderr.isatty() else None
    if console is None:
        yield lambda counts: None  # noqa: ARG005  # the last counts are printed anyway
        return
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn

    columns = (
        *(TextColumn("{task.description}", markup=False), BarColumn()),
        *(MofNCompleteColumn(), TextColumn("{task.fields[removed]} removed")),
    )
    with Progress(*columns, console=console) as bar:
        task = bar.add_task(name, total=None, removed=0)

        def show(counts: Purged) -> None:
            bar.update(
                task,
                total=counts.total,
                completed=counts.examined,
                removed=counts.removed,
            )

        yield show
