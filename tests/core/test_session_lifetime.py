"""How long a session lives, and what is written of its use."""

from __future__ import annotations

import time
from typing import Any

import pytest

from beaker._sessions.lifetime import Lifetime
from beaker.exceptions import InvalidOptionError
from beaker.session import Session
from beaker.testing._clock import Clock
from tests.core.sessions import Visit, again, contents, cookie_session, sent, stored

Options = dict[str, Any]


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    """The wall clock, which stands still."""
    stopped = Clock()
    monkeypatch.setattr(time, "time", stopped)
    return stopped


def use(options: Options, id: str) -> Session:
    """Return the session as a request finds it that only looks."""
    session = again(options, id)
    session.save(accessed_only=True)
    return session


# -- idle time


def test_last_accessed_is_the_use_before(store: Options, clock: Clock) -> None:
    began = clock.now
    known = stored(store, n=1).id
    clock.now += 10
    first = use(store, known)
    clock.now += 10
    second = use(store, known)

    assert first.last_accessed == pytest.approx(began, abs=2)
    assert second.last_accessed == pytest.approx(began + 10, abs=2)
    assert second["_accessed_time"] == began + 20
    assert second.created == pytest.approx(began, abs=2)


def test_without_access_times_only_writing_counts(store: Options, clock: Clock) -> None:
    options = {**store, "save_accessed_time": False}
    began = clock.now
    known = stored(options, n=1).id
    clock.now += 10
    use(options, known)
    clock.now += 10

    session = again(options, known)

    # A file shows the time at which the system wrote it.
    assert session.last_accessed == pytest.approx(began, abs=2)
    assert session["_accessed_time"] == session.last_accessed


def test_an_intentional_save_counts_as_use(store: Options, clock: Clock) -> None:
    options = {**store, "save_accessed_time": False}
    session = stored(options, n=1)
    clock.now += 10
    session.save()
    clock.now += 10

    assert again(options, session.id).last_accessed == pytest.approx(
        clock.now - 10, abs=2
    )


def test_a_timeout_bounds_how_seldom_use_is_written() -> None:
    lifetime = Lifetime(timeout=100, absolute_timeout=None, accessed_every=60)

    assert not lifetime.is_due(0, 9.9)
    assert lifetime.is_due(0, 10)


def test_a_timeout_needs_access_times() -> None:
    with pytest.raises(InvalidOptionError, match="save_accessed_time"):
        Session({}, type="memory", timeout=10, save_accessed_time=False)


# -- age


# -- wrong clocks


# -- through the door


def test_a_visitor_who_comes_too_late_gets_another_id(
    store: Options, clock: Clock
) -> None:
    visit = Visit(**store, timeout=60)

    def log_in(session: Any) -> str:
        session["user"] = "ann"
        session.save()
        return str(session.id)

    former = visit.read(log_in)
    clock.now += 61
    assert visit.read(contents) == "{}"
    later = visit.read(log_in)

    assert later != former
    assert visit.read(contents) == "{'user': 'ann'}"


# -- cookie sessions


def test_a_cookie_session_ends_after_its_timeout(clock: Clock) -> None:
    session = cookie_session(timeout=60)
    session["n"] = 1
    session.save()

    clock.now += 61
    late = cookie_session(sent(session.request), timeout=60)

    assert (late.is_new, contents(late)) == (True, {})


def test_use_keeps_a_cookie_session_alive_until_its_age_ends_it(clock: Clock) -> None:
    options: Options = {"timeout": 60, "absolute_timeout": 100}
    session = cookie_session(**options)
    session["n"] = 1
    session.save()
    ends = []

    for _ in range(3):
        clock.now += 45
        session = cookie_session(sent(session.request), **options)
        ends.append(session.is_new)
        session.save(accessed_only=not session.is_new)

    assert ends == [False, False, True]


def test_a_cookie_that_is_fresh_enough_is_not_sent_again(clock: Clock) -> None:
    session = cookie_session()
    session["n"] = 1
    session.save()

    clock.now += 30
    looked = cookie_session(sent(session.request), accessed_every=60)
    looked.save(accessed_only=True)
    assert not looked.request["set_cookie"]

    clock.now += 30
    looked = cookie_session(sent(session.request), accessed_every=60)
    looked.save(accessed_only=True)
    assert looked.request["set_cookie"]
