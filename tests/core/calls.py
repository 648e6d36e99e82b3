"""Functions of every signature, calls that nearly are the same, and what they mean."""

from __future__ import annotations

from collections.abc import Callable
from inspect import signature
from typing import Any

from hypothesis import strategies as st

__all__ = [
    "FUNCTIONS",
    "Call",
    "any_keyword",
    "has_defaults",
    "keyword_only",
    "meaning_of",
    "positional",
    "related_calls",
    "takes_one",
    "takes_surplus",
    "takes_two",
    "text_of",
    "texts",
    "typed_text_of",
]

Call = tuple[list[Any], dict[str, Any]]


def takes_one(a: Any) -> None: ...
def takes_two(a: Any, b: Any) -> None: ...
def has_defaults(a: Any, b: Any = 1, c: Any = "") -> None: ...
def takes_surplus(a: Any = 0, *rest: Any) -> None: ...
def keyword_only(a: Any, *, k: Any = 1, l: Any = None) -> None: ...  # noqa: E741
def any_keyword(a: Any = 0, **others: Any) -> None: ...
def positional(a: Any = 0, b: Any = 1, /, c: Any = 2, **others: Any) -> None: ...
def all_kinds(
    a: Any, b: Any = 1, /, c: Any = "a", *r: Any, k: Any = 3, **o: Any
) -> None: ...


FUNCTIONS: list[Callable[..., Any]] = [
    *(takes_one, takes_two, has_defaults, takes_surplus),
    *(keyword_only, any_keyword, positional, all_kinds),
]
SIGNATURES = {function: signature(function) for function in FUNCTIONS}

# Short texts of what keys are built with are more likely to collide than long ones,
# and so are values that are the defaults of something.
texts = st.text(alphabet=" \\:-#/?a1", max_size=3)
defaults = st.sampled_from([0, 1, 2, 3, "", "a", None])
values = defaults | texts | st.sampled_from([1.0, True, "None", b"a", ["a", " "]])
odd_names = st.sampled_from(["a", "b", "a/", "?a", "a:a", "", " ", "-"])


@st.composite
def related_calls(draw: st.DrawFn, function: Callable[..., Any]) -> list[Call]:
    """Calls that differ in where a few names and values are, rather than in those."""
    own_names = st.sampled_from(list(SIGNATURES[function].parameters))
    names = own_names | odd_names
    few_values = st.sampled_from(draw(st.lists(values, min_size=2, max_size=3)))
    few_names = st.sampled_from(draw(st.lists(names, min_size=1, max_size=2)))
    args = st.lists(few_values, max_size=4)
    kwargs = st.dictionaries(few_names, few_values, max_size=2)
    return draw(st.lists(st.tuples(args, kwargs), min_size=2, max_size=25))


def text_of(value: Any) -> Any:
    """What an argument counts by."""
    return str(value)


def typed_text_of(value: Any) -> Any:
    """What it counts by where types do, too."""
    return type(value), str(value)


def meaning_of(
    function: Callable[..., Any], call: Call, counts_by: Callable[[Any], Any]
) -> Any:
    """What a call says, told by Python itself; None if it is no valid call."""
    try:
        bound = SIGNATURES[function].bind(*call[0], **call[1])
    except TypeError:
        return None
    bound.apply_defaults()
    said = []
    for name, value in bound.arguments.items():
        kind = SIGNATURES[function].parameters[name].kind
        if kind is kind.VAR_POSITIONAL:
            said.append(("*", [counts_by(item) for item in value]))
        elif kind is kind.VAR_KEYWORD:
            said.append(("**", sorted((k, counts_by(v)) for k, v in value.items())))
        else:
            said.append((name, counts_by(value)))
    return said
