"""The lock of Beaker 1.x: many readers or one writer, who know its name."""

from __future__ import annotations

from typing import Any

from pymongo import ReturnDocument
from pymongo.errors import DuplicateKeyError

from beaker.synchronization import DEADLINE, RemoteLease, SynchronizerImpl
from beaker_mongodb.layout import Client, Collections
from beaker_mongodb.names import Names
from beaker_mongodb.server import Server

__all__ = ["MongoSynchronizer"]

#: Seconds after which the hold of a dead one lapses.
LIFE = 5.0

_END = {"$add": ["$$NOW", int(LIFE * 1000)]}


class MongoSynchronizer(SynchronizerImpl):
    """A lock among all who know its name and the server, in ``beaker_locks``.

    It is renewed while it is held, and lapses some seconds after its holder's death.

    Args:
        identifier: Its name.
        url: The server's URL with a database, or a client with a default database.
    """

    def __init__(self, identifier: str, url: str | Client) -> None:
        super().__init__()
        self.identifier = identifier
        self._server = Server(url, DEADLINE)
        self._id = Names(identifier, "", "lock").id("")
        # Readers are as good as one another.
        self._readers: list[_Hold] = []
        self._writers: list[_Hold] = []

    def do_acquire_read_lock(self, wait: bool = True) -> bool:
        """Take the lock to read."""
        return self._take("readers", self._readers, wait)

    def do_release_read_lock(self) -> None:
        """Free the lock that was taken to read."""
        self._readers.pop().release()

    def do_acquire_write_lock(self, wait: bool = True) -> bool:
        """Take the lock to write."""
        return self._take("writers", self._writers, wait)

    def do_release_write_lock(self) -> None:
        """Free the lock that was taken to write."""
        self._writers.pop().release()

    def _take(self, part: str, held: list[_Hold], wait: bool) -> bool:
        hold = _Hold(self._server, self._id, part)
        if not hold.acquire(wait):
            return False
        held.append(hold)
        return True


class _Hold(RemoteLease):
    """One reader, or one writer.

    The lock's document lists those who read and those who write, of whom there is
    one at most: each with a token, and the time at which its hold lapses.
    """

    def __init__(self, server: Server, id: str, part: str) -> None:
        # Readers do not wait for one another, within this process neither.
        alone = part if part == "writers" else object()
        super().__init__((server.identity, id, alone, id), expires_in=LIFE)
        self._server, self._part = server, part
        self._id = {"_id": id}

    def take(self) -> bool:
        """Come in if nobody is there who excludes us."""
        excluding = (
            ["$writers"] if self._part == "readers" else ["$writers", "$readers"]
        )
        is_free = {"$eq": [{"$concatArrays": excluding}, []]}
        mine = [{"token": self.token, "lapses": _END}]
        entered = {"$concatArrays": [f"${self._part}", mine]}
        update: list[dict[str, Any]] = [
            {"$set": {name: _present(name) for name in ("readers", "writers")}},
            {
                "$set": {
                    self._part: {"$cond": [is_free, entered, f"${self._part}"]},
                    "expires": _END,
                }
            },
        ]

        def take(to: Collections) -> Any:
            found = to.locks.find_one_and_update(
                self._id, update, upsert=True, return_document=ReturnDocument.AFTER
            )
            to.index(to.locks)
            return found

        try:
            document = self._server.ask(take)
        except DuplicateKeyError:
            # Another made the document at this moment: he is in.
            return False
        return any(one["token"] == self.token for one in document[self._part])

    def renew(self) -> bool:
        """Stay as long again as when we came in."""
        is_mine = {"$eq": ["$$one.token", self.token]}
        stays = {"$mergeObjects": ["$$one", {"lapses": _END}]}
        renewed = {
            "$map": {
                "input": _present(self._part),
                "as": "one",
                "in": {"$cond": [is_mine, stays, "$$one"]},
            }
        }
        update = [{"$set": {self._part: renewed, "expires": _END}}]
        done = self._server.ask(
            lambda to: to.locks.find_one_and_update(
                self._id, update, return_document=ReturnDocument.AFTER
            )
        )
        there = done or {self._part: []}
        return any(one["token"] == self.token for one in there[self._part])

    def free(self) -> None:
        """Leave."""
        update = {"$pull": {self._part: {"token": self.token}}}
        self._server.ask(lambda to: to.locks.update_one(self._id, update))


def _present(part: str) -> dict[str, Any]:
    # Those whose hold has not lapsed.
    return {
        "$filter": {
            "input": {"$ifNull": [f"${part}", []]},
            "as": "one",
            "cond": {"$gt": ["$$one.lapses", "$$NOW"]},
        }
    }
