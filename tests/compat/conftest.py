"""What the tests against other projects share: environments of their own."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from tests.compat.environments import Environment

MakeEnvironment = Callable[..., Environment]


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
