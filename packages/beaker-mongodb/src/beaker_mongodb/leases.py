"""The creation lock of a key: a token on its document, kept by the server."""

from __future__ import annotations

import time

from pymongo import ReturnDocument
from pymongo.errors import DuplicateKeyError

from beaker.synchronization import RemoteLease
from beaker_mongodb import updates
from beaker_mongodb.layout import Collections
from beaker_mongodb.names import Names
from beaker_mongodb.server import Server

__all__ = ["MongoLease"]

_ID = {"_id": 1}


class MongoLease(RemoteLease):
    """The right to create one key's value.

    It is on the very document that is to hold the value, so that filling it and
    breaking it are one atomic operation each, on a single server too. Who waits
    asks every 10 to 25 ms, one thread per process.

    Args:
        server: Where it is kept.
        names: Those of the namespace.
        key: The key.
        expires_in: Seconds until it lapses, if it is no longer renewed.
    """

    def __init__(
        self, server: Server, names: Names, key: str, expires_in: float = 5.0
    ) -> None:
        self._id, self._fields = names.id(key), names.fields(key)
        super().__init__((server.identity, self._id, key), expires_in=expires_in)
        self._server, self._life = server, max(1, int(expires_in * 1000))

    def take(self) -> bool:
        """Take it if nobody has it, and see what record there is now."""
        update = updates.taken(self._fields, self.token, self._life)
        # Who does not get it is not sent the record either.
        is_mine = {"$eq": ["$token", self.token]}
        wanted = {
            "_id": 0,
            "token": 1,
            "data": {"$cond": [is_mine, "$data", updates.REMOVE]},
        }

        def take(to: Collections) -> dict[str, bytes | str] | None:
            return to.records.find_one_and_update(
                {"_id": self._id},
                update,
                wanted,
                upsert=True,
                return_document=ReturnDocument.AFTER,
            )

        try:
            document = self._server.tell(take)
        except DuplicateKeyError:
            # Another made the document at this moment: he has it.
            return False
        if document is None or document.get("token") != self.token:
            return False
        self.found = document.get("data")
        return True

    def wait(self, seconds: float) -> None:
        """Wait until the lease is given back, or has lapsed."""
        gives_up_at = time.monotonic() + seconds
        held = {"_id": self._id, "token": {"$exists": True}, **updates.HELD}
        while (left := gives_up_at - time.monotonic()) > 0:
            super().wait(left)
            if self._server.ask(lambda to: to.records.find_one(held, _ID)) is None:
                return

    def renew(self) -> bool:
        """Let it last as long again as when it was taken."""
        held = {"_id": self._id, "token": self.token, **updates.HELD}
        update = updates.renewed(self.token, self._life)
        done = self._server.ask(lambda to: to.records.update_one(held, update))
        return done.matched_count > 0

    def free(self) -> None:
        """Give it back."""
        mine = {"_id": self._id, "token": self.token}
        self._server.ask(lambda to: to.records.update_one(mine, updates.FREE))
