"""Database servers for tests: PostgreSQL and MariaDB."""

from __future__ import annotations

import logging
import os
import shutil
import signal
import subprocess
import tempfile
from abc import abstractmethod
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Self

import pytest

from beaker.testing._servers import Recipe, Server, wait_until

__all__ = ["MariadbServer", "PostgresServer", "SqlServer", "sql_server"]

_log = logging.getLogger(__name__)

#: What a server runs as that refuses to run as root.
_NOBODY = ("--reuid", "nobody", "--regid", "nogroup", "--clear-groups")


def _newest_of_debian() -> str | None:
    # It keeps those of each version apart, and off the PATH.
    found = Path("/usr/lib/postgresql").glob("*/bin/postgres")
    programs = sorted(found, key=lambda program: int(program.parts[-3]))
    return str(programs[-1]) if programs else None


class SqlServer(Server):
    """A database server, whose files are made before it is started first.

    Args:
        directory: For its data and its log; made if it is missing.
        more: Further arguments.
    """

    recipe: Recipe

    def __init__(self, directory: Path, *more: str) -> None:
        super().__init__(self.recipe, directory, *more)
        self.home: Path | None = None

    def start(self) -> Self:
        """Start it and return when its log says that it answers."""
        if self.home is None:
            program = Path(self.recipe.executable())
            self.directory.mkdir(parents=True, exist_ok=True)
            self.home = self._new_home()
            self._make_files(program, self.home)
        return super().start()

    def freeze(self) -> None:
        """Let it hold its connections and answer nothing."""
        super().freeze()
        # It has threads, which may answer until the last of them stands still.
        wait_until(self._stands_still, lambda: self._story("goes on"))

    def __exit__(self, *_: object) -> None:
        super().__exit__(*_)
        if self.home is not None:
            shutil.rmtree(self.home)
            self.home = None

    def _new_home(self) -> Path:
        home = self.directory / "data"
        home.mkdir()
        return home

    @abstractmethod
    def _make_files(self, program: Path, home: Path) -> None:
        """Make the files of an empty server."""

    def _processes(self) -> list[int]:
        if self._process is None or self._process.poll() is not None:
            return []
        return [self._process.pid]

    def _stands_still(self) -> bool:
        threads = [
            thread
            for pid in self._processes()
            for thread in Path(f"/proc/{pid}/task").glob("*")
        ]
        return all(_state(thread) in "TZ" for thread in threads)


class PostgresServer(SqlServer):
    """PostgreSQL; as it refuses to run as root, it runs as nobody then.

    Its user is ``test``, who may do anything, without a password.
    """

    recipe = Recipe(
        program="postgres",
        arguments=(
            *("-p", "{port}", "-c", "listen_addresses=127.0.0.1"),
            *("-c", "unix_socket_directories=", "-c", "fsync=off"),
        ),
        ready="database system is ready to accept connections",
        url="postgresql+psycopg://test@127.0.0.1:{port}/postgres",
        install="apt-get install postgresql",
        shipped=_newest_of_debian,
    )

    def stop(self) -> None:
        """End it without waiting until its clients have gone."""
        self._end(signal.SIGINT)

    def kill(self) -> None:
        """End it as a power cut would, and wait for the end of all its processes.

        While one of them lives, the next start finds its memory in use.
        """
        # So that it begins no other one meanwhile.
        self._signal(signal.SIGSTOP)
        wait_until(self._stands_still, lambda: self._story("goes on"))
        processes = self._processes()
        super().kill()
        wait_until(
            lambda: not any(map(_lives, processes)),
            lambda: self._story("has left processes behind"),
        )

    def _new_home(self) -> Path:
        if os.geteuid() != 0:
            return super()._new_home()
        # Nobody may not enter the directories of root's tests.
        home = Path(tempfile.mkdtemp(prefix="beaker-postgres-"))
        shutil.chown(home, "nobody", "nogroup")
        return home

    def _make_files(self, program: Path, home: Path) -> None:
        given = ("-A", "trust", "--no-sync", "-E", "UTF8", "--locale=C.UTF-8")
        command = (str(program.with_name("initdb")), "-D", str(home), "-U", "test")
        _run(*(("setpriv", *_NOBODY) if os.geteuid() == 0 else ()), *command, *given)

    def _command(self) -> Sequence[str]:
        command = (*super()._command(), "-D", str(self.home))
        if os.geteuid() != 0:
            return command
        return (command[0], *_NOBODY, *command[1:])

    def _signal(self, number: signal.Signals) -> None:
        # The one that we started hands on the signals that it can handle.
        everybody = {signal.SIGKILL, signal.SIGSTOP, signal.SIGCONT}
        children = self._processes()[1:] if number in everybody else []
        super()._signal(number)
        for child in children:
            with suppress(ProcessLookupError):
                os.kill(child, number)

    def _processes(self) -> list[int]:
        # There is one for each connection, in a group of its own.
        ours = super()._processes()
        known = [Path(f"/proc/{pid}/task/{pid}/children") for pid in ours]
        children = [one.read_text() for one in known if one.exists()]
        return [*ours, *map(int, " ".join(children).split())]


