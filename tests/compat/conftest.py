"""What the tests against 1.14.1 share: an interpreter that has it."""

from __future__ import annotations

import os

import pytest


@pytest.fixture(scope="session")
def former_python() -> str:
    """An interpreter that has Beaker 1.14.1; nox makes one."""
    python = os.environ.get("BEAKER_114_PYTHON")
    if not python:
        pytest.skip("BEAKER_114_PYTHON names no interpreter with Beaker 1.14")
    return os.path.abspath(python)
