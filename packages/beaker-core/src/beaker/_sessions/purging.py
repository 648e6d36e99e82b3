"""Removes the sessions that nobody uses any more from a whole store."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from beaker._sessions.settings import settings_of
from beaker.exceptions import InvalidOptionError, UnsupportedOperationError
from beaker.protocols import Purged

__all__ = ["purge_sessions"]


def purge_sessions(
    options: Mapping[str, Any],
    unused_for: float | None = None,
    *,
    dry_run: bool = False,
) -> Iterator[Purged]:
    """Remove the sessions of a store that nobody has used for so long.

    Nothing is done before the first of the counts is asked for.

    Args:
        options: Those of the sessions, without prefix, as `Session` takes them.
        unused_for: Seconds; None: the option ``timeout``, or ``absolute_timeout``.
        dry_run: Whether to count only.

    Returns:
        The counts so far, every few hundred sessions and at the end.

    Raises:
        InvalidOptionError: An option has a value that it does not take, or neither
            `unused_for` nor a timeout is given.
        UnsupportedOperationError: The store cannot tell which sessions it holds.
        StoreUnavailableError: The store does not answer.
    """
    settings = settings_of(options)
    if settings.in_cookie:
        operation = "look for unused sessions, which are in the browsers"
        raise UnsupportedOperationError("cookie", operation, "enumerable")
    if unused_for is None:
        unused_for = settings.lifetime.unused_at_most
    if unused_for is None:
        takes = "a number of seconds where it is not said how long is too long"
        raise InvalidOptionError("timeout", None, takes)
    return settings.opener.open("").purge_sessions(unused_for, dry_run=dry_run)
