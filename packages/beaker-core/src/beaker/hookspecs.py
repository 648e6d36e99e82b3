"""What Beaker tells to whoever listens: one function per event.

A listener is a module or an object whose functions carry `hookimpl`, registered in
the entry-point group ``beaker.plugins`` or by `beaker.plugins.register`. It names
the arguments it wants. What it returns is ignored; what it raises is logged once
and goes no further. Listeners run outside locks, in the thread where it happened.
"""

from __future__ import annotations

import pluggy

__all__ = ["hookimpl", "hookspec"]

hookspec = pluggy.HookspecMarker("beaker")
hookimpl = pluggy.HookimplMarker("beaker")


@hookspec
def value_read(namespace: str, key: str, outcome: str) -> None:
    """A cache was asked for a value: the outcome is "hit", "stale" or "miss"."""


@hookspec
def value_created(namespace: str, key: str, seconds: float) -> None:
    """A creation function returned after so many seconds."""


@hookspec
def creation_failed(namespace: str, key: str, error: Exception) -> None:
    """A creation function raised; nothing is stored, and its lock is free."""


@hookspec
def record_rejected(namespace: str, key: str, reason: str) -> None:
    """A cache found a record that cannot be read, and counts it as missing."""


@hookspec
def store_failed(store: str, error: BaseException) -> None:
    """A store stopped answering; told once, until it is back."""


@hookspec
def store_back(store: str) -> None:
    """A store answers again."""


@hookspec
def store_refused(store: str, error: Exception) -> None:
    """A store answers and refuses: it is full, or may not be written.

    Told when it begins, and at most once a minute.
    """


@hookspec
def session_loaded(session_id: str) -> None:
    """A stored session was loaded by a request."""


@hookspec
def session_saved(session_id: str) -> None:
    """A session was written."""


@hookspec
def session_rotated(session_id: str, former_id: str) -> None:
    """A session moved to a new id; the former one is dead."""


@hookspec
def session_deleted(session_id: str) -> None:
    """A session was removed by the program."""


@hookspec
def session_rejected(session_id: str | None, reason: str) -> None:
    """A session, its cookie or its record was not accepted.

    The id is None where the cookie does not tell one that could be believed.
    """


@hookspec
def former_session_met(kind: str, session_id: str | None) -> None:
    """A request came with what the strict mode would not accept any more.

    The kind is "cookie" where Beaker 1.x signed an id or a session in a cookie; it is
    "payload" where 1.x wrote the session in the store, and "cipher" where it encrypted
    that; and "unsigned" for a record of 2.x from the time before there was a secret.
    In the mode ``compat`` what we wrote for 1.x counts, too.
    """
