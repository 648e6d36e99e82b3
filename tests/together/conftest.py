"""What tests of all our wheels together share."""

from __future__ import annotations

from importlib.metadata import EntryPoint, entry_points

#: The classes that the core brings.
BUILT_IN = ["dbm", "file", "memory", "null", "sqlite"]


def ours() -> list[EntryPoint]:
    """Return the stores of our wheels; third parties' may be installed beside them."""
    return [
        entry
        for entry in entry_points(group="beaker.backends")
        if entry.dist is not None
        and entry.value.startswith(f"{entry.dist.name.replace('-', '_')}:")
        and entry.name.startswith("ext:")
    ]
