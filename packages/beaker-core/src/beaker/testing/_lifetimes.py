"""Times of a session: its timeout, its age, and what is written of its use."""

from __future__ import annotations

import time
from typing import Any

import pytest

from beaker.testing._clock import Clock
from beaker.testing._requests import again, contents, raw, stored, use
from beaker.testing._suite import StoreSuite

__all__ = ["LifetimeTests"]

Options = dict[str, Any]


class LifetimeTests(StoreSuite):
    """Part of `SessionSuite`."""

    @pytest.fixture
    def clock(self, monkeypatch: pytest.MonkeyPatch) -> Clock:
        """The wall clock, which stands still."""
        stopped = Clock()
        monkeypatch.setattr(time, "time", stopped)
        return stopped

    def test_an_unused_session_ends_after_its_timeout(
        self, own_options: Options, clock: Clock
    ) -> None:
        """Its record is gone then."""
        options = {**own_options, "timeout": 60}
        known = stored(options, n=1).id

        clock.advance(61)
        session = again(options, known)

        assert (session.is_new, contents(session)) == (True, {})
        assert session.was_invalidated
        assert again(own_options, known).is_new

    def test_use_keeps_a_session_alive(
        self, own_options: Options, clock: Clock
    ) -> None:
        """Looking is use."""
        options = {**own_options, "timeout": 60}
        known = stored(options, n=1).id

        for _ in range(5):
            clock.advance(50)
            assert contents(use(options, known)) == {"n": 1}

    @pytest.mark.parametrize("how", ["use", "save", "regenerate_id"])
    def test_a_session_ends_at_its_absolute_age_whatever_is_done_with_it(
        self, own_options: Options, clock: Clock, how: str
    ) -> None:
        """No new id makes it younger."""
        options = {**own_options, "absolute_timeout": 100}
        known = stored(options, n=1).id

        clock.advance(60)
        session = use(options, known)
        if how == "save":
            session["n"] = 2
            session.save()
        elif how == "regenerate_id":
            session.regenerate_id()
        assert not again(options, session.id).is_new
        clock.advance(41)

        assert again(options, session.id).is_new

    def test_the_time_of_access_is_written_without_the_data(
        self, own_options: Options, clock: Clock
    ) -> None:
        """It is an update of its own."""
        began, session = clock.now, stored(own_options, n=1)
        before = raw(session)
        clock.advance(10)
        first = use(own_options, session.id)
        clock.advance(10)
        second = use(own_options, session.id)

        # A file shows the time at which the system wrote it.
        assert first.last_accessed == pytest.approx(began, abs=2)
        assert second.last_accessed == pytest.approx(began + 10, abs=2)
        assert second.created == pytest.approx(began, abs=2)
        assert raw(session) == before

    def test_use_is_written_as_often_as_it_was_asked_for(
        self, own_options: Options, clock: Clock
    ) -> None:
        """Once a minute, here."""
        options = {**own_options, "accessed_every": 60}
        began, known = clock.now, stored(options, n=1).id

        clock.advance(57)
        use(options, known)
        clock.advance(5)

        assert use(options, known).last_accessed == pytest.approx(began, abs=2)
        assert use(options, known).last_accessed == pytest.approx(began + 62, abs=2)

    @pytest.mark.parametrize("hours", [1, 30 * 24])
    def test_a_time_in_the_future_counts_as_now(
        self, own_options: Options, clock: Clock, hours: int
    ) -> None:
        """Another host may have a clock that is ahead."""
        options = {**own_options, "timeout": 60, "absolute_timeout": 3600}
        clock.advance(hours * 3600)
        known = stored(options, n=1).id
        clock.advance(-hours * 3600)

        assert contents(again(options, known)) == {"n": 1}

    def test_use_ends_the_longer_life_of_what_a_fast_clock_wrote(
        self, own_options: Options, clock: Clock
    ) -> None:
        """From then on its timeout is what it is."""
        options = {**own_options, "timeout": 600, "absolute_timeout": 6000}
        clock.advance(3600)
        known = stored(options, n=1).id
        clock.advance(-3600)
        found = use(options, known)

        clock.advance(601)
        session = again(options, known)

        assert found.last_accessed == clock.now - 601
        assert (session.is_new, contents(session)) == (True, {})

    def test_a_fast_clock_makes_no_session_younger(
        self, own_options: Options, clock: Clock
    ) -> None:
        """Its age counts from when it was first seen, at the latest."""
        options = {**own_options, "absolute_timeout": 600}
        clock.advance(3600)
        known = stored(options, n=1).id
        clock.advance(-3600)
        use(options, known)

        clock.advance(601)

        assert again(options, known).is_new

    def test_a_request_with_a_fast_clock_ends_nobody_elses_session(
        self, own_options: Options, clock: Clock
    ) -> None:
        """Nor the one that it has used."""
        options = {**own_options, "timeout": 3 * 3600}
        his, hers = stored(options, n=1).id, stored(options, n=2).id
        clock.advance(2 * 3600)
        use(options, his)
        clock.advance(-2 * 3600)

        for _ in range(3):
            assert contents(use(options, his)) == {"n": 1}
            assert contents(use(options, hers)) == {"n": 2}
            clock.advance(2 * 3600)
        clock.advance(3600 + 1)
        assert again(options, his).is_new
        assert again(options, hers).is_new

    def test_clocks_that_are_a_little_apart_cost_no_writing_of_data(
        self, own_options: Options, clock: Clock
    ) -> None:
        """Here by five seconds."""
        clock.advance(5)
        session = stored(own_options, n=1)
        clock.advance(-5)
        before = raw(session)

        use(own_options, session.id)

        assert raw(session) == before
