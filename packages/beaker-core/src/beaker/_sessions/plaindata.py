"""Unpickles plain data, and nothing that could run code."""

from __future__ import annotations

import io
import pickle
from collections.abc import Callable, Collection
from typing import Any

from beaker.exceptions import CorruptRecordError, ForbiddenClassError

__all__ = ["DECODED_LIMIT", "load_plain", "refuse_greedy"]

#: The opcodes that put something into the memo, under an index that they name.
_PUTS = frozenset({"BINPUT", "LONG_BINPUT", "PUT"})

#: Bytes that data which nobody signed may have, compressed or not.
DECODED_LIMIT = 1 << 20


def load_plain(data: bytes, allowed: Collection[str] = ()) -> Any:
    """Return what was pickled, if it is plain data.

    Plain are None, truth values, numbers, text, bytes, lists, tuples, dictionaries,
    sets, `collections`' containers, dates and times, Decimal, Fraction and UUID.

    Args:
        data: A pickle of any protocol.
        allowed: Classes that may be in it beside, as ``module.Class``.

    Raises:
        ForbiddenClassError: It holds an object of another class.
        CorruptRecordError: It is no pickle, or a larger one than we look at.
    """
    if len(data) > DECODED_LIMIT:
        raise CorruptRecordError(f"{len(data)} bytes that are not signed")
    refuse_greedy(data)
    try:
        return _PlainUnpickler(data, allowed).load()
    except ForbiddenClassError:
        raise
    # Arguments that a class does not take, a truncated pickle: it may be anything.
    except Exception as e:
        raise CorruptRecordError(f"plain pickle: {e!r}") from e


def refuse_greedy(data: bytes) -> None:
    """Pass what unpickles in memory of the order of its own length.

    The unpickler makes its memo as long as the largest index it is told: a handful of
    bytes that name a large one, which noise does too, would take gigabytes.

    Raises:
        CorruptRecordError: It is no pickle of protocol 2 or later, or such a one.
    """
    from pickletools import genops

    if not (data.startswith(b"\x80") and data.endswith(b".")):
        raise CorruptRecordError("it neither begins nor ends as a pickle does")
    try:
        for opcode, argument, _ in genops(data):
            if opcode.name in _PUTS and int(argument) > len(data):  # type: ignore[arg-type]  # their argument is a number
                raise CorruptRecordError(f"a pickle with a memo of {argument}")
    except (ValueError, UnicodeError) as e:
        raise CorruptRecordError(f"no pickle: {e}") from e


class _PlainUnpickler(pickle.Unpickler):
    def __init__(self, data: bytes, allowed: Collection[str]) -> None:
        super().__init__(io.BytesIO(data))
        self._allowed = allowed

    def find_class(self, module: str, name: str) -> Any:
        # Protocols up to 2, which 1.x wrote, call the builtins by their old name.
        module = "builtins" if module == "__builtin__" else module
        if module in _GUARDED and name in _GUARDED[module]:
            return _GUARDED[module][name]
        if name in _PLAIN.get(module, ()) or f"{module}.{name}" in self._allowed:
            return super().find_class(module, name)
        raise ForbiddenClassError(module, name)


def _only_from(kind: Callable[..., Any], accepted: type) -> Callable[..., Any]:
    # bytes(10**10) would take the memory of the machine.
    def make(*arguments: Any) -> Any:
        if arguments and not isinstance(arguments[0], accepted):
            raise ForbiddenClassError("builtins", kind.__name__)
        return kind(*arguments)

    return make


def _encode(text: str, encoding: str) -> bytes:
    # How protocols up to 2 write bytes.
    if encoding not in ("latin1", "latin-1"):
        raise ForbiddenClassError("_codecs", "encode")
    return text.encode("latin-1")


def _attribute(owner: Any, name: str) -> Any:
    # How a time zone is pickled; any other attribute could lead to code.
    if name != "_unpickle" or getattr(owner, "__module__", None) != "zoneinfo":
        raise ForbiddenClassError("builtins", "getattr")
    return getattr(owner, name)


_GUARDED: dict[str, dict[str, Callable[..., Any]]] = {
    "builtins": {
        "bytearray": _only_from(bytearray, (bytes | str)),  # type: ignore[arg-type]  # isinstance takes it
        "bytes": _only_from(bytes, bytes),
        "getattr": _attribute,
    },
    "_codecs": {"encode": _encode},
}

_PLAIN: dict[str, frozenset[str]] = {
    "builtins": frozenset(
        {
            *("bool", "complex", "dict", "float", "frozenset"),
            *("int", "list", "set", "str", "tuple"),
        }
    ),
    "collections": frozenset({"Counter", "OrderedDict", "defaultdict", "deque"}),
    "datetime": frozenset({"date", "datetime", "time", "timedelta", "timezone"}),
    "decimal": frozenset({"Decimal"}),
    "fractions": frozenset({"Fraction"}),
    "uuid": frozenset({"UUID"}),
    "zoneinfo": frozenset({"ZoneInfo"}),
}
