"""What the tests in TurboGears2's sdist import from a module that is not in it."""

from __future__ import annotations

import tempfile
from typing import Any

from tg import MinimalApplicationConfigurator
from tg.configurator.components.caching import CachingConfigurationComponent
from tg.configurator.components.session import SessionConfigurationComponent
from webtest import TestApp

directory = tempfile.TemporaryDirectory()


def setup_session_dir() -> None:
    """Do nothing: the directory is there."""


def teardown_session_dir() -> None:
    """Do nothing: it goes with the process."""


def make_app(
    controller: Any,
    environ: dict[str, Any] | None = None,
    config_options: dict[str, Any] | None = None,
) -> TestApp:
    """Return a visitor of an application with sessions and caches in files."""
    config = MinimalApplicationConfigurator()
    config.register(SessionConfigurationComponent)
    config.register(CachingConfigurationComponent)
    settings: dict[str, Any] = {"root_controller": controller()}
    for section in ("cache", "session"):
        settings[f"{section}.enabled"] = True
        settings[f"{section}.data_dir"] = directory.name
    config.update_blueprint({**settings, **(config_options or {})})
    return TestApp(config.make_wsgi_app(), extra_environ=environ)


class TestWSGIController:
    """The base of their test classes."""

    baseenviron: dict[str, Any] = {}  # noqa: RUF012  # theirs is

    def setup_method(self) -> None:
        """Do nothing before a test."""

    def teardown_method(self) -> None:
        """Do nothing after a test."""
