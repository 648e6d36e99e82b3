"""Tells what the names of a package look like; run where it is installed."""

from __future__ import annotations

import importlib
import inspect
import json
import sys
from typing import Any

Parameters = list[tuple[str, int, bool]]


def parameters(thing: Any) -> Parameters | None:
    """Return name, kind and whether it has a default of each; None: unknown."""
    try:
        told = inspect.signature(thing).parameters.values()
    except (TypeError, ValueError):
        return None
    return [(p.name, int(p.kind), p.default is not p.empty) for p in told]


def callables(module: Any, names: list[str]) -> dict[str, Parameters]:
    """Return the parameters of all functions, classes and public methods."""
    found: dict[str, Parameters] = {}
    for name in names:
        thing = getattr(module, name, None)
        taken = parameters(thing) if callable(thing) else None
        if taken is None:
            continue
        found[name] = taken
        for method in dir(thing) if inspect.isclass(thing) else ():
            own = None if method[0] == "_" else getattr(thing, method)
            if inspect.isfunction(own):
                found[f"{name}.{method}"] = parameters(own) or []
    return found


if __name__ == "__main__":
    asked = json.load(sys.stdin)
    told = {
        path: callables(importlib.import_module(path), names.split())
        for path, names in asked.items()
    }
    json.dump(told, sys.stdout)
