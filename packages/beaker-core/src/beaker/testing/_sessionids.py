"""Ids of sessions: whose they are, and that looking for one makes none."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

import pytest

from beaker.testing._requests import again, by_cookie, raw, stored
from beaker.testing._suite import StoreSuite

__all__ = ["IdTests"]

Options = dict[str, Any]

#: Ids that a program may give: each a session of its own.
ODD_IDS = [
    *("abc", "ABC", "Abc ", "abc ", " abc", "a.b.c", "abc.progress.x"),
    *("abcprogress.x", "abc/progress/x", "x", "x/", "x//", "./x", "../x", "..", "."),
    *("ä", "a\N{COMBINING DIAERESIS}", "\N{SNOWMAN}", "\ud800", "\0", "a\0", "a\n"),
    *("x" * 255, "x" * 256, "y" * 10_000, "2:" + "0" * 64, "%s", "'; --", "\\", "*"),
]

#: Ids that a browser may send and that nobody has issued.
HOSTILE_IDS = [
    *("attackerchosen", "../../etc/passwd", "..", ".", "/", "a/b", "\\", "x" * 300),
    *("", "\0", "a\0b", "ä", "\N{SNOWMAN}", "%2e%2e", "*", "a" * 31, "A" * 32),
    *("0" * 33, "g" * 32, "0" * 32 + "\n", "session", "None", "'; --", "{}"),
]


class IdTests(StoreSuite):
    """Part of `SessionSuite`."""

    @pytest.fixture
    def footprint(self) -> Callable[[], int] | None:
        """Counts all that the store holds: files, records, keys. None: who knows."""
        return None

    def test_each_id_that_a_program_gives_is_a_session_of_its_own(
        self, own_options: Options
    ) -> None:
        """Paths, control characters and thousands of characters among them."""
        for number, one in enumerate(ODD_IDS):
            session = again(own_options, one)
            session["n"] = number
            session.save()

        found = {one: again(own_options, one) for one in ODD_IDS}

        assert [found[one].id for one in ODD_IDS] == ODD_IDS
        assert [found[one]["n"] for one in ODD_IDS] == list(range(len(ODD_IDS)))

    def test_an_id_that_nobody_issued_is_replaced(self, own_options: Options) -> None:
        """And no cookie is sent before there is a record."""
        chosen = [*HOSTILE_IDS, "0" * 32]

        found = [by_cookie(own_options, one) for one in chosen]

        assert len({session.id for session in found} - set(chosen)) == len(chosen)
        assert all(re.fullmatch("[0-9a-f]{32}", session.id) for session in found)
        assert all(session.is_new for session in found)
        assert not any(session.request.get("set_cookie") for session in found)

    def test_looking_for_sessions_makes_none(
        self, own_options: Options, footprint: Callable[[], int] | None
    ) -> None:
        """A thousand ids that nobody issued, and those that lead astray."""
        # What a store makes once, such as a table, is there by then.
        stored(own_options).delete()
        unknown = [f"{number:032x}" for number in range(1000)]
        before = footprint and footprint()

        for one in (*unknown, *HOSTILE_IDS):
            by_cookie(own_options, one).save(accessed_only=True)
        for one in (*HOSTILE_IDS, *ODD_IDS):
            again(own_options, one).save(accessed_only=True)

        assert (footprint and footprint()) == before
        found = [again(own_options, one) for one in (*unknown[::50], *ODD_IDS)]
        assert [raw(session) for session in found] == [None] * len(found)
