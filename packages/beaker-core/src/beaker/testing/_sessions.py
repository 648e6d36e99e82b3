"""Sessions as one suite, whatever store they are on."""

from __future__ import annotations

import random
import string
import threading
from collections.abc import Mapping
from datetime import date
from decimal import Decimal
from typing import Any

import pytest

from beaker.exceptions import BeakerException, StoreUnavailableError
from beaker.session import Session
from beaker.testing._lifetimes import LifetimeTests
from beaker.testing._merging import MergingTests
from beaker.testing._processes import at_once, thread
from beaker.testing._requests import again, by_cookie, contents, raw, stored
from beaker.testing._servers import wait_until
from beaker.testing._sessionids import IdTests
from beaker.testing._sharing import hasty_threads
from beaker.testing._suite import Stoppable, reads
from beaker.testing._trust import TrustTests

__all__ = ["SessionSuite"]

Options = Mapping[str, Any]


class SessionSuite(MergingTests, IdTests, LifetimeTests, TrustTests):
    """All that a session promises, tested: inherit, and give the fixture `options`.

    Which tests run is told by the abilities that the store's class claims. Two more
    fixtures are worth giving where they can be had: `stoppable` and `footprint`.
    """

    def test_what_was_saved_is_found_by_the_next_request(
        self, own_options: Options
    ) -> None:
        """Plain data of all kinds, and nothing else about them."""
        plain = {"none": None, "flag": False, "n": -1, "x": 0.5, "": "", "ä": "\0ü"}
        nested = {"raw": bytes(range(256)), "list": [1, [2, {"deep": (3,)}]]}
        others = {"day": date(2030, 1, 31), "price": Decimal("9.99"), "set": {1, 2}}
        values: dict[str, Any] = {**plain, **nested, **others}
        known = stored(own_options, **values).id

        found = again(own_options, known)

        assert contents(found) == values
        assert {key: type(found[key]) for key in values} == {
            key: type(value) for key, value in values.items()
        }
        assert not found.is_new

    def test_a_large_session_is_found_whole(self, own_options: Options) -> None:
        """Some 200 kB."""
        large = "".join(random.Random(5).choices(string.printable, k=200_000))  # noqa: S311 - no secret

        known = stored(own_options, large=large).id

        assert again(own_options, known)["large"] == large

    def test_what_was_not_saved_is_not_found(self, own_options: Options) -> None:
        """To change a session is not to save it."""
        session = Session({}, use_cookies=False, **own_options)
        session["user"] = "ann"

        assert again(own_options, session.id).is_new

    def test_sessions_do_not_mix(self, own_options: Options) -> None:
        """Each id leads to its own."""
        known = {stored(own_options, n=number).id: number for number in range(20)}

        found = {one: again(own_options, one)["n"] for one in known}

        assert found == known

    def test_no_thread_is_given_anothers_session(self, own_options: Options) -> None:
        """However they interrupt each other."""
        known = [stored(own_options, n=number).id for number in range(16)]

        def read(number: int) -> int:
            times = range(reads() // 128)
            return sum(again(own_options, known[number])["n"] != number for _ in times)

        with hasty_threads():
            wrong = at_once(16, read)

        assert wrong == [0] * 16

    def test_a_deleted_session_is_gone(self, own_options: Options) -> None:
        """Its record, too."""
        session = stored(own_options, user="ann")

        session.delete()

        found = again(own_options, session.id)
        assert (found.is_new, contents(found), raw(found)) == (True, {}, None)

    def test_the_old_id_is_dead_when_a_new_one_is_given(
        self, own_options: Options
    ) -> None:
        """For the program as for a browser."""
        session = stored(own_options, user="ann")
        former = session.id

        session.regenerate_id()

        assert session.id != former
        assert again(own_options, former).is_new
        assert by_cookie(own_options, former).id not in (former, session.id)
        assert contents(again(own_options, session.id)) == {"user": "ann"}

    def test_a_session_is_locked_by_one(self, own_options: Options) -> None:
        """Whoever locks it, too, waits; saving needs no lock and breaks none."""
        first = stored(own_options, n=1)
        second = again(own_options, first.id)
        locked = threading.Event()

        def lock() -> None:
            second.lock()
            locked.set()
            second.unlock()

        first.lock()
        with thread(lock):
            first["n"] = 2
            first.save()
            assert not locked.wait(0.05)
            first.unlock()

        assert locked.is_set()

    # -- a store that is away

    def test_a_store_that_is_away_is_an_error_and_costs_no_session(
        self, stoppable: Stoppable
    ) -> None:
        """Never a new session: the same id works when the store is back."""
        options, server = stoppable
        known = stored(options, user="ann").id

        server.freeze()
        for invalidate in (False, True):
            with pytest.raises(StoreUnavailableError):
                by_cookie(options, known, invalidate_corrupt=invalidate)
        server.thaw()

        wait_until(
            lambda: _user_of(options, known) == "ann", lambda: "the session is lost"
        )
        held = by_cookie(options, known)
        server.kill()
        held["user"] = "eve"
        with pytest.raises(StoreUnavailableError):
            held.save()
        assert "cookie_out" not in held.request


def _user_of(options: Options, id: str) -> Any:
    try:
        return by_cookie(options, id).get("user")
    except BeakerException:
        return None
