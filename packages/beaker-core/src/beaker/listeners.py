"""Who listens to Beaker's events, and how they are told."""

from __future__ import annotations

import logging
import threading
from typing import TYPE_CHECKING, Any

from beaker.perprocess import PerProcess

if TYPE_CHECKING:
    import pluggy

__all__ = ["listens", "load_listeners", "register", "tell", "unregister"]

GROUP = "beaker.plugins"

_log = logging.getLogger("beaker.plugins")
_lock = PerProcess(threading.RLock)
_manager: pluggy.PluginManager | None = None
_blamed: set[str] = set()

#: The hooks that somebody implements. Hot paths keep a reference to this one set
#: and ask it, which costs less than an empty hook call.
listens: set[str] = set()


def load_listeners() -> None:
    """Load what is installed in the group ``beaker.plugins``, once per process.

    Raises:
        pluggy.PluginValidationError: A listener implements a hook that there is
            not, or asks for an argument that the hook does not have.
    """
    if _manager is None:
        _open_manager()


def register(listener: object, name: str | None = None) -> None:
    """Add a listener: a module or object with functions marked by `hookimpl`.

    Raises:
        pluggy.PluginValidationError: As `load_listeners`; it is not added then.
        ValueError: It was added before, or another one under the same name.
    """
    manager = _open_manager()
    from pluggy import PluginValidationError

    try:
        manager.register(listener, name or _name_of(listener, manager))
        manager.check_pending()
    except PluginValidationError:
        # Some of its functions may be registered already.
        if manager.is_registered(listener):
            manager.unregister(listener)
        raise
    _take_stock(manager)


def unregister(listener: object) -> None:
    """Remove a listener that was registered."""
    manager = _open_manager()
    manager.unregister(listener)
    _take_stock(manager)


def tell(hook: str, **facts: Any) -> None:
    """Tell an event to those who listen; a listener that raises is logged once."""
    if hook not in listens or _manager is None:
        return
    # Each on its own, the last registered first as pluggy has it: one that raises
    # must not keep the event from the others.
    for implementation in reversed(getattr(_manager.hook, hook).get_hookimpls()):
        arguments = {name: facts[name] for name in implementation.argnames}
        try:
            implementation.function(**arguments)
        # Foreign code, that must not end a request.
        except Exception:  # noqa: BLE001
            _blame(implementation.plugin_name, hook)


def _name_of(listener: object, manager: pluggy.PluginManager) -> str:
    """Return what errors and logs call a listener."""
    # A module or a class has a name of its own.
    name = str(getattr(listener, "__name__", type(listener).__qualname__))
    return f"{name} at {id(listener):#x}" if manager.has_plugin(name) else name


def _open_manager() -> pluggy.PluginManager:
    global _manager  # noqa: PLW0603  # the one registry of listeners
    with _lock():
        if _manager is None:
            import pluggy

            from beaker import hookspecs

            manager = pluggy.PluginManager("beaker")
            manager.add_hookspecs(hookspecs)
            # Known before they are loaded: one may open a cache when it is imported.
            _manager = manager
            try:
                manager.load_setuptools_entrypoints(GROUP)
                manager.check_pending()
            except BaseException:
                _manager = None
                raise
            _take_stock(manager)
        return _manager


def _take_stock(manager: pluggy.PluginManager) -> None:
    names = (name for name in vars(manager.hook) if not name.startswith("_"))
    heard = {name for name in names if getattr(manager.hook, name).get_hookimpls()}
    listens.difference_update(listens - heard)
    listens.update(heard)


def _blame(listener: str, hook: str) -> None:
    if listener not in _blamed:
        _blamed.add(listener)
        _log.exception("listener %s failed in %s; told once", listener, hook)
