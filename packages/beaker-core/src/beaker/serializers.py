"""Values to bytes and back: pickle, JSON, or what the program brings."""

from __future__ import annotations

import pickle
from collections.abc import Callable, Mapping
from functools import cached_property
from typing import Any, Protocol, runtime_checkable

from beaker.exceptions import (
    CorruptRecordError,
    InvalidOptionError,
    UnserializableValueError,
)

__all__ = ["JSON", "PICKLE", "JsonText", "Pickle", "Serializer", "serializer_named"]


@runtime_checkable
class Serializer(Protocol):
    """Turns a value into bytes and back; any object with these two will do."""

    def dumps(self, value: Any, /) -> bytes:
        """Return the value as bytes; raise what you like if it cannot be."""
        ...

    def loads(self, data: bytes, /) -> Any:
        """Return the value that `dumps` was given."""
        ...


class Pickle:
    """Nearly everything Python knows, for readers who trust the writer."""

    name = "pickle"
    identifier = 0

    def dumps(self, value: Any, /) -> bytes:
        """Pickle in the newest protocol that every supported Python reads."""
        return pickle.dumps(value, 5)

    #: Unpickle, which executes what the writer put there.
    loads = staticmethod(pickle.loads)


class JsonText:
    """Numbers, text, lists and dictionaries, and nothing that could run code.

    A tuple comes back as a list, and a key of a dictionary as text.
    """

    name = "json"
    identifier = 1

    def dumps(self, value: Any, /) -> bytes:
        """Return compact UTF-8 text."""
        return self._encode(value).encode()

    def loads(self, data: bytes, /) -> Any:
        """Read the text back."""
        text = str(data, "utf-8").strip(_JSON_SPACE)
        value, end = self._decode(text)
        if end != len(text):
            raise ValueError(f"a value, and {len(text) - end} characters more")
        return value

    # Made once, as json makes its own; and not at import, which they would slow down.

    @cached_property
    def _encode(self) -> Callable[[Any], str]:
        from json import JSONEncoder

        return JSONEncoder(separators=(",", ":"), ensure_ascii=False).encode

    @cached_property
    def _decode(self) -> Callable[[str], tuple[Any, int]]:
        from json import JSONDecoder

        # Its `decode` looks for space twice by a pattern, which takes as long.
        return JSONDecoder().raw_decode


PICKLE = Pickle()
JSON = JsonText()

_JSON_SPACE = " \t\n\r"

#: What JSON takes for a key, and makes text of.
_JSON_KEYS = (str, int, float, type(None))

#: What a record's header says of a serializer that the program brought.
FOREIGN = 255


def serializer_named(chosen: str | Serializer, option: str = "data_serializer") -> Any:
    """Return the serializer an option asks for: "pickle", "json", or an object.

    Raises:
        InvalidOptionError: It is neither.
    """
    if chosen == "pickle":
        return PICKLE
    if chosen == "json":
        return JSON
    if not isinstance(chosen, str) and isinstance(chosen, Serializer):
        return chosen
    takes = "'pickle', 'json' or an object with dumps and loads"
    raise InvalidOptionError(option, chosen, takes)


def identifier_of(serializer: Any) -> int:
    """Return the number that a record's header carries for this serializer."""
    return getattr(serializer, "identifier", FOREIGN)


def dump(serializer: Any, value: Any) -> bytes:
    """Serialize, with one error for all that serializers raise.

    Raises:
        UnserializableValueError: It names the serializer and the value's type.
    """
    try:
        data = serializer.dumps(value)
    # A pickled object's own code runs here: it may raise anything.
    except Exception as e:
        raise UnserializableValueError(_name(serializer), type(value), e) from e
    return data if isinstance(data, bytes) else _as_bytes(data)


def dump_dictionary(serializer: Any, data: Mapping[Any, Any]) -> bytes:
    """Serialize a dictionary, such as a session.

    Raises:
        UnserializableValueError: It names the key whose value is not taken.
    """
    try:
        return dump(serializer, data)
    except UnserializableValueError:
        for key, value in data.items():
            try:
                dump(serializer, {key: value})
            except UnserializableValueError as e:
                path, kind = _unheld(serializer, key, value)
                raise UnserializableValueError(
                    e.serializer, kind, e.cause, key, path
                ) from e.__cause__
        raise


def load(serializer: Any, data: bytes) -> Any:
    """Read a value back, with one error for all that serializers raise.

    Raises:
        CorruptRecordError: The bytes are no value of this serializer.
    """
    try:
        return serializer.loads(data)
    except Exception as e:
        raise CorruptRecordError(f"{_name(serializer)}: {e!r}") from e


def _unheld(serializer: Any, key: Any, value: Any) -> tuple[str | None, type]:
    """Return where the value is that JSON does not take, and its type."""
    if serializer is not JSON:
        return None, type(value)
    path = f"[{key!r}]"
    if not isinstance(key, _JSON_KEYS):
        return path, type(key)
    while isinstance(value, dict | list | tuple):
        parts = value.items() if isinstance(value, dict) else enumerate(value)
        for at, part in parts:
            path_of_part = f"{path}[{at!r}]"
            if isinstance(value, dict) and not isinstance(at, _JSON_KEYS):
                return path_of_part, type(at)
            if not _holds(part):
                path, value = path_of_part, part
                break
        else:
            break
    return path, type(value)


def _holds(value: Any) -> bool:
    try:
        JSON.dumps(value)
    except (TypeError, ValueError, RecursionError):
        return False
    return True


def _as_bytes(data: Any) -> bytes:
    # 1.x let a data_serializer answer with text; so do many that wrap json.
    return data.encode() if isinstance(data, str) else bytes(data)


def _name(serializer: Any) -> str:
    return getattr(serializer, "name", type(serializer).__qualname__)
