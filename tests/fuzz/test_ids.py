"""An id is a name and nothing else: it leads nowhere, and to nobody else's session."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from beaker.session import Session, SessionObject
from tests.core.sessions import KEY, again, contents
from tests.fuzz.ids import hostile_ids
from tests.stores.contents import InFiles, Raw

IDS = hostile_ids()

#: Made only if an id were a path.
OUTSIDE = [Path("/tmp/beaker-id"), Path("/tmp/beaker-id.cache")]  # noqa: S108  # see above


def test_there_are_a_thousand() -> None:
    assert len(IDS) > 1000


@pytest.mark.parametrize("secret", [None, "m3Yq-8sUz_2bTgLx7wKd"])
def test_an_id_from_a_cookie_makes_nothing_and_is_not_taken(
    raw: Raw, secret: str | None
) -> None:
    options = {**raw.options, "key": KEY, "secret": secret}
    # What a store makes when it is first used is not made by an id.
    Session({}, **options).save()
    before = raw.places()
    taken = set()

    for name in IDS:
        for cookie in (name, f"{'0' * 40}{name}", f"{name}.{'0' * 64}"):
            session = Session({"cookie": f"{KEY}={cookie}"}, **options)
            assert contents(session) == {}
            session.save(accessed_only=True)
            assert session.is_new
            taken.add(session.id)

    assert raw.places() == before
    assert len(taken) == 3 * len(IDS)
    assert taken.isdisjoint(IDS)


def test_an_id_of_the_program_is_its_own_session_and_stays_inside(raw: Raw) -> None:
    options = {**raw.options, "use_cookies": False}

    for number, name in enumerate(IDS):
        session = Session({}, name, **options)
        assert session.is_new, name
        session["number"] = number
        session.save()

    for number, name in enumerate(IDS):
        assert contents(again(options, name)) == {"number": number}, name
    if isinstance(raw, InFiles):
        inside = raw.directory / "data"
        assert all(path == inside or inside in path.parents for path in raw.places())
    assert not any(path.exists() for path in OUTSIDE)


def test_a_session_is_found_by_its_hostile_id_and_removed_alone(raw: Raw) -> None:
    options: dict[str, Any] = {**raw.options, "use_cookies": False}
    some = IDS[::7]
    for name in some:
        Session({}, name, **options)._save()
    visitor = SessionObject({}, **raw.options)

    for name in some[::2]:
        found = visitor.get_by_id(name)
        assert found is not None
        found.delete()

    assert [visitor.get_by_id(name) is None for name in some] == [
        number % 2 == 0 for number in range(len(some))
    ]
