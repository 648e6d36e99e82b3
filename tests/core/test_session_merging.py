"""Requests at the same time: nothing is lost, and gone is gone."""

from __future__ import annotations

import threading
from collections.abc import Callable
from functools import partial
from typing import Any

import pytest

from beaker._sessions.merging import changes
from beaker.serializers import JSON, PICKLE
from beaker.session import Session
from beaker.testing._processes import fork, wait_for
from tests.core.sessions import Visit, again, contents, setting, stored

Options = dict[str, Any]

# -- the difference of two dictionaries


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ({"a": 1}, {"a": True}),
        ({"a": 1}, {"a": 1.0}),
        ({"a": [1]}, {"a": [1, 2]}),
        ({"a": {"b": []}}, {"a": {"b": [0]}}),
        ({"a": None}, {"a": 0}),
        ({}, {"a": None}),
    ],
)
def test_what_serializes_differently_has_changed(
    before: dict[str, Any], after: dict[str, Any]
) -> None:
    assert changes(before, after, PICKLE).set == after


@pytest.mark.parametrize("serializer", [PICKLE, JSON])
@pytest.mark.parametrize("value", [1, "a", None, [1, {"b": (2,)}], {"x": [0.5]}, 1e300])
def test_an_equal_value_has_not(value: Any, serializer: Any) -> None:
    before = serializer.loads(serializer.dumps({"a": value}))
    after = serializer.loads(serializer.dumps({"a": value}))

    assert not changes(before, after, serializer)


def test_a_key_that_is_missing_is_gone_and_other_keys_stay() -> None:
    made = changes({"a": 1, "b": 2}, {"b": 3, "c": 4}, PICKLE)

    assert made.applied_to({"a": 1, "b": 2, "d": 5}) == {"b": 3, "c": 4, "d": 5}


# -- two requests that both hold the session before either saves


def both(store: Options, **values: Any) -> tuple[Session, Session]:
    """Return the same session as two requests hold it."""
    known = stored(store, **values).id
    return again(store, known), again(store, known)


def test_each_keeps_what_it_set(store: Options) -> None:
    one, other = both(store, a=0)
    one["b"], other["c"] = 1, 2

    one.save()
    other.save()

    assert contents(again(store, one.id)) == {"a": 0, "b": 1, "c": 2}


def test_a_change_deep_within_a_value_counts(store: Options) -> None:
    one, other = both(store, cart={"items": []}, seen=[])
    one["cart"]["items"].append("book")
    other["seen"].append("page")

    one.save()
    other.save()

    found = again(store, one.id)
    assert contents(found) == {"cart": {"items": ["book"]}, "seen": ["page"]}


def test_of_two_changes_to_one_key_the_later_save_wins(store: Options) -> None:
    one, other = both(store, a=0)
    one["a"], other["a"] = 1, 2

    other.save()
    one.save()

    assert contents(again(store, one.id)) == {"a": 1}


def test_a_deletion_and_a_change_elsewhere_both_hold(store: Options) -> None:
    one, other = both(store, a=1, b=2)
    del one["a"]
    other["b"] = 3

    other.save()
    one.save()

    assert contents(again(store, one.id)) == {"b": 3}


def test_clear_removes_what_its_own_request_loaded(store: Options) -> None:
    one, other = both(store, a=1)
    other["b"] = 2
    other.save()

    one.clear()
    one["c"] = 3
    one.save()

    assert contents(again(store, one.id)) == {"b": 2, "c": 3}


def test_a_revert_undoes_nobody_elses_change(store: Options) -> None:
    one, other = both(store, a=1, b=1)
    other["a"] = 2
    other.save()

    one["a"] = one["b"] = 9
    one.revert()
    one["c"] = 3
    one.save()

    assert contents(again(store, one.id)) == {"a": 2, "b": 1, "c": 3}


def test_a_second_save_of_a_request_undoes_nothing(store: Options) -> None:
    one, other = both(store, a=1)
    other["b"] = 2
    other.save()

    one["c"] = 3
    one.save()
    one["d"] = 4
    one.save()

    assert contents(again(store, one.id)) == {"a": 1, "b": 2, "c": 3, "d": 4}


