"""What is done to a document, in the words of the server: aggregation pipelines.

All times are the server's own: ``$$NOW``. A document may be a record, which has
``data``; a lease, which has ``token`` and ``lapses``; both at once; or, for the
moment before it is reaped, neither.
"""

from __future__ import annotations

from collections.abc import Mapping
from hashlib import sha256
from math import ceil
from typing import Any

__all__ = [
    "CURRENT",
    "EXPIRED",
    "FREE",
    "HELD",
    "IS_RECORD",
    "REMOVE",
    "expected",
    "former_expiry",
    "renewed",
    "stored",
    "taken",
    "touched",
]

Update = list[dict[str, Any]]
Filter = dict[str, Any]

#: Milliseconds of the longest expiry, some 300 years.
LONGEST = 10**13

#: Bytes from which on a record is compared by its digest: what is expected and what
#: takes its place would not both fit into one command.
DIGESTED_FROM = 8192

REMOVE = "$$REMOVE"

IS_RECORD: Filter = {"data": {"$exists": True}}

#: What is a record, and not past its expiry.
CURRENT: Filter = {
    **IS_RECORD,
    "$or": [
        {"expires": {"$exists": False}},
        {"$expr": {"$gt": ["$expires", "$$NOW"]}},
    ],
}

#: What is past its expiry, and under no lease.
EXPIRED: Filter = {
    "expires": {"$exists": True},
    "$expr": {"$lte": ["$expires", "$$NOW"]},
}

#: A lease that has not lapsed.
HELD: Filter = {"$expr": {"$gt": ["$lapses", "$$NOW"]}}

#: A lease is given back. What is left of one that was no record is reaped.
FREE: Update = [
    {
        "$set": {
            "token": REMOVE,
            "lapses": REMOVE,
            "expires": {
                "$cond": [{"$eq": [{"$type": "$data"}, "missing"]}, "$$NOW", "$expires"]
            },
        }
    }
]


def stored(fields: Mapping[str, Any], data: bytes, ttl: float | None) -> Update:
    """Return what makes a document this record, without a lease."""
    return [
        {
            "$set": {
                **fields,
                "data": data,
                "digest": _digest_of(data) or REMOVE,
                "expires": _lifetime(ttl),
                "token": REMOVE,
                "lapses": REMOVE,
            }
        }
    ]


def expected(data: bytes) -> Filter:
    """Return what a document meets whose record is these bytes."""
    digest = _digest_of(data)
    return {"data": data} if digest is None else {"digest": digest}


def touched(ttl: float | None, accessed: float) -> Update:
    """Return what marks a record as accessed, and keeps it for so long from now."""
    return [{"$set": {"accessed": accessed, "expires": _lifetime(ttl)}}]


def taken(fields: Mapping[str, Any], token: str, life: int) -> Update:
    """Return what puts a token on a document, unless it bears another that holds.

    Args:
        fields: What the document holds if there was none.
        token: The token.
        life: Milliseconds until it lapses.
    """
    # What is missing is less than any time.
    is_free = {"$or": [{"$eq": ["$token", token]}, {"$lte": ["$lapses", "$$NOW"]}]}
    return [
        {"$set": {**fields, "token": {"$cond": [is_free, token, "$token"]}}},
        *_extended(token, life),
    ]


def renewed(token: str, life: int) -> Update:
    """Return what lets the lease with this token last so many milliseconds from now."""
    return _extended(token, life)


def former_expiry(ttl: float | None) -> dict[str, Any]:
    """Return the expiry of a document of 1.x: as 1.x reads it, and as it is reaped."""
    end = _lifetime(ttl)
    seconds = None if ttl is None else {"$divide": [{"$toLong": end}, 1000]}
    return {"expiration": seconds, "expires": end}


def _lifetime(ttl: float | None) -> Any:
    """Return the time of an expiry: whole milliseconds, as the server counts."""
    if ttl is None:
        return REMOVE
    return {"$add": ["$$NOW", min(max(1, ceil(ttl * 1000)), LONGEST)]}


def _digest_of(data: bytes) -> bytes | None:
    """Return the digest by which a record is compared; None for a small one."""
    return sha256(data).digest() if len(data) >= DIGESTED_FROM else None


def _extended(token: str, life: int) -> Update:
    is_mine = {"$eq": ["$token", token]}
    end = {"$add": ["$$NOW", life]}
    # A document is reaped neither before its record nor before its lease ends.
    lasts = {"$max": ["$expires", end]}
    is_for_ever = {
        "$and": [
            {"$ne": [{"$type": "$data"}, "missing"]},
            {"$eq": [{"$type": "$expires"}, "missing"]},
        ]
    }
    return [
        {
            "$set": {
                "lapses": {"$cond": [is_mine, end, "$lapses"]},
                "expires": {
                    "$cond": [
                        is_mine,
                        {"$cond": [is_for_ever, REMOVE, lasts]},
                        "$expires",
                    ]
                },
            }
        }
    ]
