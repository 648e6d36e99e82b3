"""What one request has changed, carried over to what another has stored."""

from __future__ import annotations

from typing import Any

import pytest

from beaker._sessions.merging import changes
from beaker.serializers import JSON, PICKLE
from tests.core.sessions import SharedMemory, again, contents, stored


class Counting:
    """Pickles, and counts how often."""

    def __init__(self) -> None:
        self.dumped = self.loaded = 0

    def dumps(self, value: Any) -> bytes:
        """Count, and pickle."""
        self.dumped += 1
        return PICKLE.dumps(value)

    def loads(self, data: bytes) -> Any:
        """Count, and read back."""
        self.loaded += 1
        return PICKLE.loads(data)


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


def test_a_session_that_nobody_else_saved_is_serialized_once_to_save_it() -> None:
    counting = Counting()
    options = {"type": SharedMemory, "secret": "s" * 40, "data_serializer": counting}
    session = again(options, stored(options, cart=[1], name="Ann").id)
    session["cart"].append(2)
    counting.dumped = counting.loaded = 0

    session.save()

    assert (counting.dumped, counting.loaded) == (1, 0)


def test_what_two_requests_changed_in_one_session_is_kept_and_shown() -> None:
    options = {"type": SharedMemory}
    begun = stored(options, a=[1], b=[1], c=1, d=1)
    one, other = again(options, begun.id), again(options, begun.id)
    one["a"].append(2)
    del one["c"]
    other["b"].append(3)
    del other["d"]

    one.save()
    other.save()

    both = {"a": [1, 2], "b": [1, 3]}
    assert contents(other) == contents(again(options, begun.id)) == both
