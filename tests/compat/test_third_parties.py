"""Stores that others have published for Beaker 1.x run unchanged, as far as they did."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from tests.compat import plugin_use
from tests.environments import MakeEnvironment

CACHED = ["number 1", "number 1", "number 2", [2], False]
KEPT = ["ann", ["tea"], False]
#: It asks for the name of a name when it deletes, and so removes nothing.
UNDELETED = ["ann", ["tea"], True]

#: What is installed, how it is told where Redis is, and what of it worked on 1.14.1
#: or works by now. Caches of the last two fail in their own code, which was written
#: for Python 2: it joins a key of bytes with text.
ON_REDIS: dict[str, tuple[str, dict[str, list[Any]]]] = {
    "beaker-redis==1.1.0": ("dsn", {"caching": CACHED, "sessions": KEPT}),
    "beaker_extensions==0.1.1.dev0": ("url", {"sessions": UNDELETED}),
    "beakeredis==0.1.0": ("url", {"sessions": KEPT}),
}


@pytest.mark.parametrize("plugin", ON_REDIS)
def test_a_store_on_redis_works(
    registry: MakeEnvironment, redis_url: str, tmp_path: Path, plugin: str
) -> None:
    option, worked = ON_REDIS[plugin]
    here = registry("Beaker>=2", "redis", "setuptools<80", plugin)
    place = redis_url.removeprefix("redis://")
    if option == "url":
        place = place.partition("/")[0]
    options: dict[str, Any] = {option: place, "lock_dir": str(tmp_path)}

    said = here.run(
        *("-W", "error::RuntimeWarning", plugin_use.__file__),
        input=json.dumps({"options": {"type": "redis", **options}, "uses": [*worked]}),
    )

    assert json.loads(said) == worked


#: These were written for Python 2 and cannot be imported, or not run, on 1.14.1 either.
BROKEN = {
    "beaker-mongodb==0.3": ("mongodb", "multiple exception types"),
    "mongodb_gridfs_beaker==0.5.4": ("mongodb_gridfs", "multiple exception types"),
}


@pytest.mark.parametrize("plugin", BROKEN)
def test_a_store_that_python_cannot_load_is_named(
    registry: MakeEnvironment, plugin: str
) -> None:
    name, cause = BROKEN[plugin]
    here = registry("Beaker>=2", "pymongo", "setuptools<80", plugin)

    code = f"from beaker.cache import Cache; Cache('x', type='{name}', url='u')"
    said = here.fails("-W", "ignore", "-c", code)

    assert "BrokenBackendError" in said
    assert plugin.partition("==")[0].replace("-", "_") in said.replace("-", "_")
    assert cause in said


def test_a_bounded_memory_store_fails_in_its_own_code_and_nothing_else_does(
    registry: MakeEnvironment,
) -> None:
    here = registry("Beaker>=2", "setuptools<80", "infrae.cache==1.0.1")
    use = "from beaker.cache import Cache; Cache('x', type='{}').get(1, createfunc=int)"

    said = here.fails("-W", "ignore", "-c", use.format("memorylru"))

    # Python 3 took has_key from dictionaries.
    assert "'dict' object has no attribute 'has_key'" in said
    here.run("-W", "ignore", "-c", use.format("nocache"))


def test_sessions_as_json_web_tokens_work_with_a_requirement_set_aside(
    registry: MakeEnvironment,
) -> None:
    here = registry("Beaker>=2", "joserfc", "pymongo")
    # It asks for beaker<2 and runs on 2.x.
    here.pip("install", "--no-deps", "beaker-session-jwt==1.0.4")
    code = """
from beaker.session import SessionObject
from beaker_session_jwt import JWTCookieSession

options = {"session_class": JWTCookieSession, "type": "cookie", "key": "s",
           "jwt_secret_keys": "a" * 40, "timeout": 600}

def sent(cookie, **data):
    session = SessionObject({"HTTP_COOKIE": cookie}, **options)
    session._session().update(data)
    session.save()
    session.persist()
    return session.__dict__["_headers"]["cookie_out"].partition(";")[0], dict(session)

cookie, _ = sent("", user="ann")
cookie, data = sent(cookie, n=1)
print(data["user"], data["n"])
"""

    assert here.run("-W", "error::RuntimeWarning", "-c", code) == "ann 1"
