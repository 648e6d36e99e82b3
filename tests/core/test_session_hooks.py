"""What those are told who listen to the life of sessions."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from beaker.hookspecs import hookimpl
from beaker.listeners import register, unregister
from tests.core.sessions import KEY, Visit, contents, setting

Options = dict[str, Any]


class Listener:
    """Notes what it is told."""

    def __init__(self) -> None:
        self.heard: list[tuple[str, Any]] = []

    @hookimpl
    def session_loaded(self, session_id: str) -> None:
        """Note."""
        self.heard.append(("loaded", session_id))

    @hookimpl
    def session_saved(self, session_id: str) -> None:
        """Note."""
        self.heard.append(("saved", session_id))

    @hookimpl
    def session_rotated(self, session_id: str, former_id: str) -> None:
        """Note."""
        self.heard.append(("rotated", (former_id, session_id)))

    @hookimpl
    def session_deleted(self, session_id: str) -> None:
        """Note."""
        self.heard.append(("deleted", session_id))

    @hookimpl
    def session_rejected(self, session_id: str | None, reason: str) -> None:
        """Note."""
        del session_id
        self.heard.append(("rejected", reason))


@pytest.fixture
def listener() -> Iterator[Listener]:
    """A listener that hears everything."""
    hearing = Listener()
    register(hearing)
    yield hearing
    unregister(hearing)


@pytest.mark.parametrize(
    "options", [{"type": "memory"}, {"type": "cookie", "validate_key": "v" * 20}]
)
def test_listeners_hear_the_life_of_a_session(
    listener: Listener, options: Options
) -> None:
    visit = Visit(**options)

    visit.request(setting(n=1))
    first = listener.heard[-1][1]
    visit.request(lambda session: session.regenerate_id())
    visit.request(lambda session: session.delete())
    visit.browser.cookies[KEY] = "forged"
    visit.request(contents)

    kinds = [kind for kind, _ in listener.heard]
    assert kinds == ["saved", "loaded", "rotated", "loaded", "deleted", "rejected"]
    rotated = dict(listener.heard)["rotated"]
    assert rotated[0] == first != rotated[1]


def test_listeners_hear_of_what_was_not_saved(listener: Listener) -> None:
    visit = Visit(type="memory")
    visit.request(setting(n=1))

    def act(session: Any) -> None:
        session.get_by_id(session.id).delete()
        session["n"] = 2
        session.save()

    visit.request(act)

    assert listener.heard[-1][0] == "rejected"
    assert "not saved" in listener.heard[-1][1]
