"""What importing Beaker loads, by names; `benchmarks/` tells the time."""

from __future__ import annotations

import sys

import pytest

from tests.packaging.conftest import Python

SLOW = [
    "asyncio",
    "dataclasses",
    "dbm",
    "importlib.metadata",
    "inspect",
    "pathlib",
    "pluggy._manager",
    "socket",
    "sqlite3",
    "tempfile",
]

LOADED = (
    "import sys; before = set(sys.modules)\n{code}\nprint(*set(sys.modules) - before)"
)

MEMORY_CACHE = """
from beaker.cache import Cache
Cache("numbers", type="memory").put("one", 1)
"""

MEMORY_SESSION = """
from beaker.middleware import SessionMiddleware
def application(environ, start_response):
    environ["beaker.session"]["name"] = "Ann"
    environ["beaker.session"].save()
    start_response("200 OK", [])
    return []
SessionMiddleware(application, type="memory")({}, lambda *_: None)
"""


def loaded(fresh: Python, code: str) -> set[str]:
    return set(fresh(LOADED.format(code=code)).split())


def test_the_middleware_loads_nothing_foreign_but_pluggy(fresh: Python) -> None:
    modules = loaded(fresh, "import beaker.middleware")

    foreign = {name.partition(".")[0] for name in modules} - sys.stdlib_module_names
    assert foreign <= {"beaker", "pluggy"}


@pytest.mark.parametrize("module", SLOW)
def test_the_middleware_does_not_load_what_is_slow(fresh: Python, module: str) -> None:
    assert module not in loaded(fresh, "import beaker.middleware")


@pytest.mark.parametrize("code", [MEMORY_CACHE, MEMORY_SESSION])
def test_who_asks_for_memory_loads_no_other_store(fresh: Python, code: str) -> None:
    modules = loaded(fresh, code)

    stores = {name for name in modules if name.startswith("beaker.backends.")}
    assert {name for name in stores if "._" not in name} == {"beaker.backends.memory"}
    assert not {"sqlite3", "dbm", "redis", "beaker_redis"} & modules


def test_the_cache_alone_loads_no_sessions_and_no_locks(fresh: Python) -> None:
    modules = loaded(fresh, "import beaker.cache")

    assert not {"beaker.session", "beaker._locks.leases"} & modules
    # The number that we have set ourselves, with those of the standard library.
    assert len(modules) <= 90
