"""One record at a time, each operation atomic on one document."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from pymongo.errors import DuplicateKeyError

from beaker.exceptions import StoreRefusedError
from beaker_mongodb import updates
from beaker_mongodb.layout import Collections
from beaker_mongodb.server import Server

__all__ = ["Record", "checked"]

#: Bytes of the largest record: a document holds 16 MiB, with its id and times.
LARGEST = 2**24 - 2**13


class Record:
    """The record under one key.

    Args:
        server: Where it is.
        id: The id of its document.
        fields: What else its document holds from the beginning on.
    """

    __slots__ = ("_fields", "_id", "_server")

    def __init__(self, server: Server, id: str, fields: Mapping[str, Any]) -> None:
        self._server, self._id, self._fields = server, id, fields

    def store(self, data: bytes, ttl: float | None) -> None:
        """Store it, whatever was there, and break the lease on it."""
        update = updates.stored(self._fields, checked(self._server, data), ttl)
        self._server.tell(lambda to: self._upsert(to, {}, update))

    def discard(self) -> bool:
        """Remove it with the lease on it, and return if it was there."""
        wanted = {"_id": 0, "is_record": {"$ne": [{"$type": "$data"}, "missing"]}}
        found = self._server.ask(
            lambda to: to.records.find_one_and_delete({"_id": self._id}, wanted)
        )
        return found is not None and bool(found["is_record"])

    def is_there(self) -> bool:
        """Return whether there is one, whatever it is."""
        wanted = {"_id": self._id, **updates.IS_RECORD}
        found = self._server.ask(lambda to: to.records.find_one(wanted, {"_id": 1}))
        return found is not None

    def discard_if(self, expected: bytes) -> bool:
        """Remove it if it is as expected, and return if it was."""
        wanted = {"_id": self._id, **updates.expected(expected)}
        done = self._server.ask(lambda to: to.records.delete_one(wanted))
        return done.deleted_count > 0

    def replace(self, expected: bytes | None, data: bytes, ttl: float | None) -> bool:
        """Store it if the stored one is as expected, and break the lease on it."""
        update = updates.stored(self._fields, checked(self._server, data), ttl)
        if expected is None:
            return self._server.tell(lambda to: self._make(to, update), again=False)
        return self._change(updates.expected(expected), update)

    def fill(self, token: str, data: bytes, ttl: float | None) -> bool:
        """Store it and free the lease on it, if the lease has this token and holds."""
        update = updates.stored(self._fields, checked(self._server, data), ttl)
        return self._change({"token": token, **updates.HELD}, update)

    def touch(self, ttl: float | None, accessed: float) -> bool:
        """Mark it as accessed if it is there, and keep it for `ttl` seconds."""
        update = updates.touched(ttl, accessed)
        return self._change(updates.IS_RECORD, update, again=True)

    def _change(
        self, condition: Mapping[str, Any], update: Any, *, again: bool = False
    ) -> bool:
        wanted = {"_id": self._id, **condition}
        done = self._server.tell(
            lambda to: to.records.update_one(wanted, update), again=again
        )
        return done.matched_count > 0

    def _make(self, to: Collections, update: Any) -> bool:
        while True:
            try:
                to.records.update_one(
                    {"_id": self._id, "data": {"$exists": False}}, update, upsert=True
                )
            except DuplicateKeyError:
                # There is a record; or another has taken the lease at this moment.
                is_there = {"_id": self._id, **updates.IS_RECORD}
                if to.records.find_one(is_there, {"_id": 1}) is not None:
                    return False
            else:
                return True

    def _upsert(self, to: Collections, condition: Any, update: Any) -> None:
        wanted = {"_id": self._id, **condition}
        try:
            to.records.update_one(wanted, update, upsert=True)
        except DuplicateKeyError:
            # Another made the document at this moment: now there is one to change.
            to.records.update_one(wanted, update, upsert=True)


def checked(server: Server, data: bytes) -> bytes:
    """Return a record that fits into a document.

    Raises:
        StoreRefusedError: It does not.
    """
    if len(data) > LARGEST:
        cause = f"a record of {len(data)} bytes, and a document holds {LARGEST}"
        remedy = "keep less under one key, or choose another store"
        raise StoreRefusedError(server.place(), cause, remedy)
    return data
