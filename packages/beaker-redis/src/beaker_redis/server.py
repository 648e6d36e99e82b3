"""The way to a Redis server: its client, and its answers or typed errors."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterator, Sequence
from functools import partial
from typing import Any

import redis
from redis.exceptions import NoScriptError, RedisClusterException, RedisError

from beaker.container import PerProcess, shared_client
from beaker.exceptions import InvalidOptionError, MissingCacheParameter
from beaker_redis.connections import connect, connect_cluster, without_password
from beaker_redis.exchange import AS_BYTES, ByClient, Client, exchange_with
from beaker_redis.refusals import is_busy, refusal
from beaker_redis.scripts import Script

__all__ = ["Client", "Connect", "Server", "cluster_server", "redis_server"]

#: Seconds for which a waiter blocks a connection of its own, at most.
LONGEST_BLOCK = 1.0

#: How many names one answer brings, about.
SCANNED = 500

#: Makes a client from a URL and a deadline in seconds.
Connect = Callable[[str, float], Client]


class Server:
    """A server or a cluster, reached by URL or by a client that the user made.

    The clients made here are shared by URL within the process, and a forked child
    makes its own. A client that was passed in is used as it is.

    Args:
        name: What its users call it: ``ext:redis``.
        url: Its URL, or a client.
        deadline: Seconds that an answer may take.
        connect: Makes a client of a URL.

    Raises:
        MissingCacheParameter: There is no URL.
        InvalidOptionError: What there is is neither a URL nor a client.
    """

    __slots__ = (
        "_connect",
        "_deadline",
        "_exchange",
        "_key",
        "name",
        "url",
    )

    def __init__(
        self, name: str, url: str | Client | None, deadline: float, connect: Connect
    ) -> None:
        if url is None or url == "":
            raise MissingCacheParameter(
                f"{name} needs the option 'url', such as redis://localhost:6379/0"
            )
        if not isinstance(url, str) and not hasattr(url, "execute_command"):
            takes = "a URL such as redis://localhost:6379/0, or a client of redis-py"
            raise InvalidOptionError("url", url, takes, name)
        self.name, self.url = name, url
        self._deadline, self._connect = deadline, connect
        self._key = (name, url, deadline)
        # Looked up once per process, for every hit needs it.
        self._exchange = PerProcess(partial(_made, url, connect, self._key, deadline))

    @property
    def identity(self) -> Hashable:
        """What this server has in common with no other."""
        return self._key

    @property
    def client(self) -> Client:
        """This process's client; it connects when it is first used."""
        return self._exchange().client

    def ask(self, *command: Any) -> Any:
        """Send a command and return the answer; bytes stay bytes.

        Raises:
            StoreRefusedError: The server says no.
        """
        try:
            return self._exchange().ask(*command)
        except (RedisError, RedisClusterException) as e:
            self._explain(e)
            raise

    def run(self, script: Script, names: Sequence[bytes], *arguments: Any) -> Any:
        """Run a script and return its answer.

        Raises:
            StoreRefusedError: The server says no.
        """
        try:
            return self.ask("EVALSHA", script.sha, len(names), *names, *arguments)
        except NoScriptError:
            # Started anew, or failed over: it keeps what EVAL shows it.
            return self.ask("EVAL", script.text, len(names), *names, *arguments)

    def ask_client(self, *command: Any, at: Client | None = None) -> Any:
        """Send a command and return the answer as a client reads it; bytes stay bytes.

        Args:
            command: The command.
            at: The client; None: that of this process.

        Raises:
            StoreRefusedError: The server says no.
        """
        try:
            return (at or self.client).execute_command(*command, **AS_BYTES)
        except (RedisError, RedisClusterException) as e:
            self._explain(e)
            raise

    def scan(self, pattern: bytes) -> Iterator[list[bytes]]:
        """Return the names that are like this, some at a time; one may come twice.

        Raises:
            StoreRefusedError: The server says no.
        """
        for node in self._nodes():
            cursor: Any = 0
            while True:
                command = ("SCAN", cursor, "MATCH", pattern, "COUNT", SCANNED)
                cursor, names = self.ask_client(*command, at=node)
                yield names
                if not int(cursor):
                    break

    def _nodes(self) -> list[Client]:
        client: Any = self.client
        if not hasattr(client, "get_primaries"):
            return [client]
        return [client.get_redis_connection(node) for node in client.get_primaries()]

    def wait_on(self, wake: bytes, seconds: float) -> bool:
        """Wait until somebody is woken on this list, at most so many seconds.

        Returns:
            Whether the server was asked to wake us; False: nothing was waited for, as
            others of this process use all connections, to wait for other keys.
        """
        # 0 would mean for ever.
        block = min(max(seconds, 0.001), LONGEST_BLOCK)
        patience = LONGEST_BLOCK + self._deadline if self._deadline else 0
        try:
            key = (*self._key, "blocking")
            exchange = _made(self.url, self._connect, key, patience)
            exchange.ask("BLPOP", wake, block)
        except redis.TimeoutError:
            # A client that the user made may be less patient than we are.
            return True
        except (RedisError, RedisClusterException) as e:
            if is_busy(e):
                return False
            self._explain(e)
            raise
        return True

    def place(self) -> str:
        """Return its name and where it is, without user and password."""
        if isinstance(self.url, str):
            return f"{self.name} at {without_password(self.url)}"
        pool = getattr(self.url, "connection_pool", None)
        known = getattr(pool, "connection_kwargs", {})
        where = known.get("path") or f"{known.get('host')}:{known.get('port')}"
        return f"{self.name} at {where}" if known else f"{self.name} by a given client"

    def _explain(self, error: Exception) -> None:
        if isinstance(error, redis.ReadOnlyError):
            # What was the primary is a replica now: the name in the URL may lead to
            # another server, to which only new connections go.
            self._exchange().hang_up()
        refused = refusal(error, self.place())
        if refused is not None:
            raise refused from error


def redis_server(url: str | Client | None, deadline: float) -> Server:
    """Return one server, or the pair that sentinels watch.

    Raises:
        InvalidOptionError: The URL does not lead to one.
    """
    server = Server("ext:redis", url, deadline, connect)
    # It connects when it is first used, but a wrong URL is told now.
    _ = server.client
    return server


def cluster_server(urls: str | Client | None, deadline: float) -> Server:
    """Return a cluster, of which the URLs name some nodes."""
    return Server("ext:rediscluster", urls, deadline, connect_cluster)


def _made(
    url: str | Client, connect: Connect, key: Hashable, deadline: float
) -> ByClient:
    if not isinstance(url, str):
        return ByClient(url)
    return shared_client(key, lambda: exchange_with(connect(url, deadline)), _close)


def _close(exchange: ByClient) -> None:
    exchange.client.close()
