"""Removes the sessions on a server or cluster that nobody has used for long."""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence

from beaker.protocols import Purged
from beaker_redis import scripts
from beaker_redis.names import accessed_of, is_session, session_pattern
from beaker_redis.server import Server

__all__ = ["purge_unused"]


def purge_unused(
    server: Server, prefix: str, unused_for: float, *, at_once: int, dry_run: bool
) -> Iterator[Purged]:
    """Look at all sessions; see `NamespaceManager.purge_sessions`.

    A session of 1.x bears no mark of its use: the server's own idle time counts.

    Args:
        server: Where they are.
        prefix: What the names of their application begin with.
        unused_for: As described there.
        at_once: How many sessions one script may look at.
        dry_run: As described there.
    """
    limits = repr(unused_for), repr(time.time() - unused_for), "1" if dry_run else ""
    examined = removed = 0
    for found in server.scan(session_pattern(prefix)):
        names = [name for name in found if is_session(name, prefix)]
        for start in range(0, len(names), at_once):
            pairs = _pairs(names[start : start + at_once], prefix)
            removed += server.run(scripts.REMOVE_UNUSED, pairs, *limits)
        examined += len(names)
        yield Purged(examined, removed)
    yield Purged(examined, removed, examined)


def _pairs(names: Sequence[bytes], prefix: str) -> list[bytes]:
    return [each for name in names for each in (name, accessed_of(name, prefix))]
