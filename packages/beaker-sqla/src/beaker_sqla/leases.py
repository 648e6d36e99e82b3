"""The creation lock of a key, kept in the key's row."""

from __future__ import annotations

import time
from collections.abc import Mapping
from typing import Any

from beaker.synchronization import RemoteLease
from beaker_sqla.opentable import OpenTable
from beaker_sqla.statements import CacheStatements

__all__ = ["SqlLease"]


class SqlLease(RemoteLease):
    """The right to create one key's value, as the database's clock has it.

    Args:
        table: The table it is kept in.
        row: What names the key's row.
        key: The key.
        expires_in: Seconds until it lapses, if it is no longer renewed.
    """

    def __init__(
        self,
        table: OpenTable[CacheStatements],
        row: Mapping[str, Any],
        key: str,
        expires_in: float = 5.0,
    ) -> None:
        identity = (table.identity, row["given_space"], key)
        super().__init__(identity, expires_in=expires_in)
        self._table, self._say = table, table.say
        self._row = row
        self._at = {name: row[name] for name in ("given_space", "given_name")}

    def take(self) -> bool:
        """Take it if nobody has it; PostgreSQL tells what record there is now."""
        row = {**self._row, **self._claim()}
        taken = self._table.put(self._say.take, row)
        if taken and not isinstance(taken, int):
            self.found = taken[0]
        return bool(taken)

    def renew(self) -> bool:
        """Let it last as long again as when it was taken."""
        return self._table.change(self._say.renew, {**self._at, **self._claim()}) > 0

    def free(self) -> None:
        """Give it back."""
        self._table.change(self._say.free, {**self._at, "given_token": self.token})

    def wait(self, seconds: float) -> None:
        """Wait until nobody has it, at most for so many seconds."""
        gives_up_at = time.monotonic() + seconds
        left = seconds
        while left > 0:
            super().wait(left)
            # To look costs the database less than to try.
            if self._table.first(self._say.held, self._at) is None:
                return
            left = gives_up_at - time.monotonic()

    def _claim(self) -> dict[str, Any]:
        return {"given_token": self.token, "given_life": self.expires_in}
