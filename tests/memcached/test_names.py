from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from beaker_memcached.items import NEVER, PAST, Item, expiry, read
from beaker_memcached.names import CacheNames, SessionNames

#: Few letters, so that collisions would be found: those of our own names.
texts = st.text(alphabet="ab _:#@2s\0\r\nÂ·\ud800", max_size=12)
caches = st.tuples(st.just("cache"), texts, texts)
sessions = st.tuples(st.just("session"), texts, st.just("session"))
any_text = st.text(alphabet=st.characters(), max_size=300)


def every_name(purpose: str, namespace: str, key: str, prefix: str = "") -> list[str]:
    made: CacheNames | SessionNames = SessionNames(namespace, prefix)
    shared = []
    if purpose == "cache":
        made = CacheNames(namespace, prefix)
        shared = [made.generation]
    record = made.record(key)
    return [record, made.lease(record), made.accessed(record), *shared]


@given(caches | sessions, caches | sessions)
def test_different_keys_have_different_names(
    one: tuple[str, str, str], other: tuple[str, str, str]
) -> None:
    # The generation is that of all keys.
    is_one_cache = one[0] == "cache" and one[:2] == other[:2]
    shared = {every_name(*one)[-1]} if is_one_cache else set()

    common = set(every_name(*one)) & set(every_name(*other)) - shared

    assert bool(common) == (one == other)


@given(st.sampled_from(["cache", "session"]), any_text, any_text, any_text)
def test_every_name_is_one_that_memcached_takes(
    purpose: str, namespace: str, key: str, prefix: str
) -> None:
    for name in every_name(purpose, namespace, key, prefix):
        encoded = name.encode()
        assert 0 < len(encoded) <= 250
        assert not any(byte <= 32 or byte == 127 for byte in encoded)


@pytest.mark.parametrize("prefix", ["shop:", "my shop\n", "x" * 300])
def test_a_prefix_keeps_names_apart(prefix: str) -> None:
    for purpose in ("cache", "session"):
        with_it = every_name(purpose, "namespace", "session", prefix)

        assert not set(with_it) & set(every_name(purpose, "namespace", "session"))


@given(
    st.binary(min_size=16, max_size=16),
    st.none() | st.binary(max_size=50),
    st.floats(min_value=0, allow_infinity=False),
    st.text(alphabet="0123456789abcdef", max_size=32),
)
def test_an_item_is_read_as_it_was_written(
    generation: bytes, data: bytes | None, ends: float, token: str
) -> None:
    item = Item(generation, data, ends, token)

    assert read(item.packed()) == item


@given(st.none() | st.binary(max_size=100))
def test_what_is_no_item_is_told(stored: bytes | None) -> None:
    item = read(stored)

    assert item is None or item.packed()[:1] == b"\x02"


@pytest.mark.parametrize(
    ("ttl", "least", "most"),
    [(0.001, 2, 2), (1, 2, 2), (60, 61, 61), (30 * 86400 - 1, PAST - 1, PAST - 1)],
)
def test_an_expiry_is_never_too_soon(ttl: float, least: int, most: int) -> None:
    assert least <= expiry(ttl) <= most


def test_what_never_expires_and_what_memcached_cannot_count_is_kept() -> None:
    assert expiry(None) == NEVER
    assert expiry(1e15) == NEVER
    assert 10**9 < expiry(40 * 86400) < 2**31
