"""Lays one file into the wheel, and none into an editable installation."""

# ruff: noqa: INP001  # no package, on purpose

from __future__ import annotations

from typing import Any

from hatchling.builders.hooks.plugin.interface import BuildHookInterface


class SignpostHook(BuildHookInterface[Any]):
    """Puts ``broken_upgrade.py`` where Python looks when beaker-core is gone."""

    def initialize(self, version: str, build_data: dict[str, Any]) -> None:
        """Add the file; an editable beaker-core lies behind it on the path."""
        if version != "editable":
            build_data["force_include"]["broken_upgrade.py"] = "beaker.py"
