"""The sessions of Beaker 1.x, each in a document of its own collection.

A session that 1.x began stays in that document until it ends, and is read, updated,
marked and removed there: as it is at one place only, each of these is one atomic
operation. So are those that the mode ``compat`` begins, for 1.x looks nowhere else. All
others are records of 2.x, and one of those moves only if that mode has to write it.
"""

from __future__ import annotations

from typing import Any

from pymongo.errors import DuplicateKeyError

from beaker_mongodb import updates
from beaker_mongodb.layout import Collections
from beaker_mongodb.server import Server

__all__ = ["FormerSession", "is_former"]

#: How the bytes begin that 1.x wrote, and that it can read.
_PICKLED = b"\x80"

_IS_SESSION = {"value": {"$exists": True}}


def is_former(data: bytes) -> bool:
    """Return whether bytes are for processes of 1.x too."""
    return data[:1] == _PICKLED


class FormerSession:
    """A session of 1.x, if there is one.

    Args:
        server: Where it is.
        id: What 1.x called its document.
    """

    __slots__ = ("_id", "_server")

    def __init__(self, server: Server, id: str) -> None:
        self._server, self._id = server, {"_id": id}

    def fetch(self) -> bytes | None:
        """Return its bytes as they are."""
        found = self.fetch_accessed()
        return None if found is None else found[0]

    def fetch_accessed(self) -> tuple[bytes, float | None] | None:
        """Return its bytes, and when `touch` last marked it."""
        wanted = {"_id": 0, "value": 1, "accessed": 1}

        def find(to: Collections) -> dict[str, Any] | None:
            return to.former.find_one(self._id, wanted) if to.has_former() else None

        found = self._server.ask(find)
        if found is None or "value" not in found:
            return None
        return bytes(found["value"]), found.get("accessed")

    def discard(self) -> bool:
        """Remove it, and return if it was there."""

        def delete(to: Collections) -> bool:
            if not to.has_former():
                return False
            return to.former.delete_one(self._id).deleted_count > 0

        return self._server.ask(delete)

    def add(self, data: bytes, ttl: float | None) -> bool:
        """Store it if it is not there."""
        update = [{"$set": {"value": data, **updates.former_expiry(ttl)}}]

        def add(to: Collections) -> bool:
            to.saw_former()
            try:
                absent = {**self._id, "value": {"$exists": False}}
                to.former.update_one(absent, update, upsert=True)
            except DuplicateKeyError:
                return False
            to.index(to.former)
            return True

        return self._server.ask(add, again=False)

    def replace(self, expected: bytes, data: bytes, ttl: float | None) -> bool:
        """Put other bytes in its place if it is still as expected."""
        return self._change({"value": expected}, {"value": data}, ttl, again=False)

    def discard_if(self, expected: bytes) -> bool:
        """Remove it if it is as expected, and return if it was."""
        wanted = {**self._id, "value": expected}
        done = self._server.ask(lambda to: to.former.delete_one(wanted))
        return done.deleted_count > 0

    def touch(self, ttl: float | None, accessed: float) -> bool:
        """Mark it as accessed if it is there, and keep it for `ttl` seconds."""
        return self._change(_IS_SESSION, {"accessed": accessed}, ttl, again=True)

    def _change(
        self,
        condition: dict[str, Any],
        fields: dict[str, Any],
        ttl: float | None,
        *,
        again: bool,
    ) -> bool:
        update = [{"$set": {**fields, **updates.former_expiry(ttl)}}]

        def change(to: Collections) -> bool:
            if not to.has_former():
                return False
            done = to.former.update_one({**self._id, **condition}, update)
            if done.matched_count:
                to.index(to.former)
            return done.matched_count > 0

        return self._server.ask(change, again=again)
