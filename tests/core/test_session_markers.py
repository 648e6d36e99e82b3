"""What is left for a minute where a session was removed, and that it goes away."""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from beaker._sessions import markers
from beaker._sessions.markers import is_marker
from beaker._sessions.settings import settings_of
from beaker.session import Session
from tests.core.sessions import Visit, contents, setting
from tests.core.test_session_plugins_of_1 import FormerStore

Options = dict[str, Any]


class Clocks:
    """Both clocks, which stand still."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.passed = 0.0
        wall, monotonic = time.time(), time.monotonic()
        monkeypatch.setattr(time, "time", lambda: wall + self.passed)
        monkeypatch.setattr(markers, "monotonic", lambda: monotonic + self.passed)


@pytest.fixture
def clocks(monkeypatch: pytest.MonkeyPatch) -> Clocks:
    """The clocks of sessions."""
    return Clocks(monkeypatch)


@pytest.fixture(params=["file", "dbm", "sqlite", "former"])
def forgetful_of_nothing(request: pytest.FixtureRequest, tmp_path: Path) -> Options:
    """The options of stores that do not forget by themselves."""
    FormerStore.kept.clear()
    if request.param == "former":
        return {"namespace_class": FormerStore}
    return {"type": request.param, "data_dir": str(tmp_path)}


def log_out(visit: Visit) -> str:
    """Begin a session and end it, and return its id."""
    visit.browser.cookies.clear()
    visit.request(setting(n=1))
    known = visit.read(lambda session: session.id)
    visit.request(lambda session: session.delete())
    return known


def is_marked(options: Options, session_id: str) -> bool:
    store = settings_of(options).opener.open(session_id)
    return is_marker(store, store.fetch("session"))


def is_there(options: Options, session_id: str) -> bool:
    return settings_of(options).opener.open(session_id).fetch("session") is not None


@pytest.mark.parametrize(
    "end",
    [
        lambda session: session.delete(),
        lambda session: session.invalidate(),
        lambda session: session.regenerate_id(),
    ],
)
def test_a_request_with_a_removed_id_may_use_and_not_save_its_session(
    store: Options, end: Callable[[Any], object]
) -> None:
    visit = Visit(**store)
    visit.request(setting(n=1))
    known = visit.read(lambda session: session.id)
    late = visit.browser.sharing_cookies()
    visit.request(end)

    response = visit.request(setting(late=1), late)

    assert response.cookie == ""
    assert visit.read(lambda session: session.get_by_id(known)) == "None"


def test_after_a_minute_the_id_is_any_unknown_one(
    forgetful_of_nothing: Options, clocks: Clocks
) -> None:
    visit = Visit(**forgetful_of_nothing)
    visit.request(setting(n=1))
    late = visit.browser.sharing_cookies()
    known = visit.read(lambda session: session.id)
    visit.request(lambda session: session.delete())

    clocks.passed += 61
    response = visit.request(setting(late=1), late)

    assert response.cookie.startswith("sid=")
    assert visit.read(contents, late) == "{'late': 1}"
    assert not is_there(forgetful_of_nothing, known)


def test_each_removal_cleans_up_after_former_ones(
    forgetful_of_nothing: Options, clocks: Clocks
) -> None:
    visit = Visit(**forgetful_of_nothing)
    former = [log_out(visit) for _ in range(9)]
    assert all(is_marked(forgetful_of_nothing, one) for one in former)

    clocks.passed += 61
    later = [log_out(visit) for _ in range(3)]

    assert not any(is_there(forgetful_of_nothing, one) for one in former)
    assert all(is_marked(forgetful_of_nothing, one) for one in later)


def test_cleaning_up_removes_no_session_that_came_in_its_place(
    forgetful_of_nothing: Options, clocks: Clocks
) -> None:
    visit = Visit(**forgetful_of_nothing)
    known = log_out(visit)
    new = Session({}, known, use_cookies=False, **forgetful_of_nothing)
    new["n"] = 2
    new.save()

    clocks.passed += 61
    log_out(visit)

    found = Session({}, known, use_cookies=False, **forgetful_of_nothing)
    assert contents(found) == {"n": 2}


def test_a_purge_removes_what_a_dead_process_left(tmp_path: Path) -> None:
    from beaker.session import purge_sessions

    options = {"type": "sqlite", "data_dir": str(tmp_path)}
    known = log_out(Visit(**options))

    *_, done = purge_sessions(options, -1)

    assert done.removed == 1
    assert not is_there(options, known)
