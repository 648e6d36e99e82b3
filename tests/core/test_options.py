from __future__ import annotations

import os
from datetime import UTC, date, datetime
from typing import Any

import pytest

from beaker import options
from beaker.exceptions import InvalidOptionError


@pytest.mark.parametrize("word", ["true", "Yes", " on ", "y", "T", "1"])
def test_words_for_true_in_a_file_are_true(word: str) -> None:
    assert options.boolean("auto", word) is True


@pytest.mark.parametrize("word", ["false", "No", " off ", "n", "F", "0"])
def test_words_for_false_in_a_file_are_false(word: str) -> None:
    assert options.boolean("auto", word) is False


@pytest.mark.parametrize("value", ["maybe", "", 1.5, None, []])
def test_other_values_are_no_boolean(value: Any) -> None:
    with pytest.raises(InvalidOptionError, match="option 'auto' takes true or false"):
        options.boolean("auto", value)


@pytest.mark.parametrize("value", ["", " ", "a\0b", b"", None, 5])
def test_what_is_no_text_is_refused_by_name(value: Any) -> None:
    with pytest.raises(InvalidOptionError, match="option 'data_dir' takes text"):
        options.text("data_dir", value)


def test_bytes_that_are_no_unicode_are_kept_as_the_system_keeps_them() -> None:
    assert options.text("data_dir", b"d\xff") == os.fsdecode(b"d\xff")


def test_whole_seconds_stay_whole_for_clients_that_take_no_fractions() -> None:
    whole, fraction = options.seconds("expire", "60"), options.seconds("expire", "0.5")

    assert (type(whole), whole) == (int, 60)
    assert fraction == 0.5


@pytest.mark.parametrize("value", ["-1", "abc", "", "inf", "nan", True, None, [1]])
def test_what_is_no_duration_is_refused_by_name(value: Any) -> None:
    with pytest.raises(InvalidOptionError, match="option 'expire' takes a number of"):
        options.seconds("expire", value)


def test_one_secret_is_taken_as_it_is() -> None:
    assert options.secrets("secret", "a secret\n") == "a secret\n"


def test_secrets_in_a_file_stand_one_in_each_line() -> None:
    assert options.secrets("secret", "\n  new\n  old\n") == ["new", "old"]


@pytest.mark.parametrize("value", ["", "  ", b"", [], ["good", ""], 5])
def test_an_empty_secret_is_refused(value: Any) -> None:
    with pytest.raises(InvalidOptionError, match="option 'secret'"):
        options.secrets("secret", value)


def test_the_error_about_a_secret_does_not_tell_it() -> None:
    with pytest.raises(InvalidOptionError) as caught:
        options.secrets("secret", ["hunter2", ""])

    assert "hunter2" not in str(caught.value)


@pytest.mark.parametrize(
    "value",
    [
        "2030-01-31",
        date(2030, 1, 31),
        datetime(2030, 1, 31),  # noqa: DTZ001  # the point of this test
        "2030-01-31T01:00:00+01:00",
        datetime(2030, 1, 31, tzinfo=UTC).timestamp(),
    ],
)
def test_a_moment_without_a_zone_is_in_utc(value: Any) -> None:
    expected = datetime(2030, 1, 31, tzinfo=UTC).timestamp()

    assert options.moment("legacy_until", value) == expected


@pytest.mark.parametrize("value", ["tomorrow", "", None, True])
def test_what_is_no_date_is_refused_with_an_example(value: Any) -> None:
    with pytest.raises(InvalidOptionError, match="a date such as 2030-01-31"):
        options.moment("legacy_until", value)


def test_a_list_may_stand_in_a_line_or_in_several() -> None:
    assert options.listing("regions", "short, long") == ["short", "long"]
    assert options.listing("regions", "\nshort\nlong\n") == ["short", "long"]
    assert options.listing("regions", ("short", "long")) == ["short", "long"]


def test_a_choice_is_recognised_in_any_case() -> None:
    assert options.choice("Lax", "Strict")("samesite", "strict") == "Strict"


def test_a_wrong_choice_names_what_there_is_to_choose() -> None:
    with pytest.raises(InvalidOptionError, match="takes one of 'Lax', 'Strict', got"):
        options.choice("Lax", "Strict")("samesite", "loose")


def test_the_word_none_in_a_file_is_none_where_an_option_may_be() -> None:
    assert options.optional(options.text)("data_dir", "None") is None


@pytest.mark.parametrize("value", ["-1", "1.5", 1.5, "abc", None])
def test_what_is_no_whole_number_is_refused(value: Any) -> None:
    with pytest.raises(InvalidOptionError, match="a whole number from 0 on"):
        options.whole_number("key_length", value)


def test_a_slip_is_traced_to_the_nearest_name() -> None:
    assert options.did_you_mean("htponly", ["httponly", "secure"]) == "httponly"
    assert options.did_you_mean("colour", ["httponly", "secure"]) is None
