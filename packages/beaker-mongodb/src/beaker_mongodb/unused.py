"""Removes the sessions in a database that nobody has used for long."""

from __future__ import annotations

import time
from collections.abc import Iterator
from typing import Any

from beaker.protocols import Purged
from beaker_mongodb import updates
from beaker_mongodb.layout import Collections, Documents
from beaker_mongodb.names import is_session_of, ranges_of_sessions, session_id
from beaker_mongodb.server import Server

__all__ = ["purge_unused", "session_ids"]

#: How many documents one command works on, so that it ends within the deadline.
PAGE = 500


def purge_unused(
    server: Server, prefix: str, unused_for: float, *, dry_run: bool
) -> Iterator[Purged]:
    """Look at all sessions; see `NamespaceManager.purge_sessions`.

    Those of 1.x are looked at where there is no prefix. Nobody knows when one was used
    that 2.x has never touched: it counts as used now, and a later purge removes it.
    """
    before = time.time() - unused_for
    examined = removed = 0
    for page in _pages(server, prefix):
        ours = [each for each in page if is_session_of(each, prefix)]
        examined += len(ours)
        unused = [each["_id"] for each in ours if each.get("accessed", before) < before]
        removed += _removed(server, unused, before, dry_run=dry_run)
        yield Purged(examined, removed)
    if not prefix:
        seen, gone = _purge_former(server, before, dry_run=dry_run)
        examined, removed = examined + seen, removed + gone
    yield Purged(examined, removed, examined)


def session_ids(server: Server, prefix: str) -> Iterator[str]:
    """Yield the ids of all sessions; see `NamespaceManager.session_ids`."""

    def former(to: Collections) -> list[dict[str, Any]]:
        if prefix or not to.has_former():
            return []
        wanted = {"value": {"$exists": True}}
        return list(to.former.find(wanted, {"_id": 1}).limit(PAGE))

    for each in server.ask(former):
        yield str(each["_id"]).removesuffix(":session")
    for page in _pages(server, prefix):
        for each in page:
            known = session_id(each["_id"], prefix)
            if known is not None and is_session_of(each, prefix):
                yield known


def _pages(server: Server, prefix: str) -> Iterator[list[dict[str, Any]]]:
    for first, end in ranges_of_sessions(prefix):
        after = first
        while page := _page(server, after, end):
            yield page
            after = page[-1]["_id"]


def _page(server: Server, after: str, end: str) -> list[dict[str, Any]]:
    wanted = {"_id": {"$gt": after, "$lt": end}, **updates.IS_RECORD}
    fields = {"accessed": 1, "prefix": 1}
    return server.ask(
        lambda to: list(to.records.find(wanted, fields).sort("_id", 1).limit(PAGE))
    )


def _removed(server: Server, ids: list[str], before: float, *, dry_run: bool) -> int:
    if dry_run or not ids:
        return len(ids)
    # One may have been used since we looked.
    unused = {"_id": {"$in": ids}, "accessed": {"$lt": before}}
    return server.ask(lambda to: to.records.delete_many(unused)).deleted_count


def _purge_former(server: Server, before: float, *, dry_run: bool) -> tuple[int, int]:
    is_over = {"expiration": {"$ne": None, "$lt": time.time()}}
    unused = {
        "value": {"$exists": True},
        "$or": [{"accessed": {"$lt": before}}, is_over],
    }
    untold = {"value": {"$exists": True}, "accessed": {"$exists": False}}

    def purge(to: Collections) -> tuple[int, int]:
        former: Documents = to.former
        if not to.has_former():
            return 0, 0
        seen = former.count_documents({"value": {"$exists": True}})
        if dry_run:
            return seen, former.count_documents(unused)
        gone = former.delete_many(unused).deleted_count
        former.update_many(untold, {"$set": {"accessed": time.time()}})
        return seen, gone

    return server.ask(purge)
