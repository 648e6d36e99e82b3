"""How a session lies in a store: in stores of today, in stores of Beaker 1.x."""

from __future__ import annotations

import pickle
from base64 import urlsafe_b64decode, urlsafe_b64encode
from typing import Any

from beaker._sessions.plaindata import load_plain
from beaker._sessions.records import SessionRecord, Stored, is_record
from beaker.exceptions import CorruptRecordError
from beaker.records import MAGIC, record_of
from beaker.stores import Store

__all__ = ["laid_in", "taken_from"]

#: Session records as text begin so; what 1.x wrote hardly can.
_MAGIC_TEXT = urlsafe_b64encode(MAGIC).decode()
_PICKLED = b"\x80"


def laid_in(store: Store, session: Stored, now: float) -> Any:
    """Return what a store is given to keep.

    Args:
        store: The store.
        session: A record of 2.x, or a payload of 1.x.
        now: When it is kept.
    """
    if store.is_legacy and isinstance(session, bytes) and is_record(session):
        # A class of 1.x was only ever given text.
        session = urlsafe_b64encode(session).decode()
    if store.holds_objects:
        return record_of(session, None, now)
    if isinstance(session, bytes) and is_record(session):
        return session
    if (
        isinstance(session, str)
        and session.isascii()
        and getattr(store.manager, "kept_bare_text", False)
    ):
        return session.encode()
    whole = getattr(store.manager, "kept_whole_namespaces", False)
    return pickle.dumps({"session": session} if whole else session, 2)


def taken_from(store: Store, kept: Any) -> Stored:
    """Return the record or the payload in what a store kept.

    Raises:
        CorruptRecordError: It is neither.
    """
    session = kept.value if store.holds_objects else _unwrapped(kept)
    if isinstance(session, bytes | SessionRecord):
        return session
    if not isinstance(session, str):
        kind = type(session).__name__
        raise CorruptRecordError(f"a {kind} where a session belongs")
    if not session.startswith(_MAGIC_TEXT):
        return session
    try:
        return urlsafe_b64decode(session)
    except ValueError as e:
        raise CorruptRecordError(f"base64: {e}") from e


def _unwrapped(kept: bytes) -> Any:
    if kept[:1] != _PICKLED:
        # Text of 1.x, or a record of 2.x, which begins with a byte beyond ASCII.
        return kept.decode() if kept.isascii() else kept
    found = load_plain(kept)
    return found.get("session") if isinstance(found, dict) else found
