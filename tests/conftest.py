"""Fixtures that tests in several directories share: servers, and our wheels."""

from __future__ import annotations

import json
import os
import subprocess
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from beaker.breaker import _breakers
from beaker.testing import (
    GuardedRedis,
    datastore_emulator,
    guarded_redis,
    mongo_server,
    redis_cluster,
    server,
    sql_server,
)
from tests.environments import Environment, MakeEnvironment
from tests.projects import built

#: Asks Beaker 1.14 to do something: the name of a function in ``former_beaker.py``, and
#: its arguments.
Former = Callable[..., Any]

#: What the names of fixtures begin with that start a server or a 1.x, or ask the
#: registry, and its marker.
SERVERS = {
    "chromium": "browser",
    "former": "interop",
    "google_": "google",
    "mariadb_": "sqla",
    "memcached_": "memcached",
    "mongodb_": "mongodb",
    "postgres_": "sqla",
    "redis_": "redis",
    "registry": "registry",
}


#: Directories whose tests share what is dear to make: one process runs them all.
TOGETHER = ("packaging", "web")


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Mark what needs a server by its name, so that a run can choose."""
    for item in items:
        if item.path.parent.name in TOGETHER:
            item.add_marker(pytest.mark.xdist_group(item.path.parent.name))
        fixtures = getattr(item, "fixturenames", ())
        for start, marker in SERVERS.items():
            if any(name.startswith(start) for name in fixtures):
                item.add_marker(marker)


@pytest.fixture(scope="session")
def google_url(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """An emulator of Datastore for all tests; each test uses names of its own."""
    with datastore_emulator(tmp_path_factory.mktemp("google")) as url:
        yield url


@pytest.fixture(autouse=True)
def no_probe_outlives_its_test() -> Iterator[None]:
    """Stores that a test has left away are asked no more whether they are back.

    Of each failure PyMySQL formats a traceback, for which Python 3.11 parses source;
    whoever parses at that moment, as pytest does, may be told that he did it wrongly.
    """
    yield
    for breaker in list(_breakers.values()):
        breaker.retire()
    for thread in threading.enumerate():
        if thread.name.startswith("beaker probe"):
            thread.join(1)


@pytest.fixture(scope="session")
def memcached_url(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """A memcached for all tests; each test uses names of its own."""
    with server("memcached", tmp_path_factory.mktemp("memcached")) as url:
        yield url


@pytest.fixture(scope="session")
def mariadb_url(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """A MariaDB for all tests; each test uses names of its own."""
    with sql_server("mariadb", tmp_path_factory.mktemp("mariadb")) as url:
        yield url


@pytest.fixture(scope="session")
def mongodb_url(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """A MongoDB for all tests; each test uses names of its own."""
    with mongo_server(tmp_path_factory.mktemp("mongodb")) as url:
        yield url


@pytest.fixture(scope="session")
def postgres_url(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """A PostgreSQL for all tests; each test uses names of its own."""
    with sql_server("postgres", tmp_path_factory.mktemp("postgres")) as url:
        yield url


@pytest.fixture(scope="session")
def redis_url(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """A Redis server for all tests; each test uses names of its own."""
    with server("redis", tmp_path_factory.mktemp("redis")) as url:
        yield url


@pytest.fixture(scope="session")
def redis_cluster_url(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The URLs of the nodes of a Redis Cluster, with commas between them."""
    with redis_cluster(tmp_path_factory.mktemp("cluster")) as nodes:
        yield ",".join(node.url.removesuffix("/0") for node in nodes)


@pytest.fixture
def redis_sentinel(tmp_path_factory: pytest.TempPathFactory) -> Iterator[GuardedRedis]:
    """A primary and a replica under sentinels, to do with as the test likes."""
    with guarded_redis(tmp_path_factory.mktemp("sentinel")) as pair:
        yield pair


@pytest.fixture(scope="session")
def wheels(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """Each package's wheel, by the name of its directory."""
    return built(tmp_path_factory.mktemp("wheels"))


@pytest.fixture(scope="session")
def registry(
    wheels: dict[str, Path], tmp_path_factory: pytest.TempPathFactory
) -> MakeEnvironment:
    """Make an environment, and install in it what is named, from the registry."""

    def made(*requirements: str) -> Environment:
        home = tmp_path_factory.mktemp("environment") / "venv"
        environment = Environment(home, wheels["beaker-core"].parent)
        if requirements:
            environment.pip("install", *requirements)
        return environment

    return made


@pytest.fixture(scope="session")
def former() -> Iterator[Former]:
    """Ask Beaker 1.14 to do something."""
    python = os.environ.get("BEAKER_114_PYTHON")
    if not python:
        pytest.skip("BEAKER_114_PYTHON names no interpreter with Beaker 1.14")
    script = Path(__file__).parent / "compat" / "former_beaker.py"
    # There is to be one Beaker, and it is not ours.
    environment = {k: v for k, v in os.environ.items() if k != "PYTHONPATH"}
    with subprocess.Popen(  # noqa: S603 - named by who runs the tests
        [python, str(script)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        env=environment,
        text=True,
    ) as process:
        asked, answers = process.stdin, process.stdout
        assert asked is not None
        assert answers is not None

        def ask(do: str, **arguments: Any) -> Any:
            print(json.dumps({"do": do, **arguments}), file=asked, flush=True)
            answer = json.loads(answers.readline())
            assert "failed" not in answer, answer["failed"]
            return answer["done"]

        yield ask
        asked.close()