# The kernel has so many requests for all servers of the machine together, and several
# tests may start one each.
_NO_AIO = ("--innodb-use-native-aio=0",)


class MariadbServer(SqlServer):
    """MariaDB; its user is ``test``, who may do anything, with password ``test``."""

    recipe = Recipe(
        program="mariadbd",
        arguments=(
            *("--port={port}", "--bind-address=127.0.0.1", "--skip-name-resolve"),
            *("--init-file={directory}/users.sql", "--socket={directory}/socket"),
            # PyMySQL doubles the size of what it sends.
            *("--max-allowed-packet=64M", "--innodb-flush-log-at-trx-commit=2"),
        ),
        ready="ready for connections",
        url="mysql+pymysql://test:test@127.0.0.1:{port}/test",
        install="apt-get install mariadb-server",
    )

    def _make_files(self, program: Path, home: Path) -> None:
        del program
        given = ("--auth-root-authentication-method=normal", "--skip-test-db")
        start = ("mariadb-install-db", "--no-defaults", f"--datadir={home}")
        install = (*start, *given, *_NO_AIO, *_as_root())
        if not _succeeds(*install):
            # On a busy machine it sometimes gives up; what it left is in its way.
            shutil.rmtree(home, ignore_errors=True)
            _run(*install)
        (self.directory / "users.sql").write_text(
            "CREATE DATABASE IF NOT EXISTS test;\n"
            "CREATE USER IF NOT EXISTS test@127.0.0.1 IDENTIFIED BY 'test';\n"
            "GRANT ALL ON *.* TO test@127.0.0.1 WITH GRANT OPTION;\n"
        )

    def _command(self) -> Sequence[str]:
        # Where its defaults are not to count, this has to come first.
        command = list(super()._command())
        after = command.index(self.recipe.executable()) + 1
        own = ("--no-defaults", f"--datadir={self.home}", *_NO_AIO, *_as_root())
        return (*command[:after], *own, *command[after:])


_KINDS: dict[str, type[SqlServer]] = {
    "mariadb": MariadbServer,
    "postgres": PostgresServer,
}


@contextmanager
def sql_server(name: str, directory: Path) -> Iterator[str]:
    """Yield the URL of a database: one that the environment names, or ours.

    ``BEAKER_TEST_POSTGRES_URL`` names one for "postgres". Where there is neither that
    nor the executable, the test is skipped, or failed if ``CI`` is "true".

    Args:
        name: "postgres" or "mariadb".
        directory: For the server's data and log; made if it is missing.
    """
    given = os.environ.get(f"BEAKER_TEST_{name.upper()}_URL")
    if given:
        yield given
        return
    with _KINDS[name](directory) as ours:
        yield ours.url


def _lives(pid: int) -> bool:
    try:
        return _state(Path(f"/proc/{pid}")) not in "ZX"
    except (FileNotFoundError, ProcessLookupError):
        return False


def _state(process: Path) -> str:
    return (process / "stat").read_text().rpartition(")")[2].split()[0]


def _as_root() -> tuple[str, ...]:
    return ("--user=root",) if os.geteuid() == 0 else ()


def _run(*command: str) -> None:
    if not _succeeds(*command):
        pytest.fail(f"{command[0]} failed; its output is in the log")


def _succeeds(*command: str) -> bool:
    ran = subprocess.run(  # noqa: S603  # the arguments are ours
        command, check=False, capture_output=True, timeout=60
    )
    if ran.returncode:
        _log.warning("%s: %s", command, (ran.stdout + ran.stderr).decode())
    return not ran.returncode
