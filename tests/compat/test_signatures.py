"""What 1.14.1 can be called with, 2.x can be called with."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Iterator
from importlib import import_module
from inspect import Parameter, signature
from operator import attrgetter
from pathlib import Path

import pytest

from tests.compat import surface
from tests.compat.test_names import FORWARDED, NAMES

#: By position only as far as code was found that does so; by name they take all.
KEYWORDS_ONLY = {
    "beaker.ext.database.DatabaseNamespaceManager",
    "beaker.ext.memcached.MemcachedNamespaceManager",
    "beaker.ext.sqla.SqlaNamespaceManager",
    "beaker.session.CookieSession",
    "beaker.session.Session",
}

#: Different on purpose, or nobody's to call.
EXEMPT = {
    # 1.x had them from whichever library it found; now they are hashlib's.
    "beaker.crypto.sha1",
    "beaker.crypto.util.sha1",
    # By these a store opened the one file or row of all its keys.
    *(
        f"{path}NamespaceManager.{method}"
        for path in (
            "beaker.container.DBM",
            "beaker.container.File",
            "beaker.ext.database.Database",
            "beaker.ext.sqla.Sqla",
        )
        for method in ("close", "do_close", "do_open", "get_access_lock", "open")
    ),
    "beaker.container.DBMNamespaceManager.file_exists",
    "beaker.container.DBMNamespaceManager.get_filenames",
    "beaker.container.FileNamespaceManager.file_exists",
}


@pytest.fixture(scope="module")
def former_surface(former_python: str) -> dict[str, dict[str, surface.Parameters]]:
    """What the names of 1.14.1 take, by module and name."""
    done = subprocess.run(  # noqa: S603 - named by who runs the tests
        [former_python, str(Path(surface.__file__))],
        input=json.dumps({**NAMES, **FORWARDED}),
        capture_output=True,
        check=True,
        text=True,
    )
    told: dict[str, dict[str, surface.Parameters]] = json.loads(done.stdout)
    return told


def calls(taken: surface.Parameters) -> Iterator[tuple[list[str], dict[str, str]]]:
    """Yield arguments: all by position, and all that have a default by name."""
    either = [p for p in taken if p[1] == Parameter.POSITIONAL_OR_KEYWORD]
    only_named = {p[0]: p[0] for p in taken if p[1] == Parameter.KEYWORD_ONLY}
    yield [name for name, _, _ in either], only_named
    required = [name for name, _, has_default in either if not has_default]
    optional = {name: name for name, _, has_default in either if has_default}
    yield required, {**optional, **only_named}


def test_what_1x_takes_is_taken(
    former_surface: dict[str, dict[str, surface.Parameters]],
) -> None:
    refused = []
    for path, names in former_surface.items():
        for name, taken in names.items():
            full = f"{path}.{name}"
            if full in EXEMPT:
                continue
            for positional, named in calls(taken):
                if full in KEYWORDS_ONLY and len(positional) > 2:
                    continue
                try:
                    thing = attrgetter(name)(import_module(path))
                    signature(thing).bind(*positional, **named)
                except (AttributeError, TypeError) as e:
                    refused.append(f"{full}: {e}")

    assert not refused, "\n".join(refused)


def test_the_surface_of_1x_was_looked_at(
    former_surface: dict[str, dict[str, surface.Parameters]],
) -> None:
    assert sum(len(names) for names in former_surface.values()) > 200
