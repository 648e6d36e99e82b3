"""The works that are timed: what is done, on which store, with how many keys."""

from __future__ import annotations

from fnmatch import fnmatchcase
from typing import Any, NamedTuple

__all__ = ["DATA", "TTL", "VALUE", "WORKS", "Work", "chosen"]

#: What is cached: a small row of a database.
VALUE: dict[str, Any] = {
    "id": 7,
    "name": "somebody",
    "tags": ["a", "b", "c"],
    "price": 12.5,
    "text": "x" * 80,
}

#: What a session holds.
DATA: dict[str, Any] = {
    "user_id": 42,
    "name": "somebody",
    "roles": ["staff", "editor"],
    "csrf": "c" * 32,
    "next": "/a/b/c",
}

#: Seconds for which everything stays fresh: no benchmark sees an expiry.
TTL = 3600


class Work(NamedTuple):
    """One row of the tables.

    Attributes:
        store: Where the values or the sessions are.
        act: "decorated", "hit", "set", "create" or "threads" for a cache;
            "untouched", "read", "read quietly" or "write" for a session. To read
            quietly is to write down once a minute that the session is used, and not
            with each request.
        keys: How many values the namespace holds.
        is_session: Whether a request with a session is timed, rather than a cache.
    """

    store: str
    act: str
    keys: int = 1
    is_session: bool = False

    @property
    def name(self) -> str:
        """How it is called on the command line and in the tables."""
        kind = "session" if self.is_session else "cache"
        many = f" of {self.keys}" if self.keys > 1 else ""
        return f"{kind} {self.store} {self.act}{many}"


_SESSIONS = ("memory", "file", "cookie", "encrypted cookie", "redis", "sql")

WORKS = [
    *(Work("memory", act) for act in ("decorated", "hit", "set", "create", "threads")),
    *(Work("file", act, keys) for act in ("hit", "set") for keys in (1, 1000, 10_000)),
    *(Work("sqlite", act) for act in ("hit", "set")),
    *(Work("redis", act) for act in ("hit", "set", "create")),
    *(Work("memcached", act) for act in ("hit", "set", "create")),
    *(Work("sql", act) for act in ("hit", "set")),
    *(
        Work(store, act, is_session=True)
        for store in _SESSIONS
        for act in ("untouched", "read", "read quietly", "write")
    ),
]


def chosen(patterns: list[str]) -> list[Work]:
    """Return the works whose names match one of some shell patterns; all for none."""
    return [
        work
        for work in WORKS
        if not patterns or any(fnmatchcase(work.name, one) for one in patterns)
    ]
