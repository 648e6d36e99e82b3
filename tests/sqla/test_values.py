"""Large values, and odd names, as databases are known to stumble over them."""

from __future__ import annotations

import os

import pytest

from tests.sqla.conftest import OpenNamespace

#: As large as MariaDB takes it without being told to take more.
LARGE = 16_000_000


@pytest.mark.parametrize("purpose", ["cache", "session"])
def test_16_megabytes_are_a_value(open_namespace: OpenNamespace, purpose: str) -> None:
    store = open_namespace("id", purpose=purpose, store_timeout=60)
    one, other = os.urandom(LARGE), os.urandom(LARGE)

    store.store("session", one, 60)
    assert store.fetch("session") == one
    assert not store.replace("session", other, b"wrong", 60)
    assert store.replace("session", one, other, 60)
    assert store.fetch("session") == other
    store.discard("session")


def test_many_large_values_are_stored_at_once(open_namespace: OpenNamespace) -> None:
    store = open_namespace(store_timeout=60)
    records = {f"key {number}": os.urandom(1_000_000) for number in range(30)}

    store.store_many(records, 60)

    assert store.fetch_many(records) == records
    store.drop()


def test_keys_of_ten_thousand_characters_are_told_apart(
    open_namespace: OpenNamespace,
) -> None:
    start = "\N{SNOWMAN}\0%s" * 2500
    store = open_namespace(start)

    store.store_many({start + "a": b"a", start + "b": b"b"}, 60)

    assert store.fetch(start + "a") == b"a"
    assert set(store.keys()) == {start + "a", start + "b"}
    assert open_namespace(start + "a").fetch(start + "a") is None


@pytest.mark.parametrize("value", [b"", b"\0", b"%s %(x)s :x", bytes(range(256)) * 9])
def test_bytes_come_back_as_they_were(
    open_namespace: OpenNamespace, value: bytes
) -> None:
    for purpose in ("cache", "session"):
        store = open_namespace("id", purpose=purpose)
        store.store("session", b"before", 60)

        assert store.replace("session", b"before", value, 60)
        assert store.fetch("session") == value
        assert store.replace("session", value, b"after", 60)
