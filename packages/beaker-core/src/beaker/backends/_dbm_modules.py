"""Which module opens a dbm: the one that is given, or one of the standard library."""

from __future__ import annotations

import functools
import threading
from typing import Any

from beaker.exceptions import InvalidOptionError
from beaker.perprocess import PerProcess

__all__ = ["given_module", "open_dbm"]

#: The best first, as `dbm` itself has it.
_STANDARD = ("dbm.sqlite3", "dbm.gnu", "dbm.ndbm", "dbm.dumb")


def given_module(name: str, value: Any) -> Any:
    """Take a module such as dbm.dumb, or its name."""
    module = _imported(value) if isinstance(value, str) else value
    if not callable(getattr(module, "open", None)):
        takes = "a module that opens dbm files, such as dbm.dumb, or its name"
        raise InvalidOptionError(name, value, takes)
    return module


def open_dbm(path: str, mode: str, module: Any = None) -> Any:
    """Open a dbm for its owner only.

    Args:
        path: What its files' names begin with.
        mode: "r", "w" or "c", as in the standard library.
        module: What to open it with; None: what fits of the standard library.

    Raises:
        ValueError: There are files, but they are no dbm, or not one of this module.
        OSError: The system's answer; without a number, that of the module.
    """
    module = module or _standard_module(path)
    errors = getattr(module, "error", ())
    not_a_dbm: tuple[type[Exception], ...] = (SyntaxError, TypeError, ValueError)
    not_a_dbm += errors if isinstance(errors, tuple) else (errors,)
    try:
        # `dbm.dumb` parses its index as Python code, and the parser of Python 3.11
        # can lose count of its recursion when threads do so at once.
        with _opening():
            return module.open(path, mode, 0o600)
    except OSError:
        raise
    except not_a_dbm as error:
        raise ValueError(repr(error)) from error


_opening = PerProcess(threading.Lock)


def _standard_module(path: str) -> Any:
    # `dbm.open` does the same, but not safely in several threads.
    from dbm import whichdb

    kind = whichdb(path)
    for name in _STANDARD if kind is None else (kind,):
        module = _imported(name)
        if module is not None:
            return module
    raise ValueError(f"no dbm that this Python opens: {kind or 'of unknown kind'}")


@functools.cache
def _imported(name: str) -> Any:
    from importlib import import_module

    try:
        return import_module(name) if name else None
    except ImportError:
        return None
