"""Records: what goes in comes out, and what is damaged is told and never guessed."""

from __future__ import annotations

import math
import struct
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from beaker._caching.freshness import ABSENT, FRESH, STALE, Freshness
from beaker.exceptions import CorruptRecordError, UnserializableValueError
from beaker.records import HEADER, MAGIC, OBJECTS, RecordCodec, checked, record_of
from beaker.serializers import JSON

CODEC = RecordCodec()


@given(
    value=st.none() | st.text() | st.binary() | st.lists(st.integers()),
    expire=st.none() | st.floats(min_value=0, max_value=1e12),
    stored=st.floats(min_value=0, max_value=1e12),
)
@settings(max_examples=50)
def test_what_is_encoded_comes_back(
    value: Any, expire: float | None, stored: float
) -> None:
    record = record_of(value, expire, stored)

    assert CODEC.decode(CODEC.encode(value, expire, stored)) == record


def test_a_record_is_fresh_until_its_expiry() -> None:
    assert record_of("v", 60, 1000.0).fresh_until == 1060
    assert record_of("v", None, 1000.0).fresh_until == math.inf


def test_records_begin_as_nothing_of_1x_does() -> None:
    data = CODEC.encode("v", None, 0.0)

    assert data[:3] == MAGIC
    assert not MAGIC[:1].isascii()
    assert MAGIC[:1] not in (b"\x80", b"\x78")


@pytest.mark.parametrize("value", ["v", list(range(50)), None])
def test_a_record_that_is_cut_off_is_damaged(value: Any) -> None:
    data = CODEC.encode(value, 60, 1000.0)

    for length in range(len(data)):
        with pytest.raises(CorruptRecordError):
            CODEC.decode(data[:length])


def test_a_flipped_bit_is_damage() -> None:
    data = CODEC.encode({"a": [1, 2.5, "x" * 20]}, 60, 1000.0)

    for position in range(len(data)):
        for bit in range(8):
            flipped = bytearray(data)
            flipped[position] ^= 1 << bit
            with pytest.raises(CorruptRecordError):
                CODEC.decode(bytes(flipped))


@pytest.mark.parametrize(
    ("stored", "expire"),
    [
        (math.nan, 60.0),
        (math.inf, 60.0),
        (0.0, math.nan),
        (0.0, math.inf),
        (0.0, -math.inf),
        (0.0, -7.0),
    ],
)
def test_times_that_are_none_are_damage(stored: float, expire: float) -> None:
    data = checked(HEADER.pack(MAGIC, 0, 0, 0, stored, expire) + b"N.")

    with pytest.raises(CorruptRecordError, match="stored at"):
        CODEC.decode(data)


@pytest.mark.parametrize(("key", "reserved"), [(1, 0), (0, 1)])
def test_what_is_sealed_or_newer_is_not_decoded(key: int, reserved: int) -> None:
    data = checked(HEADER.pack(MAGIC, 0, key, reserved, 0.0, -1.0) + b"N.")

    with pytest.raises(CorruptRecordError, match="sealed with key"):
        CODEC.decode(data)


def test_a_record_is_read_by_the_serializer_that_wrote_it() -> None:
    data = RecordCodec(JSON).encode("v", None, 0.0)

    with pytest.raises(CorruptRecordError, match="written with serializer 1"):
        CODEC.decode(data)


@pytest.mark.parametrize("data", [b"", b"junk", "text", b"\x80\x04N.", MAGIC])
def test_what_is_no_record_is_told(data: Any) -> None:
    with pytest.raises(CorruptRecordError, match="not a readable record"):
        CODEC.decode(data)


def test_what_cannot_be_serialized_names_its_type() -> None:
    with pytest.raises(UnserializableValueError, match=r"'generator' .* 'pickle'"):
        CODEC.encode((n for n in "a"), None, 0.0)


def test_a_negative_expiry_does_not_mean_for_ever() -> None:
    decoded = CODEC.decode(CODEC.encode("v", -1, 1000.0))

    assert decoded.fresh_until == 1000


def test_the_header_has_a_fixed_size() -> None:
    assert HEADER.size == struct.calcsize(">3sBBBdd") == 22


def test_stores_of_objects_hold_the_very_record() -> None:
    value = ["v"]
    record = OBJECTS.encode(value, 60, 1000.0)

    assert OBJECTS.decode(record) is record
    assert record.value is value


# -- what a record is good for


@pytest.mark.parametrize(
    ("now", "state"),
    [
        (1000, FRESH),
        (1059, FRESH),
        (1060, STALE),
        (1119, STALE),
        (1120, ABSENT),
    ],
)
def test_a_record_is_served_as_stale_for_as_long_as_it_was_fresh(
    now: float, state: str
) -> None:
    assert Freshness().state(record_of("v", 60, 1000.0), now, None) is state


def test_a_long_lived_record_is_served_as_stale_for_five_minutes() -> None:
    record, freshness = record_of("v", 86400, 1000.0), Freshness()

    assert freshness.state(record, 87400 + 299, None) is STALE
    assert freshness.state(record, 87400 + 300, None) is ABSENT


def test_what_was_stored_before_starttime_is_absent_fresh_or_not() -> None:
    record, freshness = record_of("v", 60, 1000.0), Freshness()

    assert freshness.state(record, 1001, 1000.5) is ABSENT
    assert freshness.state(record, 1061, 1000.5) is ABSENT
    assert freshness.state(record, 1001, 1000.0) is FRESH


@pytest.mark.parametrize(
    ("grace", "expire", "ttl"),
    [
        (None, None, None),
        (None, 0, 0),
        (None, 60, 120),
        (None, 3600, 3900),
        (10, 60, 70),
        (0, 60, 60),
        (None, -5, 0),
    ],
)
def test_a_store_keeps_a_record_through_its_grace(
    grace: float | None, expire: float | None, ttl: float | None
) -> None:
    assert Freshness(grace).ttl(expire) == ttl
