"""The row of a session, where Beaker 1.x had it."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Iterator
from datetime import datetime
from typing import Any

from beaker.exceptions import UnsupportedOperationError
from beaker.protocols import Lease, Purged
from beaker_sqla.leases import SqlLease
from beaker_sqla.names import digest_of, encoded, head_of, session_name, space_of
from beaker_sqla.opentable import OpenTable
from beaker_sqla.rows import Rows
from beaker_sqla.statements import PICKLED, CacheStatements, SessionStatements

__all__ = ["SessionRows"]

#: The one key of a session.
_SESSION = "session"


class SessionRows(Rows[SessionStatements]):
    """The row of one session.

    Args:
        table: The table it is in.
        id: The session's id.
        prefix: What keeps two applications apart.
        open_leases: Returns the table that has room for leases.
    """

    def __init__(
        self,
        table: OpenTable[SessionStatements],
        id: str,
        prefix: str,
        open_leases: Callable[[], OpenTable[CacheStatements]],
    ) -> None:
        super().__init__(table)
        self._id, self._prefix, self._open_leases = id, prefix, open_leases
        self._head = head_of(prefix)

    def touch(self, key: str, ttl: float | None, accessed: float) -> bool:
        """Write the times in the session's row."""
        times = {"given_touched": accessed, "given_accessed": _local(accessed)}
        row = {**self._at(key), **times, "given_ttl": ttl}
        return self._table.change(self._say.touch, row) > 0

    def drop(self) -> None:
        """Delete the session's row."""
        self.discard(_SESSION)

    def lease(self, key: str, expires_in: float) -> Lease:
        """Return a lease that is kept among the records of caches."""
        row = {
            "given_space": space_of(self._id, self._prefix, "session"),
            "given_name": digest_of(key),
            "given_key": encoded(key),
        }
        return SqlLease(self._open_leases(), row, key, expires_in)

    def fill(self, key: str, data: bytes, ttl: float | None, lease: Lease) -> bool:
        """Refuse: a lease elsewhere cannot be a condition here."""
        del key, data, ttl, lease
        place = self._table.place
        raise UnsupportedOperationError(place, "fill a session", "updates_atomically")

    def keys(self) -> Iterable[str]:
        """Return the one key of a session that is there."""
        return [_SESSION] if self.fetch(_SESSION) is not None else []

    def purge(self) -> int:
        """Delete the session's row if it is past its time."""
        row = self._at(_SESSION)
        return self._table.change(self._say.bury, row)

    def purge_unused(self, unused_for: float, *, dry_run: bool) -> Iterator[Purged]:
        """Delete the rows of unused sessions, so many with each statement.

        Of names that bear no prefix it cannot be told whose they are: with a prefix
        they are left.
        """
        before = {"given_before": _local(time.time() - unused_for)}
        examined = removed = 0
        after = ""
        while page := self._table.every(
            self._say.sessions, {**before, "given_after": after}
        ):
            after = page[-1][0]
            ours = [row for row in page if row[0].startswith(self._head)]
            unused = [name for name, is_unused in ours if is_unused]
            examined += len(ours)
            if unused and not dry_run:
                these = {**before, "given_names": unused}
                removed += self._table.change(self._say.remove_unused, these)
            else:
                removed += len(unused)
            yield Purged(examined, removed)
        yield Purged(examined, removed, examined)

    def ids(self) -> Iterator[str]:
        """Yield the ids of all sessions that the names of their rows tell."""
        given: dict[str, Any] = {"given_before": _local(), "given_after": ""}
        while page := self._table.every(self._say.sessions, given):
            given["given_after"] = page[-1][0]
            for name, _ in page:
                if name.startswith(self._head):
                    yield name.removeprefix(self._head)

    def _at(self, key: str) -> dict[str, Any]:
        id_ = self._id if key == _SESSION else f"{self._id}\0{key}"
        is_caseless = self._say.dialect.is_caseless
        name = session_name(id_, self._prefix, is_caseless=is_caseless)
        return {"given_namespace": name}

    def _new(self, key: str) -> dict[str, Any]:
        return {**self._at(key), "given_created": _local()}

    def _stored(self, data: bytes, ttl: float | None) -> dict[str, Any]:
        # Processes of 1.x would keep such a session without telling us.
        kept = None if data[:1] == PICKLED else ttl
        return {**super()._stored(data, kept), "given_accessed": _local()}


def _local(seconds: float | None = None) -> datetime:
    # As 1.x wrote it: those who purge by SQL compare it with their clock.
    if seconds is None:
        return datetime.now()  # noqa: DTZ005
    return datetime.fromtimestamp(seconds)  # noqa: DTZ006