def test_a_reader_writes_nothing_back(store: Options) -> None:
    reader, writer = both(store, v=1)
    writer["v"] = 2
    writer.save()

    reader.save(accessed_only=True)
    reader.save()

    assert contents(again(store, reader.id)) == {"v": 2}


def test_a_reader_brings_no_deleted_session_back(store: Options) -> None:
    reader, other = both(store, user="ann")
    other.delete()

    reader.save(accessed_only=True)
    reader.save()

    assert again(store, reader.id).is_new


def test_a_writer_brings_no_deleted_session_back(store: Options) -> None:
    writer, other = both(store, user="ann")
    other.delete()

    writer["user"] = "eve"
    writer.save()
    writer.save()

    assert again(store, writer.id).is_new


def test_a_writer_brings_no_regenerated_session_back(store: Options) -> None:
    writer, other = both(store, user="ann")
    other.regenerate_id()

    writer["user"] = "eve"
    writer.save()

    assert again(store, writer.id).is_new
    assert contents(again(store, other.id)) == {"user": "ann"}


def test_regenerating_takes_along_what_others_saved(store: Options) -> None:
    one, other = both(store, a=1)
    other["b"] = 2
    other.save()

    one.regenerate_id()

    assert contents(again(store, one.id)) == {"a": 1, "b": 2}


def test_a_deleted_session_is_not_regenerated(store: Options) -> None:
    one, other = both(store, user="ann")
    other.delete()

    one.regenerate_id()
    one.save()

    assert again(store, one.id).is_new


def test_a_programs_id_can_be_used_again_after_delete(store: Options) -> None:
    session = stored(store, a=1)
    session.delete()

    new = again(store, session.id)
    new["b"] = 2
    new.save()

    assert contents(again(store, session.id)) == {"b": 2}


# -- through the door


def test_a_request_with_a_removed_id_cannot_overwrite_the_new_cookie(
    store: Options,
) -> None:
    visit = Visit(**store)
    visit.request(setting(n=1))
    late = visit.browser.sharing_cookies()

    visit.request(lambda session: session.regenerate_id())
    response = visit.request(setting(late=True), late)

    assert response.cookie == ""
    assert visit.read(contents) == "{'n': 1}"


def test_threads_lose_none_of_64_keys(store: Options) -> None:
    known = stored(store).id
    loaded = threading.Barrier(16)

    def write(number: int) -> None:
        session = again(store, known)
        loaded.wait()
        for part in range(4):
            session[f"{number}.{part}"] = part
            session.save()

    run_at_once([partial(write, number) for number in range(16)])

    assert len(contents(again(store, known))) == 64


@pytest.mark.parametrize(
    "store",
    ["file", "dbm", "sqlite", pytest.param("ext:redis", marks=pytest.mark.redis)],
    indirect=True,
)
def test_processes_lose_none_of_64_keys(store: Options) -> None:
    known = stored(store).id

    def write(number: int) -> bool:
        for part in range(8):
            session = again(store, known)
            session[f"{number}.{part}"] = part
            session.save()
        return True

    children = [fork(partial(write, number)) for number in range(8)]

    assert wait_for(children)
    assert len(contents(again(store, known))) == 64


def test_a_logout_among_writers_is_final(store: Options) -> None:
    known = stored(store, user="ann").id
    loaded = threading.Barrier(9)

    def write() -> None:
        session = again(store, known)
        loaded.wait()
        for number in range(10):
            session["n"] = number
            session.save()

    def log_out() -> None:
        session = again(store, known)
        loaded.wait()
        session.delete()

    run_at_once([write] * 8 + [log_out])

    assert again(store, known).is_new


def run_at_once(acts: list[Callable[[], None]]) -> None:
    """Run these in threads, and raise what one of them raised."""
    failures: list[BaseException] = []

    def guarded(act: Callable[[], None]) -> None:
        try:
            act()
        except BaseException as e:  # noqa: BLE001 - handed to the test
            failures.append(e)

    threads = [threading.Thread(target=guarded, args=(act,)) for act in acts]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(20)
    assert failures == []
