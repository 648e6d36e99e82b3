"""SQLite connections by thread: closed before a fork, for none survives one.

After a fork SQLite would believe, in the child, to hold locks that only the parent
has. So no process may have a connection open while it forks; all open theirs again
when they next need it.
"""

from __future__ import annotations

import functools
import os
import sqlite3
import threading
import weakref

__all__ = ["Link", "all_links"]

#: Seconds that a fork waits for what another thread is doing.
FORK_WAITS = 5.0


class Link:
    """One thread's way to a database.

    Attributes:
        path: The database's file.
        lock: Held while the connection is used.
        connection: None if it is not open.
        identity: Which file it leads to, for a path may come to mean another one.
        look_at: When to look whether it has, on the monotonic clock.
    """

    __slots__ = ("__weakref__", "connection", "identity", "lock", "look_at", "path")

    def __init__(self, path: str) -> None:
        self.path, self.lock = path, threading.Lock()
        self.connection: sqlite3.Connection | None = None
        self.identity: tuple[int, int] | None = None
        self.look_at = 0.0
        all_links().add(self)

    def close(self) -> None:
        """Close the connection if it is open; the lock is held by the caller."""
        connection, self.connection = self.connection, None
        if connection is not None:
            connection.close()

    def __del__(self) -> None:
        self.close()


class Links:
    """All links of this process."""

    def __init__(self) -> None:
        self._guard = threading.RLock()
        self._links: weakref.WeakSet[Link] = weakref.WeakSet()
        self._closed_for_fork: list[Link] = []
        self._leaked: list[sqlite3.Connection] = []
        if hasattr(os, "register_at_fork"):
            os.register_at_fork(
                before=self._before_fork,
                after_in_parent=self._after_fork_in_parent,
                after_in_child=self._after_fork_in_child,
            )

    def add(self, link: Link) -> None:
        """Take note of a link, for as long as there is one."""
        with self._guard:
            self._links.add(link)

    def close(self, path: str) -> None:
        """Close all connections to one file."""
        with self._guard:
            links = [link for link in self._links if link.path == path]
        for link in links:
            with link.lock:
                link.close()

    def _before_fork(self) -> None:
        self._guard.acquire()
        for link in list(self._links):
            if link.lock.acquire(timeout=FORK_WAITS):
                self._closed_for_fork.append(link)
                link.close()

    def _after_fork_in_parent(self) -> None:
        closed, self._closed_for_fork = self._closed_for_fork, []
        for link in closed:
            link.lock.release()
        self._guard.release()

    def _after_fork_in_child(self) -> None:
        self._closed_for_fork = []
        for link in list(self._links):
            # A server that forks without telling Python first has left it open. To
            # close it would disturb the parent: it is left to lie.
            if link.connection is not None:
                self._leaked.append(link.connection)
                link.connection = None
            link.lock = threading.Lock()
        self._guard = threading.RLock()


@functools.cache
def all_links() -> Links:
    """Return the links of this process."""
    return Links()
