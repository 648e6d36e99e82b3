"""What takes bytes from strangers answers with a value or with a typed error."""

from __future__ import annotations

import json
import pickle
import zlib
from base64 import b64encode
from collections.abc import Callable
from functools import partial
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from beaker._sessions.envelopes import _unwrapped
from beaker._sessions.formerpayloads import FormerPayloads, load_bounded_json
from beaker._sessions.plaindata import load_plain
from beaker._sessions.records import SessionRecords, removed, removed_at
from beaker.exceptions import CorruptRecordError
from beaker.records import HEADER, MAGIC, RecordCodec, checked
from beaker.serializers import JSON
from beaker.signing import KeyRing, TextSigner
from beaker.util import PickleSerializer
from tests.fuzz.effort import efforts

plain = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text() | st.binary(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
    max_leaves=8,
)


@st.composite
def nearly(draw: st.DrawFn, whole: Callable[[Any], bytes]) -> bytes:
    """Bytes that mean something, but for one place; or that never did."""
    data = draw(st.binary(max_size=64)) if draw(st.booleans()) else whole(draw(plain))
    at = draw(st.integers(0, len(data)))
    cut = draw(st.integers(0, 3))
    return data[:at] + draw(st.binary(max_size=9)) + data[at + cut :]


def a_pickle(value: Any) -> bytes:
    return pickle.dumps(value, 2 + len(repr(value)) % 4)


def compressed(value: Any) -> bytes:
    return zlib.compress(repr(value).encode())


def a_payload(value: Any) -> bytes:
    return b64encode(a_pickle(value))


def a_record(value: Any) -> bytes:
    return RecordCodec(JSON).encode(repr(value), 60, 1.0)


#: What stands before the text of a value.
JSON_HEADER = RecordCodec(JSON).encode(0, None, 0.0)[: HEADER.size]


def a_session(value: Any) -> bytes:
    return MAGIC + bytes([0, 1, 1]) + b"\0" * 24 + a_pickle(value)


def text_of_json(value: Any) -> bytes:
    return json.dumps(repr(value)).encode()


#: Each decoder, with what makes bytes that it may take.
DECODERS: dict[str, tuple[Callable[[bytes], Any], Callable[[Any], bytes]]] = {
    "plain data": (load_plain, a_pickle),
    "envelopes of 1.x": (_unwrapped, a_pickle),
    "compressed JSON": (load_bounded_json, compressed),
    "cache records in JSON": (RecordCodec(JSON).decode, a_record),
    "JSON text": (
        lambda data: RecordCodec(JSON).decode(checked(JSON_HEADER + data)),
        text_of_json,
    ),
    "payloads of 1.x": (
        partial(
            FormerPayloads().decode, serializer=PickleSerializer(), is_trusted=False
        ),
        a_payload,
    ),
    "session records": (
        partial(SessionRecords(KeyRing([b"k"], "session record")).decode, b"place"),
        a_session,
    ),
    "unsigned session records": (partial(SessionRecords().decode, b""), a_session),
    "markers": (removed_at, lambda _: removed(1.0)),
}


@pytest.mark.parametrize("decoder", DECODERS)
@efforts(100, 10_000)
def test_any_bytes_are_a_value_or_a_typed_error(decoder: str, rounds: int) -> None:
    decode, whole = DECODERS[decoder]

    @given(data=nearly(whole))
    @settings(max_examples=rounds, deadline=None, database=None)
    def check(data: bytes) -> None:
        try:
            decode(data)
        except CorruptRecordError:
            return

    check()


@efforts(200, 20_000)
def test_any_text_is_an_id_that_was_signed_or_none(rounds: int) -> None:
    signer = TextSigner([b"one", b"two"], "here", reads_former=True)

    @given(text=st.text() | st.text("0123456789abcdef.", min_size=40, max_size=120))
    @settings(max_examples=rounds, deadline=None, database=None)
    def check(text: str) -> None:
        assert signer.verify(text) is None
        assert signer.verify(signer.sign("id") + text) is None or not text

    check()
