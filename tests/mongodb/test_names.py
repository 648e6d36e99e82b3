from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from beaker_mongodb.names import Names

#: Few letters, so that collisions would be found: those of our own ids.
texts = st.text(alphabet="01.:#csl$\0\ud800", max_size=12) | st.just("1" * 600)
purposes = st.sampled_from(["cache", "session", "lock"])
keys = st.tuples(purposes, texts, texts, texts)


def id_of(purpose: str, prefix: str, namespace: str, key: str) -> str:
    return Names(namespace, prefix, purpose).id(key)


@given(keys, keys)
def test_different_keys_have_different_ids(
    one: tuple[str, str, str, str], other: tuple[str, str, str, str]
) -> None:
    assert (id_of(*one) == id_of(*other)) == (one == other)


@given(keys)
def test_an_id_is_short_text(key: tuple[str, str, str, str]) -> None:
    assert len(id_of(*key).encode()) < 1100


@given(texts, texts, st.text(max_size=20) | texts)
def test_a_key_is_read_back_from_its_document(
    prefix: str, namespace: str, key: str
) -> None:
    names = Names(namespace, prefix, "cache")

    assert names.key_of({"_id": names.id(key), **names.fields(key)}) == key


@pytest.mark.parametrize(
    ("namespace", "expected"),
    [
        ("0123456789abcdef" * 2, "0123456789abcdef0123456789abcdef:session"),
        ("a:b", "a:b:session"),
        ("x" * 1016, f"{'x' * 1016}:session"),
        ("x" * 1017, f"{'x' * 1017}:fcbdc4c271c889825d8338d2d8f10b6e5e95c171"),
        ("\ud800", None),
    ],
)
def test_a_session_of_1x_is_where_1x_had_it(
    namespace: str, expected: str | None
) -> None:
    assert Names(namespace, "", "session").former("session") == expected


def test_a_cache_and_a_session_with_a_prefix_have_nothing_of_1x() -> None:
    assert Names("name", "", "cache").former("session") is None
    assert Names("name", "app:", "session").former("session") is None
