"""What the reference tells of sessions, on every store."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from beaker.exceptions import UnserializableValueError
from beaker.session import Session, SessionObject
from tests.core.sessions import Visit, again, contents, setting, stored

Options = dict[str, Any]


@pytest.fixture
def visit(store: Options) -> Visit:
    """A browser and an application with sessions in a store."""
    return Visit(**store)


def test_what_was_saved_is_there_with_the_next_request(visit: Visit) -> None:
    visit.request(setting(name="Fred Smith", user_id=10))

    assert visit.read(contents) == "{'name': 'Fred Smith', 'user_id': 10}"


def test_what_was_not_saved_is_not(visit: Visit) -> None:
    visit.request(setting(name="Fred"))

    visit.request(lambda session: session.update(name="Ann", age=3))

    assert visit.read(contents) == "{'name': 'Fred'}"


def test_a_session_that_is_only_read_sends_no_cookie(visit: Visit) -> None:
    response = visit.request(lambda session: "logged_in" in session)

    assert response.body == "False"
    assert response.cookie == ""


def test_the_cookie_is_sent_once(visit: Visit) -> None:
    first = visit.request(setting(n=1))
    second = visit.request(setting(n=2))

    assert first.cookie.startswith("sid=")
    assert second.cookie == ""


def test_persist_saves_at_once(visit: Visit) -> None:
    def act(session: SessionObject) -> object:
        session["n"] = 1
        session.save()
        session.persist()
        found = session.get_by_id(session.id)
        return found and found["n"]

    assert visit.read(act) == "1"


def test_an_automatic_session_needs_no_save(store: Options) -> None:
    visit = Visit(**store, auto=True)

    visit.request(lambda session: session.update(n=1))

    assert visit.read(contents) == "{'n': 1}"


def test_an_automatic_session_that_was_written_and_emptied_is_empty(
    store: Options,
) -> None:
    def write_and_empty(session: Any) -> None:
        session["user"] = "ann"
        session.persist()
        session.clear()

    visit = Visit(**store, auto=True)
    visit.request(write_and_empty)

    assert visit.read(contents) == "{}"


def test_an_automatic_session_that_holds_nothing_is_not_made(store: Options) -> None:
    visit = Visit(**store, auto=True)

    assert visit.request(lambda session: session.get("n")).cookie == ""


def test_delete_removes_the_session_and_its_cookie(visit: Visit) -> None:
    visit.request(setting(n=1))
    known = visit.read(lambda session: session.id)

    response = visit.request(lambda session: session.delete())

    assert response.cookie.startswith("sid=; expires=Thu, 01-Jan-1970 00:00:00 GMT")
    assert visit.read(lambda session: session.get_by_id(known)) == "None"
    assert visit.read(contents) == "{}"


def test_delete_can_be_followed_by_nothing(visit: Visit) -> None:
    visit.request(setting(n=1))
    before = visit.browser.sharing_cookies()

    def act(session: Any) -> None:
        session.delete()
        session["n"] = 2
        session.save()

    visit.request(act)

    assert visit.read(contents, before) == "{}"


def test_invalidate_begins_a_new_session(visit: Visit) -> None:
    visit.request(setting(n=1))
    former = visit.read(lambda session: session.id)

    def act(session: Any) -> None:
        session.invalidate()
        session["n"] = 2
        session.save()

    response = visit.request(act)

    assert response.cookie.startswith("sid=")
    assert visit.read(contents) == "{'n': 2}"
    assert visit.read(lambda session: session.id) != former
    assert visit.read(lambda session: session.get_by_id(former)) == "None"


def test_invalidate_alone_lets_the_browser_forget(visit: Visit) -> None:
    visit.request(setting(n=1))

    visit.request(lambda session: session.invalidate())
    visit.request(setting(n=2))

    assert visit.read(contents) == "{'n': 2}"


def test_revert_returns_to_what_was_stored(visit: Visit) -> None:
    visit.request(setting(items=[1], name="Ann"))

    def act(session: Any) -> object:
        session["items"].append(2)
        del session["name"]
        session["other"] = True
        session.revert()
        return contents(session)

    assert visit.read(act) == "{'items': [1], 'name': 'Ann'}"


@pytest.mark.parametrize("rotate", [False, True])
def test_revert_returns_to_what_was_found_whatever_was_saved_since(
    visit: Visit, rotate: bool
) -> None:
    visit.request(setting(n=1, items=[1]))

    def act(session: Any) -> object:
        session["n"] = 2
        session["items"].append(2)
        session.save()
        session.persist()
        if rotate:
            session.regenerate_id()
        session["n"] = 3
        session.revert()
        return contents(session)

    assert visit.read(act) == "{'n': 1, 'items': [1]}"
    assert visit.read(contents) == "{'n': 1, 'items': [1]}"


def test_revert_empties_a_session_that_began_with_this_request(visit: Visit) -> None:
    def act(session: Any) -> object:
        session["n"] = 1
        session.save()
        session.persist()
        session.revert()
        return contents(session)

    assert visit.read(act) == "{}"


def test_regenerate_id_keeps_the_data_and_kills_the_old_id(visit: Visit) -> None:
    visit.request(setting(n=1))
    former = visit.read(lambda session: session.id)
    thief = visit.browser.sharing_cookies()

    response = visit.request(lambda session: session.regenerate_id())

    assert response.cookie.startswith("sid=")
    assert visit.read(contents) == "{'n': 1}"
    assert visit.read(contents, thief) == "{}"
    assert visit.read(lambda session: session.get_by_id(former)) == "None"


def test_regenerate_id_then_save_keeps_what_was_changed(visit: Visit) -> None:
    visit.request(setting(n=1))

    def log_in(session: Any) -> None:
        session.regenerate_id()
        session["user"] = "ann"
        session.save()

    visit.request(log_in)

    assert visit.read(contents) == "{'n': 1, 'user': 'ann'}"


def test_get_by_id_finds_another_session_and_none_that_is_not(visit: Visit) -> None:
    visit.request(setting(n=7))
    known = visit.read(lambda session: session.id)
    visit.browser.cookies.clear()

    def act(session: SessionObject) -> object:
        other = session.get_by_id(known)
        return other and other["n"], session.get_by_id("0" * 32)

    assert visit.read(act) == "(7, None)"


def test_a_deleted_key_is_gone_after_save(visit: Visit) -> None:
    visit.request(setting(a=1, b=2))

    def act(session: Any) -> None:
        del session["a"]
        session.save()

    visit.request(act)

    assert visit.read(contents) == "{'b': 2}"


def test_clear_then_save_removes_what_was_loaded(visit: Visit) -> None:
    visit.request(setting(a=1, b=2))

    def act(session: Any) -> None:
        session.clear()
        session["c"] = 3
        session.save()

    visit.request(act)

    assert visit.read(contents) == "{'c': 3}"


def test_the_special_keys_and_attributes(visit: Visit) -> None:
    def act(session: Any) -> object:
        return (
            session.is_new,
            session.last_accessed is None,
            session["_creation_time"] == session.created,
            len(session.id),
            "_accessed_time" in session,
        )

    visit.request(setting(n=1))

    assert Visit(type="memory").read(act) == "(True, True, True, 32, True)"
    assert visit.read(act) == "(False, False, True, 32, True)"


@pytest.mark.parametrize(
    ("given", "meant"),
    [({}, "memory"), ({"data_dir": "d"}, "file"), ({"type": "null"}, "null")],
)
def test_a_session_knows_its_type(
    given: Options, meant: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)

    assert Session({}, **given).type == meant


def test_a_value_that_cannot_be_stored_is_told_and_loses_nothing(
    store: Options,
) -> None:
    known = stored(store, name="Ann").id
    session = again(store, known)
    session["name"] = "Eve"
    session["bad"] = lambda: None

    told = "'function' under the key 'bad' .* 'pickle'"
    with pytest.raises(UnserializableValueError, match=told):
        session.save()

    assert again(store, known)["name"] == "Ann"


def test_a_session_without_cookies_is_loaded_saved_and_cleared(store: Options) -> None:
    progress = Session({}, "abc.progress.import", use_cookies=False, **store)
    progress["done"] = 1
    progress.save()

    seen = again(store, "abc.progress.import")
    progress["done"] = 2
    progress.save()
    seen.load()

    assert seen["done"] == 2
    seen.clear()
    seen.save()
    assert contents(again(store, "abc.progress.import")) == {}


def test_json_is_a_serializer_for_every_store(store: Options) -> None:
    visit = Visit(**store, data_serializer="json")

    visit.request(setting(items=[1, "two", None]))

    assert visit.read(contents) == "{'items': [1, 'two', None]}"


def test_encrypted_data_do_not_lie_in_the_open(store: Options) -> None:
    from beaker.crypto import CRYPTO_MODULES, register_crypto_module
    from tests.core.sessions import ToySeal

    register_crypto_module("toy", ToySeal())
    try:
        options = {**store, "encrypt_key": "k" * 20, "crypto_type": "toy"}
        session = stored(options, word="plainly visible")
        kept = session._stored.store.fetch("session")

        assert again(options, session.id)["word"] == "plainly visible"
        assert b"plainly visible" not in getattr(kept, "value", kept)
    finally:
        del CRYPTO_MODULES["toy"]
