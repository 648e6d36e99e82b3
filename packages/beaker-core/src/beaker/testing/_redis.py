"""Several Redis servers that belong together: a cluster, and a guarded pair."""

from __future__ import annotations

import subprocess
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

from beaker.testing._servers import KNOWN, Recipe, Server, claimed_port, wait_until

__all__ = ["GuardedRedis", "guarded_redis", "redis_cluster"]

_SENTINEL = Recipe(
    program="redis-server",
    arguments=("{directory}/sentinel.conf", "--sentinel"),
    ready="Sentinel ID is",
    url="redis://127.0.0.1:{port}",
    install=KNOWN["redis"].install,
)


@contextmanager
def redis_cluster(directory: Path, nodes: int = 3) -> Iterator[list[Server]]:
    """Yield the nodes of a Redis Cluster that covers all its slots."""
    with ExitStack() as stack:
        servers = [
            stack.enter_context(_cluster_node(directory / f"node-{n}"))
            for n in range(nodes)
        ]
        addresses = [f"127.0.0.1:{one.port}" for one in servers]
        _cli("--cluster", "create", *addresses, "--cluster-yes")
        for one in servers:
            wait_until(
                lambda one=one: "cluster_state:ok" in _ask(one, "CLUSTER", "INFO"),  # type: ignore[misc]  # mypy cannot infer a default's lambda
                lambda: "the nodes of the cluster did not find each other",
            )
        yield servers


class GuardedRedis:
    """A primary and its replica, watched by three sentinels.

    Attributes:
        name: What the sentinels call the pair.
        primary: The one that was started as primary.
        replica: The one that was started as its replica.
        sentinels: Those who watch.
    """

    name = "mymaster"

    def __init__(self, directory: Path) -> None:
        recipe = KNOWN["redis"]
        self.primary = Server(recipe, directory / "primary")
        follow = f"--replicaof 127.0.0.1 {self.primary.port}".split()
        quick = ["--repl-diskless-sync-delay", "0"]
        self.replica = Server(recipe, directory / "replica", *follow, *quick)
        self.sentinels = [
            Server(_SENTINEL, directory / f"sentinel-{n}") for n in range(3)
        ]

    @property
    def url(self) -> str:
        """Where a client asks for the present primary."""
        hosts = ",".join(f"127.0.0.1:{one.port}" for one in self.sentinels)
        return f"redis+sentinel://{hosts}/{self.name}/0"

    def configure(self) -> None:
        """Write what the sentinels read, and later write, about the pair."""
        for one in self.sentinels:
            one.directory.mkdir(parents=True)
            settings = (
                f"port {one.port}",
                "bind 127.0.0.1",
                f"dir {one.directory}",
                f"sentinel monitor {self.name} 127.0.0.1 {self.primary.port} 2",
                f"sentinel down-after-milliseconds {self.name} 500",
                f"sentinel failover-timeout {self.name} 3000",
            )
            (one.directory / "sentinel.conf").write_text("\n".join(settings))

    def knows_itself(self) -> bool:
        """Return whether each sentinel has met the replica and the others."""
        told = [
            _ask(one, "SENTINEL", "MASTER", self.name).split() for one in self.sentinels
        ]
        return all(
            each[each.index("num-slaves") + 1] == "1"
            and each[each.index("num-other-sentinels") + 1] == "2"
            for each in told
        )

    def port_of_primary(self) -> int:
        """Return the port that the sentinels send a client to."""
        asked = ("SENTINEL", "GET-MASTER-ADDR-BY-NAME", self.name)
        return int(_ask(self.sentinels[0], *asked).split()[1])


@contextmanager
def guarded_redis(directory: Path) -> Iterator[GuardedRedis]:
    """Yield a primary, its replica and three sentinels that know each other."""
    pair = GuardedRedis(directory)
    with ExitStack() as stack:
        stack.enter_context(pair.primary)
        stack.enter_context(pair.replica)
        pair.configure()
        for one in pair.sentinels:
            stack.enter_context(one)
        wait_until(pair.knows_itself, lambda: "the sentinels did not meet")
        yield pair


def _cluster_node(directory: Path) -> Server:
    # Without a port for the bus of its own, it takes its port plus 10000.
    node = Server(KNOWN["redis"], directory, "--cluster-enabled", "yes")
    node.more += ("--cluster-port", str(claimed_port(node)))
    return node


def _ask(server: Server, *command: str) -> str:
    return _cli("-p", str(server.port), *command)


def _cli(*arguments: str) -> str:
    done = subprocess.run(  # noqa: S603  # the arguments are ours
        ["redis-cli", *arguments],  # noqa: S607  # wherever it is installed
        capture_output=True,
        check=True,
        text=True,
        timeout=20,
    )
    return done.stdout
