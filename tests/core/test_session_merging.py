"""What one request has changed, carried over to what another has stored."""

from __future__ import annotations

from typing import Any

import pytest

from beaker._sessions.merging import changes
from beaker.serializers import JSON, PICKLE


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ({"a": 1}, {"a": True}),
        ({"a": 1}, {"a": 1.0}),
        ({"a": [1]}, {"a": [1, 2]}),
        ({"a": {"b": []}}, {"a": {"b": [0]}}),
        ({"a": None}, {"a": 0}),
        ({}, {"a": None}),
    ],
)
def test_what_serializes_differently_has_changed(
    before: dict[str, Any], after: dict[str, Any]
) -> None:
    assert changes(before, after, PICKLE).set == after


@pytest.mark.parametrize("serializer", [PICKLE, JSON])
@pytest.mark.parametrize("value", [1, "a", None, [1, {"b": (2,)}], {"x": [0.5]}, 1e300])
def test_an_equal_value_has_not(value: Any, serializer: Any) -> None:
    before = serializer.loads(serializer.dumps({"a": value}))
    after = serializer.loads(serializer.dumps({"a": value}))

    assert not changes(before, after, serializer)


def test_a_key_that_is_missing_is_gone_and_other_keys_stay() -> None:
    made = changes({"a": 1, "b": 2}, {"b": 3, "c": 4}, PICKLE)

    assert made.applied_to({"a": 1, "b": 2, "d": 5}) == {"b": 3, "c": 4, "d": 5}
