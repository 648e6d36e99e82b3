"""Sessions that Beaker 1.x left in its collection: read, updated and ended there."""

from __future__ import annotations

import time
from collections.abc import Iterator
from typing import Any
from uuid import uuid4

import pytest
from bson import Binary

from beaker.testing._processes import fork, wait_for
from beaker_mongodb import MongoNamespaceManager
from tests.core.sessions import Visit
from tests.mongodb.conftest import Raw

OLD, NEW = b"as 1.x wrote it", b"as 2.x writes it"


@pytest.fixture
def old_id(raw: Raw) -> Iterator[str]:
    """The id of a session that 1.x wrote, beside that of another one."""
    name = uuid4().hex
    for each in (name, f"{name}x"):
        raw["backer_cache"].insert_one(
            {"_id": f"{each}:session", "value": Binary(OLD), "expiration": None}
        )
    yield name
    raw["backer_cache"].delete_many({})


def opened(url: str, name: str) -> MongoNamespaceManager:
    return MongoNamespaceManager(name, url, purpose="session", store_timeout=2)


@pytest.fixture
def session(mongodb_url: str, old_id: str) -> MongoNamespaceManager:
    return opened(mongodb_url, old_id)


def left(raw: Raw, old_id: str) -> dict[str, Any] | None:
    return raw["backer_cache"].find_one({"_id": f"{old_id}:session"})


def test_its_bytes_are_returned_as_they_are(session: MongoNamespaceManager) -> None:
    assert session.fetch("session") == OLD
    assert session.fetch_accessed("session") == (OLD, None)
    assert list(session.keys()) == ["session"]


def test_it_is_replaced_where_it_is(
    session: MongoNamespaceManager, raw: Raw, old_id: str
) -> None:
    assert not session.replace("session", None, NEW, 60)
    assert not session.replace("session", NEW, OLD, 60)
    assert session.replace("session", OLD, NEW, 60)
    assert not session.replace("session", OLD, NEW, 60)

    assert session.fetch("session") == NEW
    document = left(raw, old_id)
    assert document is not None
    # As 1.x reads it, and as the server reaps it.
    assert abs(document["expiration"] - time.time() - 60) < 5
    assert "expires_1" in raw["backer_cache"].index_information()
    assert left(raw, f"{old_id}x") == {
        "_id": f"{old_id}x:session",
        "value": OLD,
        "expiration": None,
    }


def test_it_is_marked_as_accessed(session: MongoNamespaceManager) -> None:
    assert session.touch("session", 60, 1234.5)

    assert session.fetch_accessed("session") == (OLD, 1234.5)


@pytest.mark.parametrize("end", ["discard", "drop"])
def test_it_ends_for_good(
    session: MongoNamespaceManager, raw: Raw, old_id: str, end: str
) -> None:
    if end == "discard":
        assert session.discard("session")
        assert not session.discard("session")
    else:
        session.drop()

    assert session.fetch("session") is None
    assert not session.touch("session", 60, 1234.5)
    assert not session.replace("session", OLD, NEW, 60)
    assert left(raw, old_id) is None
    assert left(raw, f"{old_id}x") is not None


def test_what_is_stored_in_its_place_is_a_record_of_2x(
    session: MongoNamespaceManager, raw: Raw, old_id: str
) -> None:
    session.store("session", NEW, 60)

    assert session.fetch("session") == NEW
    assert left(raw, old_id) is None


def test_a_cache_and_another_application_do_not_see_it(
    session: MongoNamespaceManager, mongodb_url: str
) -> None:
    name = session.namespace

    assert MongoNamespaceManager(name, mongodb_url).fetch("session") is None
    other = MongoNamespaceManager(name, mongodb_url, prefix="x", purpose="session")
    assert other.fetch("session") is None


def test_no_update_of_it_is_lost(
    session: MongoNamespaceManager, mongodb_url: str, raw: Raw, old_id: str
) -> None:
    raw["backer_cache"].update_one(
        {"_id": f"{old_id}:session"}, {"$set": {"value": Binary(b"0")}}
    )

    def count() -> bool:
        mine = opened(mongodb_url, old_id)
        for _ in range(20):
            while True:
                before = mine.fetch("session")
                assert before is not None
                if mine.replace("session", before, b"%d" % (int(before) + 1), 60):
                    break
        return True

    assert wait_for(fork(count) for _ in range(4))
    assert session.fetch("session") == b"80"


def test_one_that_was_ended_is_not_brought_back_by_a_late_save(
    mongodb_url: str, raw: Raw, old_id: str
) -> None:
    def save_for_ever() -> bool:
        mine = opened(mongodb_url, old_id)
        while True:
            before = mine.fetch("session")
            if before is None:
                return True
            mine.replace("session", before, before + b".", 60)

    children = [fork(save_for_ever) for _ in range(4)]
    time.sleep(0.3)
    mine = opened(mongodb_url, old_id)
    mine.discard("session")

    assert wait_for(children)
    assert mine.fetch("session") is None
    assert left(raw, old_id) is None


#: What Beaker 1.14.1 wrote for a session with two keys.
WRITTEN_BY_1X = (
    b"\x80\x04\x95\xc0\x00\x00\x00\x00\x00\x00\x00\x8c\xbcgAJ9cQAoWAcAAABfZG9tYWlucQ"
    b"FOWAUAAABfcGF0aHECWAEAAAAvcQNYDgAAAF9jcmVhdGlvbl90aW1lcQRHQdrA7bf/9LdYDgAAAF9hY2Nl"
    b"c3NlZF90aW1lcQVHQdrA7bf/9LdYBAAAAHVzZXJxBlgDAAAAYWRhcQdYBgAAAHZpc2l0c3EISwN1Lg==\x94."
)


def test_a_visitor_of_1x_stays_logged_in_until_he_logs_out(
    mongodb_url: str, raw: Raw, old_id: str
) -> None:
    raw["backer_cache"].update_one(
        {"_id": f"{old_id}:session"}, {"$set": {"value": Binary(WRITTEN_BY_1X)}}
    )
    visit = Visit(type="ext:mongodb", url=mongodb_url, store_timeout=2)
    visit.browser.cookies["sid"] = old_id

    def count(session: Any) -> str:
        session["visits"] += 1
        session.save()
        return f"{session['user']} {session['visits']}"

    assert visit.read(count) == "ada 4"
    assert visit.read(count) == "ada 5"
    visit.request(lambda session: session.delete())

    assert left(raw, old_id) is None
    assert visit.read(lambda session: session.get("user")) == "None"


def test_its_use_is_unknown_to_the_first_purge_and_known_to_later_ones(
    session: MongoNamespaceManager, raw: Raw, old_id: str
) -> None:
    list(session.purge_sessions(3600))
    list(session.purge_sessions(3600))
    still_there = session.fetch("session")
    raw["backer_cache"].update_one(
        {"_id": f"{old_id}:session", "accessed": {"$gt": time.time() - 60}},
        {"$set": {"accessed": time.time() - 7200}},
    )
    list(session.purge_sessions(3600))

    assert still_there == OLD
    assert left(raw, old_id) is None
    assert left(raw, f"{old_id}x") is not None


def test_the_ids_of_sessions_of_both_beakers_are_told(
    mongodb_url: str, old_id: str
) -> None:
    known = opened(mongodb_url, uuid4().hex)
    known.set_value("session", "data", 60)

    assert {old_id, known.namespace} <= set(known.session_ids())
