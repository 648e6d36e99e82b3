"""Sessions of Beaker 1.x: read, and in compat mode written."""

from __future__ import annotations

import datetime as dt
import pickle
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from beaker._sessions.formerpayloads import load_bounded_json
from beaker.exceptions import CorruptRecordError
from beaker.session import CookieSession, Session
from beaker.util import JsonSerializer
from tests.core.sessions import (
    FORMER_COOKIE,
    FORMER_ID,
    FORMER_JSON_COOKIE,
    FORMER_PAYLOAD,
    FORMER_TIME,
    KEY,
    STRONG,
    SharedMemory,
    again,
    contents,
    sent,
    signed_anew,
    stored,
)
from tests.core.test_session_trust import Exploit, Own, kept, put

Options = dict[str, Any]

FORMER_DATA = {
    "user": "ann",
    "n": [1, 2],
    "raw": b"\x00\xff",
    "day": dt.date(2020, 1, 2),
}


@pytest.fixture
def shared() -> Iterator[Options]:
    """The options of sessions in a store that others can write."""
    SharedMemory.namespaces.clear()
    yield {"namespace_class": SharedMemory, "secret": STRONG}
    SharedMemory.namespaces.clear()


def former(options: Options, stored: bytes) -> Session:
    """Return a session after these bytes were put in its place."""
    session = Session({}, FORMER_ID, use_cookies=False, **options)
    put(session, stored)
    return again(options, FORMER_ID)


LAYOUTS = {
    "a value": pickle.dumps(FORMER_PAYLOAD, 4),
    "a namespace": pickle.dumps({"session": FORMER_PAYLOAD}, 5),
    "text": FORMER_PAYLOAD.encode(),
}

# -- from a store


@pytest.mark.parametrize("layout", LAYOUTS)
def test_a_stored_session_is_read(shared: Options, layout: str) -> None:
    session = former(shared, LAYOUTS[layout])

    assert contents(session) == FORMER_DATA
    assert session.created == session.last_accessed == FORMER_TIME


def test_a_session_of_1_is_read_from_its_file(tmp_path: Path) -> None:
    place = tmp_path / "container_file" / FORMER_ID[:1] / FORMER_ID[:2]
    place.mkdir(parents=True, mode=0o700)
    (place / f"{FORMER_ID}.cache").write_bytes(LAYOUTS["a namespace"])

    session = again({"type": "file", "data_dir": str(tmp_path)}, FORMER_ID)

    assert contents(session) == FORMER_DATA


def test_it_stays_as_it_is_until_it_is_saved(shared: Options) -> None:
    session = former(shared, LAYOUTS["a value"])

    session.save(accessed_only=True)
    assert kept(session) == LAYOUTS["a value"]

    session["n"].append(3)
    session.save()
    found = again({**shared, "mode": "strict"}, FORMER_ID)
    assert contents(found) == {**FORMER_DATA, "n": [1, 2, 3]}
    assert found.created == FORMER_TIME


def test_strict_mode_and_a_date_end_it(shared: Options) -> None:
    for ending in ({"mode": "strict"}, {"legacy_until": "2020-01-01"}):
        with pytest.raises(CorruptRecordError, match=r"Beaker 1\.x is no longer"):
            former({**shared, **ending}, LAYOUTS["a value"])


@pytest.mark.parametrize("value", [Exploit(), Own()])
def test_it_may_hold_plain_data_only(shared: Options, value: object) -> None:
    from base64 import b64encode

    payload = b64encode(pickle.dumps({"value": value}, 2)).decode()

    with pytest.raises(CorruptRecordError):
        former(shared, pickle.dumps(payload))
    with pytest.raises(CorruptRecordError):
        former(shared, pickle.dumps({"session": value}))


@pytest.mark.parametrize(
    "garbage",
    [b"", b"x", b"\x80", b"\x80\x04N.", pickle.dumps(7), pickle.dumps({"session": 1})],
)
def test_garbage_is_a_typed_error(shared: Options, garbage: bytes) -> None:
    with pytest.raises(CorruptRecordError):
        former(shared, garbage)


def test_absurdly_large_json_is_refused() -> None:
    with pytest.raises(CorruptRecordError, match="more than"):
        load_bounded_json(JsonSerializer().dumps("x" * 3_000_000))


# -- from a cookie


