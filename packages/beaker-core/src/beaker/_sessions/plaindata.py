"""Unpickles plain data, and nothing that could run code."""

from __future__ import annotations

import io
import pickle
import re
from collections.abc import Callable, Collection
from typing import Any

from beaker._sessions.pickleshape import refuse_greedy
from beaker.exceptions import CorruptRecordError, ForbiddenClassError

__all__ = ["DECODED_LIMIT", "load_plain"]

#: Of Decimal, in either direction: more than those of IEEE 754 have.
_LARGEST_EXPONENT = 10_000

_FRACTION = re.compile(r"-?[0-9]+(/[0-9]+)?")

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


def _decimal(text: Any) -> Any:
    from decimal import Decimal

    number = Decimal(text) if isinstance(text, str) else None
    # A few characters, of which int() would make a number of gigabytes.
    if number is None or (number and abs(number.adjusted()) > _LARGEST_EXPONENT):
        raise ForbiddenClassError("decimal", "Decimal")
    return number


def _fraction(*parts: Any) -> Any:
    from fractions import Fraction

    is_text = len(parts) == 1 and isinstance(parts[0], str)
    # "1e9999999999" is one, too.
    if not (is_text and _FRACTION.fullmatch(parts[0])) and {int} != set(
        map(type, parts)
    ):
        raise ForbiddenClassError("fractions", "Fraction")
    return Fraction(*parts)


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
    "decimal": {"Decimal": _decimal},
    "fractions": {"Fraction": _fraction},
}

_PLAIN: dict[str, frozenset[str]] = {
    "builtins": frozenset(
        {
            *("bool", "complex", "dict", "float", "frozenset"),
            *("int", "list", "set", "str"),
        }
    ),
    "collections": frozenset({"Counter", "OrderedDict", "defaultdict", "deque"}),
    "datetime": frozenset({"date", "datetime", "time", "timedelta", "timezone"}),
    "uuid": frozenset({"UUID"}),
    "zoneinfo": frozenset({"ZoneInfo"}),
}
