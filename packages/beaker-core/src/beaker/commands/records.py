"""Looks at some sessions in a store: of which Beaker they are, and who can read them."""

from __future__ import annotations

import re
import time
from collections import Counter
from collections.abc import Iterator
from itertools import islice

from beaker._sessions.envelopes import taken_from
from beaker._sessions.records import is_record
from beaker._sessions.settings import SessionSettings
from beaker.commands.findings import GOOD, NOTE, WARNING, Finding
from beaker.exceptions import (
    BeakerException,
    ForbiddenClassError,
    UnsupportedOperationError,
)
from beaker.stores import Store

__all__ = ["record_findings"]

#: How many sessions are looked at, and for how many seconds.
MOST, PATIENCE = 10_000, 5.0

#: What is found beside: nothing any more, or what nobody can read.
_GONE, _NEITHER = "gone", "neither"

# 1.x kept caches in the same tables, under names that functions have.
_ISSUED = re.compile(r"[0-9a-f]{32}").fullmatch

#: What becomes of a session of 1.x in each mode.
_FATES = {
    "compat": "they are read, and written as 1.x wrote them, so that it reads them too",
    "migrate": "they are read, and become records of 2.x when they are next saved",
    "strict": "they are refused, and their visitors begin new sessions",
}


def record_findings(settings: SessionSettings, store: Store) -> Iterator[Finding]:
    """Tell whether sessions of 1.x are there, and what each mode does with them."""
    try:
        ids = list(islice(filter(_ISSUED, store.manager.session_ids()), MOST))
    except (UnsupportedOperationError, NotImplementedError):
        says = f"{store.place()} cannot list its sessions: nothing is known of them"
        yield Finding(NOTE, "sessions", says)
        return
    kinds = Counter[str]()
    unread = Counter[str]()
    give_up_at = time.monotonic() + PATIENCE
    for known in ids:
        if time.monotonic() > give_up_at:
            break
        kind, problem = _looked_at(settings, known)
        kinds[kind] += 1
        if problem:
            unread[problem] += 1
    yield _counted(kinds)
    if kinds["1.x"]:
        for mode, fate in _FATES.items():
            now = " (as it is now)" if mode == settings.mode else ""
            yield Finding(GOOD, f"session.mode = {mode}", f"of 1.x: {fate}{now}")
    for problem, count in unread.most_common(3):
        says, _, remedy = problem.rpartition("; ")
        yield Finding(
            WARNING,
            "sessions",
            f"{count} of them cannot be read: {says or problem}",
            remedy if says else "their visitors begin new sessions; nothing to do",
        )


def _counted(kinds: Counter[str]) -> Finding:
    seen = kinds.total() - kinds[_GONE]
    if not seen:
        return Finding(GOOD, "sessions", "there are none yet")
    told = [f"{kinds[kind]} of {kind}" for kind in ("2.x", "1.x") if kinds[kind]]
    if kinds[_NEITHER]:
        told.append(f"{kinds[_NEITHER]} of neither, or of 1.x under another key")
    return Finding(GOOD, "sessions", f"{seen} were looked at: {', '.join(told)}")


def _looked_at(settings: SessionSettings, id: str) -> tuple[str, str]:
    """Return of which Beaker a session is, and why it cannot be read."""
    store = settings.opener.open(id)
    kind = _NEITHER
    try:
        kept = store.fetch("session")
        if kept is None:
            return _GONE, ""
        session = taken_from(store, kept)
        if isinstance(session, bytes) and is_record(session):
            kind = "2.x"
        settings.codec.data(settings.codec.read(id, session))
    except ForbiddenClassError as e:
        # It was read up to that class.
        return kind if kind == "2.x" else "1.x", str(e)
    except BeakerException as e:
        return kind, str(e)
    return kind if kind == "2.x" else "1.x", ""
