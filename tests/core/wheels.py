"""Wheels for tests: real distributions, as an installer leaves them in a directory."""

from __future__ import annotations

import sys
from collections.abc import Mapping
from pathlib import Path

import pytest


class Wheels:
    """Installs distributions for one test, in directories of its own.

    Args:
        root: Where the directories are made.
        monkeypatch: Undoes it.
    """

    def __init__(self, root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        self._root, self._monkeypatch = root, monkeypatch
        self._modules: list[str] = []

    def install(
        self,
        name: str,
        *,
        version: str = "1.0",
        points: Mapping[str, Mapping[str, str]] | None = None,
        modules: Mapping[str, str] | None = None,
    ) -> Path:
        """Install one, before those that are installed already.

        Args:
            name: The distribution.
            version: Its version.
            points: Its entry points: for each group the names and where they lead.
            modules: The code of its modules by name.

        Returns:
            Its directory.
        """
        place = self._root / f"{len(list(self._root.iterdir()))}-{name}"
        info = place / f"{name.replace('-', '_')}-{version}.dist-info"
        info.mkdir(parents=True)
        metadata = f"Metadata-Version: 2.1\nName: {name}\nVersion: {version}\n"
        (info / "METADATA").write_text(metadata)
        lines = [
            line
            for group, names in (points or {}).items()
            for line in (f"[{group}]", *(f"{k} = {v}" for k, v in names.items()), "")
        ]
        (info / "entry_points.txt").write_text("\n".join(lines))
        for module, code in (modules or {}).items():
            (place / f"{module}.py").write_text(code)
            self._modules.append(module)
        self._monkeypatch.syspath_prepend(place)
        return place

    def hide_all_others(self) -> None:
        """Leave the standard library, and what is installed from now on."""
        # Prepended first, so that the whole path is what comes back in the end.
        self._monkeypatch.syspath_prepend(self._root)
        sys.path[:] = [entry for entry in sys.path if "site-packages" not in entry]

    def imported(self) -> set[str]:
        """Return which of the modules were imported."""
        return {module for module in self._modules if module in sys.modules}

    def forget(self) -> None:
        """Let the next test import its own."""
        for module in self._modules:
            sys.modules.pop(module, None)
