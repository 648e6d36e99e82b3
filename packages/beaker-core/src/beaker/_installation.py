"""Notices files of Beaker 1.x that an installer has laid over ours, or under them."""

from __future__ import annotations

import os
import sys

_REMEDY = "pip uninstall --yes Beaker beaker-core && pip install 'Beaker>=2'"


def check(version: str, folder: str) -> None:
    """Refuse to run under files of 1.x, and warn where they lay before ours.

    Args:
        version: What the package says of itself.
        folder: Where the package is installed.

    Raises:
        ImportError: The package is that of 1.x, or a mixture.
    """
    if version.startswith("1."):
        message = (
            f"Beaker {version} is installed over beaker-core, and its files have "
            f"replaced those of the same names; choose 2.x with: {_REMEDY}"
        )
        raise ImportError(message, name="beaker")
    former = former_beside(folder)
    if former:
        from warnings import warn

        from beaker.exceptions import BeakerWarning

        message = (
            f"{former} is installed in the same place as beaker-core, and removing it "
            f"would remove files of beaker-core; set it right with: {_REMEDY}"
        )
        warn(message, BeakerWarning, stacklevel=2)


def former_beside(folder: str) -> str | None:
    """Return the distribution of 1.x that is installed in this folder, if any."""
    # Python's own way to ask takes twenty milliseconds.
    try:
        names = os.listdir(folder)
    except OSError:
        # In a zip file, for example, where no installer lays one over another.
        return None
    for name in names:
        if name[:9] in ("Beaker-1.", "beaker-1.") and name.endswith("-info"):
            version = name[7:].partition("-")[0]
            return f"Beaker {version.removesuffix('.dist').removesuffix('.egg')}"
    return None


# Where the package's own first file is that of 1.x, the first module that only we have
# must stop: what it imports from its neighbours is not there.
check(sys.modules["beaker"].__version__, os.path.dirname(os.path.dirname(__file__)))
