"""What JSON cannot hold is told, and where in the session it is."""

from __future__ import annotations

import datetime as dt
from typing import Any

import pytest

from beaker.exceptions import BeakerWarning, UnserializableValueError
from beaker.session import Session
from tests.core.sessions import STRONG, again, contents, stored

Options = dict[str, Any]

JSON: Options = {"type": "memory", "data_serializer": "json"}


class Odd:
    """Nothing that a serializer of text knows."""


@pytest.mark.parametrize(
    ("value", "path", "kind"),
    [
        ({1, 2}, "['v']", "set"),
        ([{"day": dt.date(2020, 1, 2)}], "['v'][0]['day']", "date"),
        ({"a": [1, [b"x"]]}, "['v']['a'][1][0]", "bytes"),
        ({"a": {("x", 1): 2}}, "['v']['a'][('x', 1)]", "tuple"),
        (Odd(), "['v']", "Odd"),
    ],
)
def test_what_it_does_not_take_is_told_with_its_path(
    value: object, path: str, kind: str
) -> None:
    known = stored(JSON, n=1).id
    session = again(JSON, known)
    session["n"], session["v"] = 2, value

    with pytest.raises(UnserializableValueError) as raised:
        session.save()

    assert f"a value of type {kind!r} at session{path} " in str(raised.value)
    assert contents(again(JSON, known)) == {"n": 1}


@pytest.mark.parametrize(
    ("value", "path", "back"),
    [
        ((1, 2), "['v']", [1, 2]),
        ({"a": [(1,)]}, "['v']['a'][0]", {"a": [[1]]}),
        ({1: 2}, "['v'][1]", {"1": 2}),
        ({"a": {None: 2}}, "['v']['a'][None]", {"a": {"null": 2}}),
    ],
)
def test_what_comes_back_as_another_type_is_told_and_in_strict_mode_refused(
    value: object, path: str, back: object
) -> None:
    session = Session({}, use_cookies=False, **JSON)
    session["v"] = value
    strict = Session({}, use_cookies=False, secret=STRONG, mode="strict", **JSON)
    strict["v"] = value

    with pytest.warns(BeakerWarning) as told:
        session.save()
    with pytest.raises(UnserializableValueError) as raised:
        strict.save()

    assert f"at session{path} " in str(told[0].message)
    assert f"at session{path} " in str(raised.value)
    assert told[0].filename == __file__
    assert again(JSON, session.id)["v"] == back


def test_two_keys_that_become_one_are_never_stored() -> None:
    session = Session({}, use_cookies=False, **JSON)
    session["v"] = {1: "a", "1": "b"}

    with pytest.raises(UnserializableValueError, match="such a text too"):
        session.save()


def test_what_it_holds_is_not_mentioned() -> None:
    held = {"a": [1, 2.5, None, True, "x", {"b": []}], "n": float("inf")}

    session = stored(JSON, v=held, nan=float("nan"))

    assert again(JSON, session.id)["v"] == held


def test_pickle_takes_them_all() -> None:
    values: Options = {"a": (1,), "b": {2}, "c": {1: 2}, "d": dt.date(2020, 1, 2)}

    session = stored({"type": "memory"}, **values)

    assert contents(again({"type": "memory"}, session.id)) == values
