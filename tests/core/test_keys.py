"""No two different argument lists share a key, and equal ones always do."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable
from inspect import signature
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from beaker._caching.functions import keys_of_unknown
from beaker.keys import FunctionKeys, function_namespace, shortened, takes_self

Call = tuple[list[Any], dict[str, Any]]


def _one(a: Any) -> None: ...
def _two(a: Any, b: Any) -> None: ...
def _default(a: Any, b: Any = 1, c: Any = "") -> None: ...
def _surplus(a: Any = 0, *rest: Any) -> None: ...
def _keyword_only(a: Any, *, k: Any = 1, l: Any = None) -> None: ...  # noqa: E741
def _any_keyword(a: Any = 0, **others: Any) -> None: ...
def _positional(a: Any = 0, b: Any = 1, /, c: Any = 2, **others: Any) -> None: ...
def _all(
    a: Any, b: Any = 1, /, c: Any = "a", *r: Any, k: Any = 3, **o: Any
) -> None: ...


FUNCTIONS: list[Callable[..., Any]] = [
    *(_one, _two, _default, _surplus, _keyword_only, _any_keyword, _positional, _all)
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


def _texts(value: Any) -> Any:
    """What an argument counts by."""
    return str(value)


def _types(value: Any) -> Any:
    return type(value), str(value)


def _meaning(
    function: Callable[..., Any], call: Call, counts_by: Callable[[Any], Any]
) -> Any:
    """What a call says, told by Python itself; None if it is no valid call."""
    try:
        bound = SIGNATURES[function].bind(*call[0], **call[1])
    except TypeError:
        return None
    bound.apply_defaults()
    meaning = []
    for name, value in bound.arguments.items():
        kind = SIGNATURES[function].parameters[name].kind
        if kind is kind.VAR_POSITIONAL:
            meaning.append(("*", [counts_by(item) for item in value]))
        elif kind is kind.VAR_KEYWORD:
            meaning.append(("**", sorted((k, counts_by(v)) for k, v in value.items())))
        else:
            meaning.append((name, counts_by(value)))
    return meaning


@pytest.mark.parametrize("typed", [False, True])
@pytest.mark.parametrize("function", FUNCTIONS)
@given(data=st.data())
@settings(
    max_examples=25,
    deadline=None,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large],
)
def test_calls_share_a_key_if_and_only_if_they_mean_the_same(
    function: Callable[..., Any], typed: bool, data: st.DataObject
) -> None:
    chosen = data.draw(related_calls(function))
    keys = FunctionKeys(function, ["tag"], typed=typed)
    counts_by = _types if typed else _texts
    meanings = [
        (keys.of_call(*call), meaning, call)
        for call in chosen
        if (meaning := _meaning(function, call, counts_by)) is not None
    ]

    for number, (key, meaning, call) in enumerate(meanings):
        for other_key, other_meaning, other in meanings[:number]:
            assert (key == other_key) == (meaning == other_meaning), (call, other)


@pytest.mark.parametrize(
    ("function", "one", "other"),
    [
        (_two, (["a b", "c"], {}), (["a", "b c"], {})),
        (_two, (["a\\", "b"], {}), (["a", "\\b"], {})),
        (_two, (["", "a"], {}), (["a", ""], {})),
        (_surplus, ([], {}), ([""], {})),
        (_surplus, ([0, "x"], {}), (["x"], {})),
        (_default, (["x"], {"b": 5}), (["x", "\\b:5"], {})),
        (_default, (["x", 5], {}), (["x"], {"c": 5})),
        (_keyword_only, (["x"], {"k": "2 \\l:3"}), (["x"], {"k": 2, "l": 3})),
        (_any_keyword, ([], {"b": "x:1"}), ([], {"b:x": 1})),
        (_any_keyword, ([], {"?b": 1}), ([], {"b": 1})),
        (_any_keyword, (["\\b:1"], {}), ([], {"b": 1})),
        (_positional, ([5], {"a": 7}), ([6], {"a": 7})),
        (_positional, ([0, 5], {}), ([], {"b": 5})),
        (_positional, ([0, 5], {}), ([], {"b/": 5})),
        (_positional, ([], {"a": 0}), ([], {})),
    ],
)
def test_calls_that_nearly_share_a_key_do_not(
    function: Callable[..., Any], one: Call, other: Call
) -> None:
    keys = FunctionKeys(function)

    assert keys.of_call(*one) != keys.of_call(*other)


@pytest.mark.parametrize("function", FUNCTIONS)
@given(data=st.data())
@settings(max_examples=20, deadline=None)
def test_a_call_is_invalidated_under_the_key_it_is_cached_under(
    function: Callable[..., Any], data: st.DataObject
) -> None:
    keys = FunctionKeys(function, ["two words", 7])
    args, kwargs = data.draw(related_calls(function))[0]

    flat = keys.of_flat(["two words", "7", *args], kwargs)

    assert flat == keys.of_call(args, kwargs)


@given(args=st.lists(texts, min_size=2, max_size=2), tags=st.lists(texts, max_size=2))
@settings(max_examples=100, deadline=None)
def test_the_key_of_a_function_without_defaults_can_be_told_from_its_arguments(
    args: list[str], tags: list[str]
) -> None:
    key = FunctionKeys(_two, tags).of_call(args, {})

    found = keys_of_unknown("module|_two", [*tags, *args], 10_000)

    assert key in found or "" in tags


def test_arguments_are_told_apart_whatever_is_in_them() -> None:
    keys = FunctionKeys(_two)

    assert keys.of_call(["a b", "c"], {}) != keys.of_call(["a", "b c"], {})


def test_arguments_count_by_their_text() -> None:
    keys = FunctionKeys(_one)

    assert keys.of_call([1], {}) == keys.of_call(["1"], {}) == "1"
    assert keys.of_call([None], {}) == keys.of_call(["None"], {})


def test_typed_keys_tell_a_number_from_its_text() -> None:
    keys = FunctionKeys(_one, typed=True)

    found = {keys.of_call([value], {}) for value in (1, "1", 1.0, True)}

    assert len(found) == 4


def test_an_argument_that_equals_its_default_need_not_be_given() -> None:
    keys = FunctionKeys(_default)

    assert keys.of_call(["x"], {}) == keys.of_call(["x", 1], {"c": ""})


def test_a_keyword_argument_is_the_parameter_it_names() -> None:
    keys = FunctionKeys(_default)

    assert keys.of_call(["x", 5], {}) == keys.of_call([], {"b": 5, "a": "x"})


def test_keywords_are_sorted_for_other_processes() -> None:
    keys = FunctionKeys(_any_keyword)
    given = dict.fromkeys("zyxwvutsrqponm", 1)

    assert keys.of_call([], given) == " ".join(f"\\{n}:1" for n in sorted(given))


def test_tags_come_before_the_arguments() -> None:
    assert FunctionKeys(_one, ["tag 1", 2]).of_call(["x"], {}) == "tag\\ 1 2 x"


def test_what_does_not_begin_with_the_tags_is_taken_as_it_is() -> None:
    assert FunctionKeys(_one, ["tag"]).of_flat(["other", "x y"], {}) == "other x\\ y"


@pytest.mark.parametrize("name", ["self", "cls"])
def test_the_first_parameter_is_left_out_by_its_name(name: str) -> None:
    made: dict[str, Any] = {}
    exec(f"def method({name}, a): ...", made)  # noqa: S102 - two names, one test

    keys = FunctionKeys(made["method"])

    assert takes_self(made["method"])
    assert keys.of_call([object(), "x"], {}) == keys.of_arguments(["x"], {}) == "x"


def test_a_long_key_is_kept_as_its_digest() -> None:
    short = shortened("k" * 10, "n" * 10, 20)
    long, other = shortened("k" * 11, "n" * 10, 20), shortened("l" * 11, "n" * 10, 20)

    assert short == "k" * 10
    assert long != other
    assert {len(long), len(other)} == {66}
    assert FunctionKeys(_one).of_call([long], {}) != long


def test_a_digest_is_made_of_any_text() -> None:
    assert shortened("\udcff", "", 0).startswith("\\#")


class _One:
    def method(self) -> None: ...


class _Other:
    def method(self) -> None: ...


def test_methods_of_one_name_in_two_classes_are_two_namespaces() -> None:
    one, other = function_namespace(_One.method), function_namespace(_Other().method)

    assert one == f"{__name__}|_One.method"
    assert other == f"{__name__}|_Other.method"


def test_the_namespaces_of_a_program_are_called_after_its_file(tmp_path: Path) -> None:
    code = (
        "from beaker.keys import function_namespace\n"
        "def load(): ...\n"
        "print(function_namespace(load))\n"
    )
    program, link = tmp_path / "program.py", tmp_path / "link.py"
    program.write_text(code)
    link.symlink_to(program)

    said = [
        subprocess.run(  # noqa: S603 - our own program
            [sys.executable, path], capture_output=True, text=True, check=True
        ).stdout
        for path in (program, link)
    ]

    assert said == [f"{program.resolve()}|load\n"] * 2
