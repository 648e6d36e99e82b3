"""A damaged record is a miss for a cache, a typed error for a session, and no more."""

from __future__ import annotations

from collections.abc import Iterator
from random import Random
from typing import Any

import pytest

from beaker.cache import Cache
from beaker.exceptions import CorruptRecordError
from tests.core.sessions import STRONG, again, contents, stored
from tests.fuzz.effort import efforts
from tests.stores.contents import Raw

VALUE = {"name": "ann", "roles": ["reader", "writer"], "n": [1, 2.5, None, b"\0\xff"]}

#: How sessions are protected; without a secret, what is damaged may be read.
PROTECTIONS = {
    "signed": {"secret": STRONG, "mode": "strict"},
    "encrypted": {
        "secret": STRONG,
        "validate_key": "p9Rw_5nVk-1cJhXf4sQe",
        "encrypt_key": STRONG[::-1],
        "crypto_type": "cryptography",
    },
    "unsigned": {},
}


def flipped(data: bytes, count: int) -> Iterator[bytes]:
    """Return data so many times, each time with a bit changed, here or there."""
    chance = Random(len(data))  # noqa: S311  # to be repeated, not secret
    for _ in range(count):
        at = chance.randrange(len(data))
        yield data[:at] + bytes([data[at] ^ 1 << chance.randrange(8)]) + data[at + 1 :]


def cut_off(data: bytes) -> Iterator[bytes]:
    """Return data cut off at each place."""
    return (data[:length] for length in range(len(data)))


class DamagedCache:
    """A cache with a value whose record is damaged, and another beside it."""

    def __init__(self, raw: Raw) -> None:
        self.raw, self.cache = raw, Cache("namespace", **raw.options)
        self.cache.put("neighbour", "as it was")
        before = raw.places()
        self.cache.put("key", VALUE)
        self.place = raw.new_record(before)
        self.data = raw.read(self.place) or b""

    def value_after(self, damage: bytes) -> Any:
        """Return what is read then, and see that all else goes on as before."""
        self.raw.write(self.place, damage)
        found = self.cache.get("key", createfunc=lambda: "created")
        self.cache.put("key", VALUE)
        assert self.cache.get("key") == VALUE
        assert self.cache.get("neighbour") == "as it was"
        return found


def test_a_value_that_was_cut_off_is_created_anew(damaged: Raw) -> None:
    cache = DamagedCache(damaged)

    for damage in cut_off(cache.data):
        assert cache.value_after(damage) == "created"


@efforts(200, 10_000)
def test_after_a_flipped_bit_the_value_is_as_it_was_or_made_anew(
    damaged: Raw, rounds: int
) -> None:
    cache = DamagedCache(damaged)

    found = [cache.value_after(damage) for damage in flipped(cache.data, rounds)]

    assert all(one in (VALUE, "created") for one in found)
    assert found.count("created") > rounds / 2


@pytest.mark.parametrize("protection", PROTECTIONS)
@efforts(100, 10_000)
def test_a_damaged_session_is_a_typed_error_or_a_new_session(
    damaged: Raw, protection: str, rounds: int
) -> None:
    options = {**damaged.options, **PROTECTIONS[protection], "use_cookies": False}
    neighbour = stored(options, user="eve")
    before = damaged.places()
    session = stored(options, user="ann", roles=["reader"])
    place = damaged.new_record(before)
    data = damaged.read(place) or b""

    for damage in (*cut_off(data), *flipped(data, rounds)):
        damaged.write(place, damage)
        refused = is_refused(options, session.id)
        assert refused
        replaced = again({**options, "invalidate_corrupt": True}, session.id)
        # What is damaged may be mended yet: its id is left to it.
        assert (replaced.is_new, replaced.id != session.id) == (refused, refused)
        assert damaged.read(place) == damage

    damaged.write(place, data)
    assert contents(again(options, session.id))["user"] == "ann"
    assert contents(again(options, neighbour.id)) == {"user": "eve"}


def is_refused(options: dict[str, Any], id: str) -> bool:
    """Return whether the session of this id is a typed error."""
    try:
        again(options, id)
    except CorruptRecordError:
        return True
    return False
