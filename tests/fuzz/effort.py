"""How much of a proof is run: a little each time, all of it in the session `fuzz`."""

from __future__ import annotations

import pytest

__all__ = ["efforts"]


def efforts(usual: int, full: int) -> pytest.MarkDecorator:
    """Give a test its `rounds`: few in a usual run, all of them in the long one."""
    every = pytest.param(full, marks=pytest.mark.fuzz)
    return pytest.mark.parametrize("rounds", [usual, every])
