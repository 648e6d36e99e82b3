from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from redis.crc import key_slot

from beaker_redis.names import Names

#: Few letters, so that collisions would be found: those of our own names.
texts = st.text(alphabet="ab:{}#@!12s\0\ud800", max_size=12)
# A session's namespace holds one record, under this key.
names = st.tuples(st.sampled_from(["cache", "lock"]), texts, texts) | st.tuples(
    st.just("session"), texts, st.just("session")
)


def every_name(purpose: str, namespace: str, key: str, prefix: str = "") -> list[bytes]:
    made = Names(namespace, prefix, purpose)
    index = [] if made.index is None else [made.index]
    return [
        made.record(key),
        made.lease(key),
        made.accessed(key),
        made.wake(key),
        *index,
    ]


@given(names, names)
def test_different_keys_have_different_names(
    one: tuple[str, str, str], other: tuple[str, str, str]
) -> None:
    # The index is that of all keys.
    shared = {Names(one[1], "", one[0]).index} if one[:2] == other[:2] else set()

    common = set(every_name(*one)) & set(every_name(*other)) - shared

    assert bool(common) == (one == other)


@given(names, st.sampled_from(["", "app:", "{app}:", "a-b/"]))
def test_what_belongs_to_a_record_is_in_its_slot(
    name: tuple[str, str, str], prefix: str
) -> None:
    slots = {key_slot(one) for one in every_name(*name, prefix=prefix)}

    assert len(slots) == 1


@given(texts, texts, texts)
def test_all_names_of_a_cache_are_in_one_slot(
    namespace: str, one: str, other: str
) -> None:
    made = [
        *every_name("cache", namespace, one),
        *every_name("cache", namespace, other),
    ]

    assert len({key_slot(name) for name in made}) == 1


@given(texts, st.text(max_size=20))
def test_a_key_is_read_back_from_its_name(namespace: str, key: str) -> None:
    made = Names(namespace, "app:", "cache")

    assert made.key_of(made.record(key)) == key


@given(names)
def test_every_name_can_be_told_by_its_beginning(name: tuple[str, str, str]) -> None:
    starts = (b"app:beaker_cache:", b"{app:beaker_cache:")

    assert all(one.startswith(starts) for one in every_name(*name, prefix="app:"))


@pytest.mark.parametrize(
    ("namespace", "name"),
    [
        (
            "0123456789abcdef" * 2,
            "beaker_cache:0123456789abcdef0123456789abcdef:session",
        ),
        ("sid.progress.key", "beaker_cache:sid.progress.key:session"),
        ("x" * 1003, f"beaker_cache:{'x' * 1003}:session"),
        (
            "x" * 1004,
            f"beaker_cache:{'x' * 1004}:fcbdc4c271c889825d8338d2d8f10b6e5e95c171",
        ),
    ],
)
def test_a_session_is_where_1x_had_it(namespace: str, name: str) -> None:
    assert Names(namespace, "", "session").record("session") == name.encode()
