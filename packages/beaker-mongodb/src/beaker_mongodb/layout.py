"""Which collections there are, and their indexes."""

from __future__ import annotations

import logging
import time
from typing import Any

import pymongo
from bson.codec_options import CodecOptions
from pymongo import IndexModel, MongoClient
from pymongo.collection import Collection

from beaker_mongodb.refusals import AWAY

__all__ = ["Client", "Collections", "Documents"]

Client = MongoClient[dict[str, Any]]
Documents = Collection[dict[str, Any]]

_log = logging.getLogger("beaker.store.ext:mongodb")

#: Seconds that the making of indexes may take.
INDEX_PATIENCE = 5.0

#: Seconds for which it is believed that there are no sessions of 1.x, or still some.
#: For so long the first of them goes unseen; only who finds no session of 2.x asks.
FORMER_CHECKED_EVERY = 1.0

_EXPIRY = IndexModel("expires", expireAfterSeconds=0)
_NAMESPACE = IndexModel(
    # Sessions and locks have no namespace, and no need to be in there.
    "namespace",
    partialFilterExpression={"namespace": {"$exists": True}},
)


class Collections:
    """The collections of one client.

    Attributes:
        records: Those of 2.x, with the leases on them.
        former: The sessions of 1.x, under the name that it misspelt.
        locks: Those of `MongoSynchronizer`.
    """

    __slots__ = (
        "_former_checked",
        "_has_former",
        "_indexed",
        "client",
        "former",
        "locks",
        "records",
    )

    def __init__(self, client: Client, database: str) -> None:
        self.client = client
        # Whatever its user has set for documents of his own.
        plain: Any = CodecOptions()
        chosen = client.get_database(database, codec_options=plain)
        self.records: Documents = chosen["beaker_cache"]
        self.former: Documents = chosen["backer_cache"]
        self.locks: Documents = chosen["beaker_locks"]
        self._indexed: set[str] = set()
        self._has_former, self._former_checked = False, -FORMER_CHECKED_EVERY

    def index(self, written: Documents) -> None:
        """Make the indexes of a collection that was written to, once per client.

        Where they are made already, or are being made by another, that is all right.
        """
        name = written.name
        if name in self._indexed:
            return
        wanted = [_EXPIRY, _NAMESPACE] if name == self.records.name else [_EXPIRY]
        try:
            with pymongo.timeout(INDEX_PATIENCE):
                written.create_indexes(wanted)
        except AWAY as e:
            # The document is written, and the next who writes makes them.
            _log.debug("%s has no indexes yet: %s", name, e)
        else:
            self._indexed.add(name)

    def saw_former(self) -> None:
        """Note that there is a session of 1.x."""
        self._has_former, self._former_checked = True, time.monotonic()

    def has_former(self) -> bool:
        """Return whether there are sessions of 1.x, as of a second ago at most."""
        now = time.monotonic()
        if now >= self._former_checked + FORMER_CHECKED_EVERY:
            self._has_former = self.former.find_one({}, {"_id": 1}) is not None
            self._former_checked = now
        return self._has_former
