"""Says what to do where an upgrade with pip has removed beaker-core's files.

The wheel holds it as ``beaker.py``. While there is a package ``beaker``, Python never
looks at it. When pip replaces Beaker 1.x, it installs beaker-core first and then removes
all files that 1.x had: those of the same names are beaker-core's by then.
"""

# ruff: noqa: INP001  # no package, on purpose

from __future__ import annotations

_MESSAGE = (
    "the files of beaker-core are missing: pip removed them together with Beaker 1.x, "
    "whose files had the same names; put them back with: "
    "pip install --force-reinstall --no-deps 'beaker-core>=2'"
)

raise ImportError(_MESSAGE, name="beaker")
