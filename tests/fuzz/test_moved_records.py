"""What lies in a store is believed in its own place, and nowhere else."""

from __future__ import annotations

from itertools import permutations
from typing import Any

import pytest

from beaker.cache import Cache
from beaker.exceptions import CorruptRecordError
from tests.core.sessions import again, contents, stored
from tests.fuzz.cookies import SIGNED, issued
from tests.fuzz.test_exploits import ENCRYPTED, SECRET, stores_but
from tests.stores.contents import Raw

#: What ties a record to its place. In 1.x nothing did, nor does without a secret.
PROTECTIONS: dict[str, dict[str, Any]] = {
    "signed": SECRET,
    "signed, json": {**SECRET, "data_serializer": "json"},
    "signed, strict": {**SECRET, "mode": "strict"},
    "encrypted": ENCRYPTED,
    "encrypted, strict": {**ENCRYPTED, "mode": "strict"},
}


def is_ours(options: dict[str, Any], id: str, user: str) -> bool:
    """Return whether the session of this id is read, and is of this visitor."""
    try:
        return contents(again(options, id)) == {"user": user}
    except CorruptRecordError:
        return False


@pytest.mark.parametrize("protection", PROTECTIONS)
@pytest.mark.parametrize("raw", stores_but("dbm"), indirect=True)
def test_a_record_that_was_copied_is_nobodys_session(raw: Raw, protection: str) -> None:
    options = {**raw.options, **PROTECTIONS[protection]}
    places: dict[str, tuple[str, Any, bytes]] = {}
    for user in ("ann", "bob", "eve"):
        before = raw.places()
        session = stored(options, user=user)
        place = raw.new_record(before)
        places[user] = session.id, place, raw.read(place) or b""

    for mine, theirs in permutations(places, 2):
        id_, place, _ = places[mine]
        raw.write(place, places[theirs][2])
        with pytest.raises(CorruptRecordError):
            again(options, id_)
        raw.write(place, places[mine][2])

    assert all(is_ours(options, id_, user) for user, (id_, _, _) in places.items())


@pytest.mark.parametrize("protection", PROTECTIONS)
@pytest.mark.parametrize("raw", stores_but("dbm"), indirect=True)
def test_what_was_written_for_another_purpose_is_no_session(
    raw: Raw, protection: str
) -> None:
    options = {**raw.options, **PROTECTIONS[protection]}
    before = raw.places()
    session = stored(options, user="ann")
    place = raw.new_record(before)
    before = raw.places()
    cache = Cache("namespace", **raw.options)
    cache.put(session.id, {"user": "eve"})
    cached = raw.read(raw.new_record(before)) or b""
    one_secret = {**SIGNED, "validate_key": SECRET["secret"]}

    for data in (cached, issued(one_secret, "eve").encode()):
        raw.write(place, data)
        with pytest.raises(CorruptRecordError):
            again(options, session.id)


@pytest.mark.parametrize("raw", stores_but("dbm"), indirect=True)
def test_a_session_in_the_place_of_a_cached_value_is_a_miss(raw: Raw) -> None:
    cache = Cache("namespace", **raw.options)
    before = raw.places()
    cache.put("key", "value")
    place = raw.new_record(before)
    before = raw.places()
    stored({**raw.options, **SECRET}, user="ann")
    session = raw.read(raw.new_record(before)) or b""

    raw.write(place, session)

    assert cache.get("key", createfunc=lambda: "created") == "created"
