"""A command out, its answer in: over connections that stay open, or by a client."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Protocol

from redis.client import NEVER_DECODE
from redis.exceptions import RedisError, ResponseError

from beaker.container import Pool

__all__ = ["AS_BYTES", "UNLIMITED", "ByClient", "Client", "Exchange", "exchange_with"]

#: Even where the client of a user decodes all it reads.
AS_BYTES = {NEVER_DECODE: True}


#: As many connections as redis-py can be told: a thread that finds none free opens one.
UNLIMITED = 2**31

#: Bytes from which on a command is sent piece by piece rather than as one.
LARGE = 2**17


class Client(Protocol):
    """What we ask of a client: `redis.Redis`, `redis.RedisCluster`, or the like."""

    def execute_command(self, *args: Any, **options: Any) -> Any:
        """Send a command and return the answer."""
        ...

    def close(self) -> None:
        """Close all connections."""
        ...


class ByClient:
    """Lets a client do it, with all that it or who made it wants done.

    Args:
        client: The client.

    Attributes:
        client: As given.
    """

    def __init__(self, client: Client) -> None:
        self.client = client

    def ask(self, *command: Any) -> Any:
        """Send a command and return the answer; bytes stay bytes."""
        return self.client.execute_command(*command, **AS_BYTES)

    def hang_up(self) -> None:
        """Do nothing: which connections there are is the client's business."""


class Exchange(ByClient):
    """Does without the client, which takes as long for it as the server does.

    It lends each command a connection, watches, times and counts it, and may try it
    again. All we need of this is a connection on which nothing is left over.
    """

    def __init__(self, client: Any) -> None:
        super().__init__(client)
        self._source = client.connection_pool
        connect = self._source.get_connection
        self._pool: Pool[Any] = Pool(connect, self._is_broken, self._close)

    def ask(self, *command: Any) -> Any:
        """Send a command and return the answer; bytes stay bytes."""
        pool = self._pool
        connection = pool.borrow()
        try:
            packed = _packed(command) or connection.pack_command(*command)
            connection.send_packed_command(packed)
            answer = connection.read_response(disable_decoding=True)
        except ResponseError:
            pool.give_back(connection)
            raise
        except BaseException:
            self._close(connection)
            raise
        pool.give_back(connection)
        return answer

    def hang_up(self) -> None:
        """Leave the server to which idle connections lead, as it may be another now."""
        self._pool.close()

    def _is_broken(self, connection: Any) -> bool:
        # Sentinels may have named another primary meanwhile.
        if not self._source.owns_connection(connection):
            return True
        try:
            return bool(connection.can_read())
        except (RedisError, OSError):
            return True

    def _close(self, connection: Any) -> None:
        connection.disconnect()
        self._source.release(connection)


def exchange_with(client: Any) -> ByClient:
    """Return the shortest way there is to what a client of ours leads to."""
    pool = getattr(client, "connection_pool", None)
    # A cluster has several. Where their number is limited, the client lends them in
    # turn. By the third protocol a server speaks without being asked, and only the
    # client knows what to do then.
    if (
        pool is None
        or pool.max_connections != UNLIMITED
        or str(pool.connection_kwargs.get("protocol")) != "2"
    ):
        return ByClient(client)
    return Exchange(client)


def _packed(command: Sequence[Any]) -> list[bytes] | None:
    # As the client would, in half the time, but for what had better not be copied.
    parts, size = [b"*%d\r\n" % len(command)], 0
    for part in command:
        data = part if type(part) is bytes else str(part).encode()
        size += len(data)
        parts += (b"$%d\r\n" % len(data), data, b"\r\n")
    return [b"".join(parts)] if size < LARGE else None
