"""What one request changed in a session, carried over to what is stored now."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NamedTuple

from beaker.serializers import dump_dictionary

__all__ = ["Changes", "changes"]

# Values of these compare faster by themselves, and as finely, as serialized.
_PLAIN = frozenset({str, int, bytes, bool, type(None)})


class Changes(NamedTuple):
    """The difference between two states of a dictionary.

    Attributes:
        set: The keys that are new or have another value, with the new one.
        gone: The keys that are no longer there.
    """

    set: Mapping[Any, Any]
    gone: frozenset[Any]

    def __bool__(self) -> bool:
        return bool(self.set or self.gone)

    def applied_to(self, data: Mapping[Any, Any]) -> dict[Any, Any]:
        """Return the data with these changes made; other keys stay as they are."""
        kept = {**data, **self.set}
        for key in self.gone:
            kept.pop(key, None)
        return kept


def changes(
    before: Mapping[Any, Any], after: Mapping[Any, Any], serializer: Any
) -> Changes:
    """Return what differs, key by key, as the serializer sees it.

    A list that grew has changed, and 1 is not True; an equal value is the same
    although it is another object.

    Raises:
        UnserializableValueError: The serializer does not take a value.
    """
    made = {}
    for key, value in after.items():
        if key in before:
            former, kind = before[key], type(value)
            if kind in _PLAIN and type(former) is kind:
                if former == value:
                    continue
            elif _same(key, former, value, serializer):
                continue
        made[key] = value
    return Changes(made, frozenset(before.keys() - after.keys()))


def _same(key: Any, before: Any, after: Any, serializer: Any) -> bool:
    # Whole dictionaries, for a serializer of the program may take nothing else.
    former, current = {key: before}, {key: after}
    return dump_dictionary(serializer, former) == dump_dictionary(serializer, current)