COOKIE, JSON_COOKIE = signed_anew(FORMER_COOKIE), signed_anew(FORMER_JSON_COOKIE)


def former_cookie(cookie: str, **options: Any) -> CookieSession:
    given = {"key": KEY, "validate_key": STRONG, **options}
    return CookieSession({"cookie": f"{KEY}={cookie}"}, **given)


def test_a_cookie_session_is_read_and_written_anew() -> None:
    session = former_cookie(COOKIE)

    assert contents(session) == FORMER_DATA
    assert (session.id, session.created) == (FORMER_ID, FORMER_TIME)
    session.save()
    cookie = sent(session.request).partition("=")[2]
    assert contents(former_cookie(cookie, mode="strict")) == FORMER_DATA


def test_a_cookie_with_json_is_read() -> None:
    session = former_cookie(JSON_COOKIE, data_serializer="json")

    assert contents(session) == {"user": "ann", "n": [1, 2]}


def test_strict_mode_refuses_a_cookie_of_1() -> None:
    with pytest.raises(CorruptRecordError, match="no longer"):
        former_cookie(COOKIE, mode="strict")


def test_no_changed_character_of_a_cookie_of_1_is_accepted() -> None:
    for at in range(len(COOKIE)):
        other = "A" if COOKIE[at] != "A" else "B"
        cookie = COOKIE[:at] + other + COOKIE[at + 1 :]
        with pytest.raises(CorruptRecordError):
            former_cookie(cookie)


# -- in compat mode


@pytest.mark.parametrize("type", ["file", "dbm"])
def test_compat_mode_writes_what_1_wrote(type: str, tmp_path: Path) -> None:
    options = {"type": type, "data_dir": str(tmp_path), "mode": "compat"}
    session = stored(options, n=1)

    raw = pickle.loads(kept(session))
    payload = raw["session"] if type == "file" else raw

    assert set(session._decrypt_data(payload)) == {
        *("n", "_creation_time", "_accessed_time"),
    }
    assert contents(again({**options, "mode": "migrate"}, session.id)) == {"n": 1}


def test_compat_mode_merges_too(shared: Options) -> None:
    options = {**shared, "mode": "compat"}
    known = stored(options, a=1).id
    one, other = again(options, known), again(options, known)
    one["b"], other["c"] = 2, 3

    one.save()
    other.save()

    assert contents(again(options, known)) == {"a": 1, "b": 2, "c": 3}


def test_compat_mode_keeps_use_where_1_looks_for_it(shared: Options) -> None:
    options = {**shared, "mode": "compat"}
    known = stored(options, a=1).id
    before = again(options, known)

    before.save(accessed_only=True)

    payload = pickle.loads(kept(before))
    assert before._decrypt_data(payload)["_accessed_time"] > before.last_accessed


def test_compat_mode_signs_the_id_as_1_did(shared: Options) -> None:
    request: Options = {}
    session = Session(request, key=KEY, mode="compat", **shared)
    session["n"] = 1
    session.save()

    assert sent(request).endswith(session.id)
    assert len(sent(request)) == len(f"{KEY}=") + 40 + 32
    for mode in ("compat", "migrate"):
        answer = {"cookie": sent(request)}
        assert Session(answer, key=KEY, mode=mode, **shared)["n"] == 1


def test_compat_mode_signs_an_id_anew_that_2_had_signed(shared: Options) -> None:
    first: Options = {}
    session = Session(first, key=KEY, **shared)
    session["n"] = 1
    session.save()
    request = {"cookie": sent(first)}

    Session(request, key=KEY, mode="compat", **shared).save(accessed_only=True)

    assert len(sent(request)) == len(f"{KEY}=") + 40 + 32
    again = {"cookie": sent(request)}
    Session(again, key=KEY, mode="compat", **shared).save(accessed_only=True)
    assert not again.get("set_cookie")


def test_a_compat_cookie_is_one_of_1() -> None:
    options = {"key": KEY, "validate_key": "v" * 20, "mode": "compat"}
    session = CookieSession({}, **options)
    session["n"] = 1
    session.save()

    cookie = sent(session.request).partition("=")[2]
    assert set(cookie[:40]) <= set("0123456789abcdef")
    assert contents(CookieSession({"cookie": sent(session.request)}, **options)) == {
        "n": 1
    }
