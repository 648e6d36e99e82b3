"""Sessions as requests hold them, for the suites about sessions."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from beaker.session import Session

__all__ = ["KEY", "again", "both", "by_cookie", "contents", "raw", "stored", "use"]

#: The cookie's name in these tests.
KEY = "sid"

Options = Mapping[str, Any]


def stored(options: Options, **values: Any) -> Session:
    """Return a session by a new id of our own with these values in it."""
    session = Session({}, use_cookies=False, **options)
    session.update(values)
    session.save()
    return session


def again(options: Options, id: str, **more: Any) -> Session:
    """Return the session of this id as another request finds it."""
    return Session({}, id, use_cookies=False, **{**options, **more})


def both(options: Options, **values: Any) -> tuple[Session, Session]:
    """Return the same session as two requests hold it."""
    known = stored(options, **values).id
    return again(options, known), again(options, known)


def by_cookie(options: Options, id: str, **more: Any) -> Session:
    """Return the session of a request whose cookie says this id."""
    return Session({"cookie": f"{KEY}={id}"}, key=KEY, **{**options, **more})


def use(options: Options, id: str) -> Session:
    """Return the session as a request finds it that only looks."""
    session = again(options, id)
    session.save(accessed_only=True)
    return session


def contents(session: Session) -> dict[str, Any]:
    """Return what a program put into a session."""
    return {key: session[key] for key in session if not key.startswith("_")}


def raw(session: Session) -> Any:
    """Return what the store holds of a session; None: nothing."""
    return session.namespace.fetch("session")
