"""Stores for the tests of leases: one of a process, one that processes share."""

from __future__ import annotations

import threading
import time
from collections.abc import Hashable
from pathlib import Path

from beaker._locks import leases
from beaker._locks.filelock import FileLock
from beaker._locks.leases import RemoteLease


class Server:
    """Keeps leases for all threads; those that are not renewed lapse."""

    def __init__(self) -> None:
        self.held: dict[str, tuple[str, float]] = {}
        self.calls: list[tuple[str, int]] = []
        self._guard = threading.Lock()

    def holder(self, key: str) -> str | None:
        token, lapses_at = self.held.get(key, ("", 0.0))
        return token if time.monotonic() < lapses_at else None

    def put(
        self, call: str, key: str, mine: str | None, token: str, ttl: float
    ) -> bool:
        """Put the token, if its place is taken by `mine`: None, if it is free."""
        with self._guard:
            self.calls.append((call, threading.get_ident()))
            if self.holder(key) != mine:
                return False
            self.held[key] = token, time.monotonic() + ttl
            return True

    def count(self, call: str) -> int:
        return sum(name == call for name, _ in self.calls)


class ServerLease(RemoteLease):
    def __init__(self, server: Server, key: str = "key", ttl: float = 5.0) -> None:
        super().__init__((id(server), "redis://:secret@host", key), expires_in=ttl)
        self.server, self.key = server, key

    def take(self) -> bool:
        return self.server.put("take", self.key, None, self.token, self.expires_in)

    def renew(self) -> bool:
        mine = self.token
        return self.server.put("renew", self.key, mine, mine, self.expires_in)

    def free(self) -> None:
        self.server.put("free", self.key, self.token, "", 0)


class DirectoryLease(RemoteLease):
    """A lease that processes share, kept in a file with the token."""

    def __init__(self, directory: Path, ttl: float = 5.0) -> None:
        super().__init__(str(directory), expires_in=ttl)
        self.path, self.guard = directory / "held", FileLock(str(directory), "guard")

    def take(self) -> bool:
        return self._put(None, self.token)

    def renew(self) -> bool:
        return self._put(self.token, self.token)

    def free(self) -> None:
        self._put(self.token, "")

    def _put(self, mine: str | None, token: str) -> bool:
        with self.guard:
            written = self.path.read_text() if self.path.exists() else ""
            holder, _, lapses_at = written.partition(" ")
            is_held = bool(holder) and time.monotonic() < float(lapses_at)
            if (holder if is_held else None) != mine:
                return False
            stamp = f"{token} {time.monotonic() + self.expires_in}"
            self.path.write_text(stamp if token else "")
            return True


def turns_left() -> list[Hashable]:
    """Return the names that somebody holds or waits for, and free them."""
    turns = leases._turns()
    left = [*turns._holders, *turns._queues]
    turns._holders.clear()
    return left
