"""No two different argument lists share a key, and equal ones always do."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from beaker._caching.functions import keys_of_unknown
from beaker.keys import FunctionKeys, function_namespace, shortened, takes_self
from tests.core.calls import (
    FUNCTIONS,
    Call,
    any_keyword,
    has_defaults,
    keyword_only,
    meaning_of,
    positional,
    related_calls,
    takes_one,
    takes_surplus,
    takes_two,
    text_of,
    texts,
    typed_text_of,
)


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
    counts_by = typed_text_of if typed else text_of
    meanings = [
        (keys.of_call(*call), meaning, call)
        for call in chosen
        if (meaning := meaning_of(function, call, counts_by)) is not None
    ]

    for number, (key, meaning, call) in enumerate(meanings):
        for other_key, other_meaning, other in meanings[:number]:
            assert (key == other_key) == (meaning == other_meaning), (call, other)


@pytest.mark.parametrize("typed", [False, True])
@pytest.mark.parametrize("tags", [[], ["two words", 7]])
@pytest.mark.parametrize("function", FUNCTIONS)
@given(data=st.data())
@settings(max_examples=20, deadline=None)
def test_the_compiled_way_makes_the_same_keys(
    function: Callable[..., Any], tags: list[Any], typed: bool, data: st.DataObject
) -> None:
    args, kwargs = data.draw(related_calls(function))[0]
    limit = data.draw(st.sampled_from([20, 10_000]))
    keys = FunctionKeys(function, tags, typed=typed)

    key = keys.maker("namespace", limit)(tuple(args), kwargs)

    assert key == shortened(keys.of_call(args, kwargs), "namespace", limit)


@pytest.mark.parametrize("odd", ["", " ", "a b", "\\", "a\\ b", "%s", 30 * "x"])
@pytest.mark.parametrize("at", [0, 1])
def test_the_compiled_way_escapes_what_is_to_be(odd: str, at: int) -> None:
    args = (odd, "y") if at == 0 else ("x", odd)
    keys = FunctionKeys(takes_two, ["two words"])

    key = keys.maker("namespace", 40)(args, {})

    assert key == shortened(keys.of_call(args, {}), "namespace", 40)


@pytest.mark.parametrize(
    ("function", "one", "other"),
    [
        (takes_two, (["a b", "c"], {}), (["a", "b c"], {})),
        (takes_two, (["a\\", "b"], {}), (["a", "\\b"], {})),
        (takes_two, (["", "a"], {}), (["a", ""], {})),
        (takes_surplus, ([], {}), ([""], {})),
        (takes_surplus, ([0, "x"], {}), (["x"], {})),
        (has_defaults, (["x"], {"b": 5}), (["x", "\\b:5"], {})),
        (has_defaults, (["x", 5], {}), (["x"], {"c": 5})),
        (keyword_only, (["x"], {"k": "2 \\l:3"}), (["x"], {"k": 2, "l": 3})),
        (any_keyword, ([], {"b": "x:1"}), ([], {"b:x": 1})),
        (any_keyword, ([], {"?b": 1}), ([], {"b": 1})),
        (any_keyword, (["\\b:1"], {}), ([], {"b": 1})),
        (positional, ([5], {"a": 7}), ([6], {"a": 7})),
        (positional, ([0, 5], {}), ([], {"b": 5})),
        (positional, ([0, 5], {}), ([], {"b/": 5})),
        (positional, ([], {"a": 0}), ([], {})),
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
    key = FunctionKeys(takes_two, tags).of_call(args, {})

    found = keys_of_unknown("module|_two", [*tags, *args], 10_000)

    assert key in found or "" in tags


def test_arguments_are_told_apart_whatever_is_in_them() -> None:
    keys = FunctionKeys(takes_two)

    assert keys.of_call(["a b", "c"], {}) != keys.of_call(["a", "b c"], {})


def test_arguments_count_by_their_text() -> None:
    keys = FunctionKeys(takes_one)

    assert keys.of_call([1], {}) == keys.of_call(["1"], {}) == "1"
    assert keys.of_call([None], {}) == keys.of_call(["None"], {})


def test_typed_keys_tell_a_number_from_its_text() -> None:
    keys = FunctionKeys(takes_one, typed=True)

    found = {keys.of_call([value], {}) for value in (1, "1", 1.0, True)}

    assert len(found) == 4


def test_an_argument_that_equals_its_default_need_not_be_given() -> None:
    keys = FunctionKeys(has_defaults)

    assert keys.of_call(["x"], {}) == keys.of_call(["x", 1], {"c": ""})


def test_a_keyword_argument_is_the_parameter_it_names() -> None:
    keys = FunctionKeys(has_defaults)

    assert keys.of_call(["x", 5], {}) == keys.of_call([], {"b": 5, "a": "x"})


def test_keywords_are_sorted_for_other_processes() -> None:
    keys = FunctionKeys(any_keyword)
    given = dict.fromkeys("zyxwvutsrqponm", 1)

    assert keys.of_call([], given) == " ".join(f"\\{n}:1" for n in sorted(given))


def test_tags_come_before_the_arguments() -> None:
    assert FunctionKeys(takes_one, ["tag 1", 2]).of_call(["x"], {}) == "tag\\ 1 2 x"


def test_what_does_not_begin_with_the_tags_is_taken_as_it_is() -> None:
    assert (
        FunctionKeys(takes_one, ["tag"]).of_flat(["other", "x y"], {}) == "other x\\ y"
    )


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
    assert FunctionKeys(takes_one).of_call([long], {}) != long


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
