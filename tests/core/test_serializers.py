"""Serializers: pickle, JSON, or what the program brings, with one kind of error."""

from __future__ import annotations

import pickle
from typing import Any

import pytest

from beaker import serializers
from beaker.cache import Cache
from beaker.exceptions import (
    CorruptRecordError,
    InvalidOptionError,
    UnserializableValueError,
)
from beaker.serializers import JSON, PICKLE, dump, identifier_of, load, serializer_named
from tests.core.conftest import Calls

pytestmark = pytest.mark.usefixtures("own_registries")


class Reversed:
    """A serializer that a program brings; it answers with text."""

    def dumps(self, value: Any) -> str:
        """Write it backwards."""
        return repr(value)[::-1]

    def loads(self, data: bytes) -> Any:
        """Read it backwards."""
        return data.decode()[::-1].strip("'")


def test_pickle_and_json_go_by_their_names() -> None:
    assert serializer_named("pickle") is PICKLE
    assert serializer_named("json") is JSON


@pytest.mark.parametrize("chosen", ["yaml", "", None, 5, pickle.dumps])
def test_what_is_no_serializer_is_refused(chosen: Any) -> None:
    with pytest.raises(InvalidOptionError, match="'data_serializer' takes 'pickle', "):
        serializer_named(chosen)


def test_an_object_with_dumps_and_loads_will_do(calls: Calls) -> None:
    brought: Any = Reversed()

    assert serializer_named(brought) is brought
    assert identifier_of(brought) == serializers.FOREIGN
    assert load(brought, dump(brought, calls())) == "value 1"


def test_the_module_pickle_itself_will_do() -> None:
    assert load(serializer_named(pickle), dump(pickle, [1])) == [1]


@pytest.mark.parametrize(
    "value", [None, True, 0, 1.5, "ü", [], {}, {"a": [1, {"b": None}]}]
)
def test_json_keeps_numbers_text_lists_and_dictionaries(value: Any) -> None:
    assert load(JSON, dump(JSON, value)) == value


@pytest.mark.parametrize("text", [b'{"a": 1}', b' {"a":1}\r\n', b'\t{ "a" : 1 }'])
def test_json_reads_one_value_with_space_around_it(text: bytes) -> None:
    assert JSON.loads(text) == {"a": 1}


@pytest.mark.parametrize(
    "text", [b"", b" ", b"{}{}", b"{} x", b"\xc2\xa0{}", b"\xff{}"]
)
def test_json_reads_nothing_else(text: bytes) -> None:
    with pytest.raises(CorruptRecordError):
        load(JSON, text)


def test_json_knows_no_tuples_and_no_keys_but_text() -> None:
    assert load(JSON, dump(JSON, {"a": (1, 2), 3: "b"})) == {"a": [1, 2], "3": "b"}


@pytest.mark.parametrize("value", [b"bytes", {1, 2}, object(), {("a",): 1}])
def test_json_refuses_what_it_has_no_word_for(value: Any) -> None:
    with pytest.raises(UnserializableValueError, match="serializer 'json'"):
        dump(JSON, value)


class Unkind:
    """An object whose own code raises while it is pickled."""

    def __reduce__(self) -> Any:
        """Raise."""
        raise LookupError("not today")


def test_whatever_pickling_raises_is_one_error_that_names_the_type() -> None:
    with pytest.raises(UnserializableValueError, match=r"'Unkind'.*not today"):
        dump(PICKLE, Unkind())


def test_what_is_nested_too_deeply_is_refused() -> None:
    deep: list[Any] = []
    for _ in range(100_000):
        deep = [deep]

    with pytest.raises(UnserializableValueError, match="'list'"):
        dump(JSON, deep)


@pytest.mark.parametrize("serializer", [PICKLE, JSON])
@pytest.mark.parametrize("data", [b"", b"\xff", b"{", b"(", b"cno_such\nmodule\n."])
def test_whatever_reading_raises_is_one_error(serializer: Any, data: bytes) -> None:
    with pytest.raises(CorruptRecordError, match=serializer.name):
        load(serializer, data)


def test_a_cache_uses_the_serializer_of_its_options(tmp_path: Any) -> None:
    options: dict[str, Any] = {"type": "file", "data_dir": str(tmp_path)}
    cache = Cache("json", data_serializer="json", **options)
    cache["k"] = {"a": [1]}

    with pytest.raises(UnserializableValueError, match="'json'"):
        cache["k"] = object()

    assert cache["k"] == {"a": [1]}
    assert any(b'{"a":[1]}' in file.read_bytes() for file in _files(tmp_path))
    brought = Cache("own", data_serializer=Reversed(), **options)
    brought["k"] = "text"
    assert brought["k"] == "text"


def test_a_serializer_that_is_none_is_told_by_the_option() -> None:
    with pytest.raises(InvalidOptionError, match="'data_serializer'"):
        Cache("things", data_serializer="yaml")


def _files(root: Any) -> list[Any]:
    return [path for path in root.rglob("*") if path.is_file()]
