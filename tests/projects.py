"""This project's packages, and their wheels."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[1]
PACKAGES = sorted(file.parent for file in ROOT.glob("packages/*/pyproject.toml"))


def built(made: Path) -> dict[str, Path]:
    """Return each package's wheel by its directory's name, built into a directory."""
    for package in PACKAGES:
        command = [sys.executable, "-m", "hatchling", "build"]
        subprocess.run(  # noqa: S603 - our own packages
            [*command, "--target", "wheel", "--directory", str(made)],
            cwd=package,
            check=True,
            capture_output=True,
        )
    return {package.name: wheel_of(package, made) for package in PACKAGES}


def wheel_of(package: Path, made: Path) -> Path:
    """Return the one wheel of a package."""
    (wheel,) = made.glob(f"{package.name.replace('-', '_')}-*.whl")
    return wheel
