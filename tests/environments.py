"""Environments of their own, with our wheels and what the registry has of others."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

#: Makes an environment and installs in it what is named.
MakeEnvironment = Callable[..., "Environment"]


class Environment:
    """A virtual environment.

    Args:
        home: Where it is made.
        wheels: The directory of our wheels, which pip finds before the registry.
    """

    def __init__(self, home: Path, wheels: Path) -> None:
        self.home, self._wheels = home, wheels
        subprocess.run(  # noqa: S603 - Python's own module
            [sys.executable, "-m", "venv", "--without-pip", str(home)], check=True
        )
        self.python = str(home / "bin" / "python")

    @property
    def site(self) -> Path:
        """Where its distributions are."""
        (site,) = self.home.glob("lib/python*/site-packages")
        return site

    def pip(self, *arguments: str) -> str:
        """Run pip for it, as its user would, and return what it prints."""
        command = [sys.executable, "-m", "pip", "--disable-pip-version-check"]
        if arguments[0] == "install":
            # Nobody imports most of what is installed: it needs no bytecode.
            found = ("--no-compile", "--find-links", str(self._wheels))
            arguments = (*arguments, *found)
        done = self._ended([*command, "--python", self.python, *arguments])
        if done.returncode:
            pytest.fail(f"pip {' '.join(arguments)}\n{done.stdout}\n{done.stderr}")
        return done.stdout

    def shell(self, line: str) -> None:
        """Run one line of a shell, in which ``pip`` is this environment's."""
        for command in line.split(" && "):
            name, *arguments = command.replace("'", "").split()
            assert name == "pip"
            self.pip(*arguments)

    def run(self, *arguments: str, **keywords: Any) -> str:
        """Run its Python, and return what is printed; fail with what it says."""
        done = self.ended(*arguments, **keywords)
        if done.returncode:
            pytest.fail(f"{done.stdout}\n{done.stderr}")
        return done.stdout.strip()

    def fails(self, *arguments: str) -> str:
        """Run its Python, which must fail, and return the last line it says."""
        done = self.ended(*arguments)
        assert done.returncode != 0, done.stdout
        return done.stderr.strip().splitlines()[-1]

    def ended(
        self, *arguments: str, **keywords: Any
    ) -> subprocess.CompletedProcess[str]:
        """Run its Python to its end, and return what subprocess tells of it."""
        return self._ended([self.python, *arguments], **keywords)

    def _ended(
        self, command: list[str], **keywords: Any
    ) -> subprocess.CompletedProcess[str]:
        # What this environment is told by variables is not for another.
        clean = {k: v for k, v in os.environ.items() if not k.startswith("PYTHON")}
        keywords.setdefault("env", clean)
        return subprocess.run(  # noqa: S603 - a test's own code
            command, capture_output=True, check=False, text=True, **keywords
        )
