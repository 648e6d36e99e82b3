"""A stranger's wheel: built, installed beside the core, found by name, and proved."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.environments import Environment, MakeEnvironment
from tests.projects import ROOT

PROJECT = ROOT / "examples" / "thirdparty"

LISTED = """
import sys
from beaker.plugins import installed_backends
assert "diskcache" in set(installed_backends())
print(*{"beaker_diskcache", "diskcache"} & set(sys.modules))
"""

USED = """
import sys
from beaker.cache import CacheManager
from beaker.util import parse_cache_config_options
given = {"cache.type": sys.argv[1], "cache.data_dir": sys.argv[2]}
cache = CacheManager(**parse_cache_config_options(given)).get_cache("prices")
print(cache.get("pt", createfunc=lambda: sys.argv[1]))
"""


@pytest.fixture(scope="module")
def installed(
    registry: MakeEnvironment, tmp_path_factory: pytest.TempPathFactory
) -> Environment:
    """An environment with the core, what its kit needs, and the stranger's wheel."""
    made = tmp_path_factory.mktemp("stranger")
    build = [sys.executable, "-m", "hatchling", "build", "--target", "wheel"]
    subprocess.run(  # noqa: S603 - our own example
        [*build, "--directory", str(made)], cwd=PROJECT, check=True, capture_output=True
    )
    (wheel,) = made.glob("beaker_*.whl")
    return registry("beaker-core[testing]>=2", str(wheel))


def test_listing_the_names_imports_nothing_of_it(installed: Environment) -> None:
    assert installed.run("-c", LISTED) == ""


def test_it_is_found_by_its_name_with_and_without_ext(
    installed: Environment, tmp_path: Path
) -> None:
    first = installed.run("-c", USED, "diskcache", str(tmp_path))
    second = installed.run("-c", USED, "ext:diskcache", str(tmp_path))

    assert (first, second) == ("diskcache", "diskcache")


def test_it_passes_its_conformance_test(installed: Environment) -> None:
    said = installed.run(
        *("-m", "pytest", "-q", "-p", "no:cacheprovider", "tests"),
        cwd=PROJECT,
        env={**os.environ, "BEAKER_TEST_ROUNDS": "1"},
    )

    assert " passed" in said
    assert "failed" not in said
