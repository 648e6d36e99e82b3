"""Interpreters that see only some of the wheels."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import zipfile
from collections.abc import Callable
from pathlib import Path

import pluggy
import pytest

Python = Callable[[str], str]


@pytest.fixture(scope="session")
def core_alone(
    wheels: dict[str, Path], tmp_path_factory: pytest.TempPathFactory
) -> Python:
    """Run code where the core's wheel and pluggy are all that is installed."""
    return seeing(tmp_path_factory.mktemp("alone"), wheels["beaker-core"])


@pytest.fixture(scope="session")
def without_libraries(
    wheels: dict[str, Path], tmp_path_factory: pytest.TempPathFactory
) -> Python:
    """Run code where all our wheels are installed, and no library that they need."""
    return seeing(tmp_path_factory.mktemp("no-deps"), *wheels.values())


@pytest.fixture(scope="session")
def fresh() -> Python:
    """Run code in a new interpreter with all that is installed here."""
    return run


def seeing(site: Path, *wheels: Path) -> Python:
    """Return what runs code where these wheels and pluggy are all there is."""
    for wheel in wheels:
        with zipfile.ZipFile(wheel) as archive:
            archive.extractall(site)
    shutil.copytree(Path(pluggy.__file__).parent, site / "pluggy")
    return lambda code: run(code, "-S", PYTHONPATH=str(site))


def run(code: str, *flags: str, **environment: str) -> str:
    """Return what a program prints; fail with what it says if it fails."""
    done = subprocess.run(  # noqa: S603 - a test's own code
        [sys.executable, *flags, "-c", code],
        env={**os.environ, **environment},
        capture_output=True,
        check=False,
        text=True,
    )
    if done.returncode:
        pytest.fail(done.stderr)
    return done.stdout.strip()
