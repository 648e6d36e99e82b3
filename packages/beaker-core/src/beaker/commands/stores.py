"""Looks at a store: its plugin, its server, and what it can do."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from beaker import cache
from beaker.commands.findings import ERROR, GOOD, NOTE, Finding, of_error
from beaker.exceptions import BeakerException, StoreUnavailableError
from beaker.legacy import is_legacy
from beaker.plugins import backend_named, wheel_of
from beaker.protocols import ABILITIES
from beaker.stores import Store

__all__ = ["options_of", "plugin_of", "store_findings"]


def plugin_of(about: str, name: str) -> tuple[type[Any] | None, Finding]:
    """Return the class that answers to a name, and what is to be said of it.

    Args:
        about: The option that names it.
        name: The name.

    Returns:
        The class, or None where it cannot be used.
    """
    try:
        backend = backend_named(name, cache.clsmap)
    except BeakerException as e:
        return None, of_error(about, e)
    if is_legacy(backend):
        return backend, Finding(
            NOTE,
            about,
            f"{name!r} of {wheel_of(name)} was written for 1.x, best effort here: "
            f"sessions merge within one process only, creations are not fenced, and "
            f"the first call to a store that is away has no deadline",
        )
    return backend, Finding(GOOD, about, f"{name!r} is in {wheel_of(name)}")


def store_findings(about: str, store: Store) -> Iterator[Finding]:
    """Tell whether a store answers, its version, and what it can do."""
    try:
        store.ping()
    except StoreUnavailableError as e:
        yield Finding(ERROR, about, f"{e.store} does not answer: {e.cause}", e.remedy)
        return
    except BeakerException as e:
        yield of_error(about, e)
        return
    if store.is_legacy:
        yield Finding(GOOD, about, f"{store.place()} answers")
        return
    version = store.manager.version()
    told = f" ({version})" if version else ""
    yield Finding(GOOD, about, f"{store.place()} answers{told}")
    yield Finding(GOOD, about, _abilities(type(store.manager)))


def _abilities(backend: Any) -> str:
    has = [name for name in ABILITIES if getattr(backend, name)]
    lacks = [name for name in ABILITIES if not getattr(backend, name)]
    told = [f"its abilities: {_listed(has)}"] if has else []
    return "; ".join(told + ([f"not: {_listed(lacks)}"] if lacks else []))


def _listed(names: list[str]) -> str:
    return ", ".join(name.replace("_", " ") for name in names)


def options_of(backend: type[Any]) -> Mapping[str, Any] | None:
    """Return what a store's class declares; None: one of 1.x, which takes anything."""
    return None if is_legacy(backend) else backend.options
