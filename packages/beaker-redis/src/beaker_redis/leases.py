"""The creation lock of a key, kept by the server, and the lock of Beaker 1.x."""

from __future__ import annotations

from typing import Any

from beaker.synchronization import DEADLINE, RemoteLease, SynchronizerImpl
from beaker_redis import scripts
from beaker_redis.connections import with_login
from beaker_redis.names import Names
from beaker_redis.server import Client, Server, cluster_server, redis_server

__all__ = ["RedisClusterSynchronizer", "RedisLease", "RedisSynchronizer"]


class RedisLease(RemoteLease):
    """The right to create one key's value; who waits for it is woken by the server.

    Args:
        server: Where it is kept.
        names: Those of the namespace.
        key: The key.
        expires_in: Seconds until it lapses, if it is no longer renewed.
    """

    def __init__(
        self, server: Server, names: Names, key: str, expires_in: float = 5.0
    ) -> None:
        name = names.lease(key)
        super().__init__((server.identity, name, key), expires_in=expires_in)
        self._server, self._life = server, max(1, int(expires_in * 1000))
        self._record, self._wake = names.record(key), names.wake(key)
        self._names = [name] if names.index is None else [name, names.index]

    def take(self) -> bool:
        """Take it if nobody has it, and see what record there is now."""
        names = [self._record, *self._names]
        answer = self._server.run(scripts.TAKE, names, self.token, self._life)
        if answer == 0:
            return False
        self.found = None if answer == 1 else answer
        return True

    def renew(self) -> bool:
        """Let it last as long again as when it was taken."""
        return bool(
            self._server.run(scripts.RENEW, self._names, self.token, self._life)
        )

    def free(self) -> None:
        """Give it back, and wake who waits."""
        self._server.run(scripts.FREE, self._names, self.token)

    def wait(self, seconds: float) -> None:
        """Wait until the holder wakes us, or has to have died."""
        left = self._server.run(scripts.ANNOUNCE, self._names[:1], self._wake) / 1000
        if left and not self._server.wait_on(self._wake, min(seconds, left)):
            super().wait(seconds)


class RedisSynchronizer(SynchronizerImpl):
    """A lock among all who know its name and the server: one reader or one writer.

    It is renewed while it is held, and lapses some seconds after its holder's death.

    Args:
        identifier: Its name.
        url: The server's URL, or a client.
    """

    def __init__(self, identifier: str, url: str | Client) -> None:
        super().__init__()
        self._begin(identifier, redis_server(url, DEADLINE))

    def _begin(self, identifier: str, server: Server) -> None:
        self.identifier, self._server = identifier, server
        self._names = Names(identifier, "", "lock")
        self._lease: RedisLease | None = None

    def do_acquire_read_lock(self, wait: bool = True) -> bool:
        """Take the lock."""
        return self.do_acquire_write_lock(wait)

    def do_release_read_lock(self) -> None:
        """Free the lock."""
        self.do_release_write_lock()

    def do_acquire_write_lock(self, wait: bool = True) -> bool:
        """Take the lock."""
        lease = RedisLease(self._server, self._names, "")
        if not lease.acquire(wait):
            return False
        self._lease = lease
        return True

    def do_release_write_lock(self) -> None:
        """Free the lock."""
        lease, self._lease = self._lease, None
        if lease is not None:
            lease.release()


class RedisClusterSynchronizer(RedisSynchronizer):
    """The same lock in a cluster.

    Args:
        identifier: Its name.
        urls: The URLs of some nodes, with commas between them, or a client.
        nodes: Taken for the sake of Beaker 1.x; the URLs say it all.
        username: For nodes that ask for one.
        password: For nodes that ask for one.
    """

    def __init__(
        self,
        identifier: str,
        urls: str | Client,
        nodes: Any = None,  # noqa: ARG002  # 1.x passed it along
        username: str | None = None,
        password: str | None = None,
    ) -> None:
        SynchronizerImpl.__init__(self)
        if isinstance(urls, str):
            urls = with_login(urls, username, password)
        self._begin(identifier, cluster_server(urls, DEADLINE))
