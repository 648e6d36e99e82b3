"""An application of 1.14.1 is started again on 2.x, with nothing else changed."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from tests.compat import applications

pytestmark = pytest.mark.interop

#: What Beaker 1.x was told, as its documentation has it; the last two lines are caches.
COMMON = """
[app:main]
session.key = shop
session.timeout = 3600
session.data_dir = {place}/sessions
session.lock_dir = {place}/locks
cache.data_dir = {place}/caches
cache.lock_dir = {place}/locks
cache.regions = short
cache.short.expire = 600
"""

SECRET = "session.secret = 4f1d9c0b7a52e86318df0a94c6b2e75d\n"
VALIDATE = "session.validate_key = 8c1b6f2e90d7435aa0be71c4f2a96d10\n"
ENCRYPT = "session.encrypt_key = 0a9d3c71e5b24f6888d1c07e93ab5f24\n"
FILES = "session.type = file\ncache.type = file\n"
COOKIE = f"session.type = cookie\ncache.type = memory\n{VALIDATE}"

#: What is written beside it, by name, and the fixture that tells where the server is.
STORES = {
    "file": (FILES, None),
    "dbm": ("session.type = dbm\ncache.type = dbm\n", None),
    "signed": (FILES + SECRET, None),
    "encrypted": (FILES + SECRET + ENCRYPT + VALIDATE, None),
    "json": (f"{FILES}session.data_serializer = json\n", None),
    "cookie": (COOKIE, None),
    "encrypted cookie": (COOKIE + ENCRYPT, None),
    "redis": ("ext:redis", "redis_url"),
    "redis cluster": ("ext:rediscluster", "redis_cluster_url"),
    "memcached": ("ext:memcached", "memcached_url"),
    "mongodb": ("ext:mongodb", "mongodb_url"),
    "sqlite": ("ext:database", None),
    "postgres": ("ext:database", "postgres_url"),
    "mariadb": ("ext:database", "mariadb_url"),
}

BEFORE = [
    *[("/login/ann", "a"), ("/login/bob", "b"), ("/add/tea", "a"), ("/square/3", "a")],
    ("/square/3", "b"),
]
AFTER = [
    *[("/look", "a"), ("/look", "b"), ("/look", "stranger"), ("/add/jam", "a")],
    *[("/look", "a"), ("/square/3", "a"), ("/square/3", "b"), ("/logout", "b")],
    *[("/look", "b")],
]


@pytest.fixture(params=STORES)
def configuration(request: pytest.FixtureRequest, tmp_path: Path) -> Path:
    """The configuration file of a program on 1.x."""
    lines, server = STORES[request.param]
    if lines.startswith("ext:"):
        url = f"sqlite:///{tmp_path}/shop.db"
        if server:
            url = request.getfixturevalue(server)
        option = "urls" if lines == "ext:rediscluster" else "url"
        lines = "".join(
            f"{section}.type = {lines}\n{section}.{option} = {url}\n"
            for section in ("session", "cache", "cache.short")
        )
    file = tmp_path / "shop.ini"
    file.write_text(COMMON.format(place=tmp_path) + lines)
    return file


def visited(
    python: str, file: Path, visits: list[tuple[str, str]], cookies: dict[str, str]
) -> tuple[list[str], dict[str, str], str]:
    """Return what is answered, the cookies then, and what is warned of."""
    asked: dict[str, Any] = {"framework": "wsgi", "through": "waitress"}
    asked.update(options=str(file), visits=visits, cookies=cookies)
    done = subprocess.run(  # noqa: S603 - named by who runs the tests
        # A server that is killed leaves its connections open.
        [
            python,
            "-W",
            "always",
            "-W",
            "ignore::ResourceWarning",
            applications.__file__,
        ],
        input=json.dumps(asked),
        # There is to be one Beaker in each, and not the other's.
        env={k: v for k, v in os.environ.items() if not k.startswith("PYTHON")},
        capture_output=True,
        check=False,
        text=True,
    )
    assert done.returncode == 0, done.stderr
    answer = json.loads(done.stdout)
    return answer["told"], answer["cookies"], done.stderr


def looked_at(file: Path) -> bool:
    """Return whether the doctor finds no error, and both sessions of 1.x."""
    done = subprocess.run(  # noqa: S603 - ours
        [sys.executable, "-m", "beaker", "doctor", "--json", str(file)],
        capture_output=True,
        check=False,
        text=True,
    )
    assert done.returncode in (0, 1), done.stdout + done.stderr
    (section,) = json.loads(done.stdout)["sections"]
    told = [one["says"] for one in section["findings"] if one["about"] == "sessions"]
    # Neither memcached nor cookies tell what sessions there are, and on a server are
    # those of other tests.
    if not told or "cannot list" in told[0]:
        return True
    found = re.search(r"(\d+) of 1\.x", told[0])
    return found is not None and int(found[1]) >= 2


def test_everybody_stays_logged_in_and_all_is_computed_rightly(
    former_python: str, configuration: Path
) -> None:
    told, cookies, _ = visited(former_python, configuration, BEFORE, {})
    assert told == ["ann []", "bob []", "ann ['tea']", "9 made 1", "9 made 1"]

    assert looked_at(configuration)

    told, _, warned = visited(sys.executable, configuration, AFTER, cookies)

    assert told == [
        *["ann ['tea']", "bob []", "None None", "ann ['tea', 'jam']"],
        *["ann ['tea', 'jam']", "9 made 1", "9 made 1", "None None", "None None"],
    ]
    assert "Traceback" not in warned
    assert [line for line in warned.splitlines() if "Warning" in line] == []


def test_nobody_is_logged_out_by_going_back(
    former_python: str, configuration: Path
) -> None:
    whole = configuration.read_text()
    _, cookies, _ = visited(former_python, configuration, [("/login/ann", "a")], {})
    # Some begin their sessions on 2.x, others only use theirs.
    use = [("/login/bob", "b"), ("/add/tea", "a"), ("/look", "b")]
    _, cookies, _ = visited(sys.executable, configuration, use, cookies)

    configuration.write_text(f"{whole}session.mode = compat\n")
    use = [("/look", "a"), ("/look", "b"), ("/add/jam", "b")]
    _, cookies, _ = visited(sys.executable, configuration, use, cookies)
    configuration.write_text(whole)
    use = [("/look", "a"), ("/look", "b"), ("/add/rum", "a")]
    told, _, _ = visited(former_python, configuration, use, cookies)

    assert told == ["ann ['tea']", "bob ['jam']", "ann ['tea', 'rum']"]
