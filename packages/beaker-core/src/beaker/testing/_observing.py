"""What the tests of all suites ask of a store: what is there, and what is free."""

from __future__ import annotations

from collections.abc import Collection

from beaker.protocols import NamespaceManager
from beaker.testing._processes import PATIENCE
from beaker.testing._servers import wait_until

__all__ = ["HOSTILE", "holds", "is_free", "wait_until_past"]

#: Namespaces and keys of which a careless store makes one, or that lead it astray.
HOSTILE = [
    ("a", "b:c"),
    ("a:b", "c"),
    ("a", "b:c#"),
    ("a#b", "c"),
    ("a", "b/c"),
    ("a/b", "c"),
    ("a", "b\0c"),
    ("a\0b", "c"),
    ("a", "b_c"),
    ("a_b", "c"),
    ("{a}", "b"),
    ("a}", "{b"),
    ("", "a"),
    ("a", ""),
    ("", ""),
    ("a", "\0"),
    ("a", "\0\0"),
    ("a", "\0token:x"),
    ("a*", "?"),
    ("..", "../../x"),
    (".", "/etc/passwd"),
    ("a.b", "c.d"),
    ("ab", "cd"),
    ("A", "B:C"),
    ("a", "B:C"),
    ("a ", "b:c"),
    ("a", "b:c "),
    ("$where", "$a.b"),
    ("ä\N{SNOWMAN}", "\N{GRINNING FACE}\r\n "),
    ("a\N{COMBINING DIAERESIS}\N{SNOWMAN}", "\N{GRINNING FACE}\r\n "),
    ("\ud800", "\udfff"),
    ("x" * 3000, "y" * 3000),
    ("x" * 3000 + "z", "y" * 3000),
    ("x" * 3000, "y" * 3000 + "z"),
]


def holds(store: NamespaceManager, keys: Collection[str]) -> bool:
    """Return whether these records are there and, where it can be told, no others."""
    if store.enumerable:
        return sorted(store.keys()) == sorted(keys) and store.size() == len(keys)
    return store.fetch_many(keys).keys() == set(keys)


def wait_until_past(
    store: NamespaceManager, key: str, patience: float = PATIENCE
) -> None:
    """Return once a record is past its ttl, as far as this store can tell.

    Who lists keys leaves it out, and who forgets by himself no longer has it.
    """

    def is_past() -> bool:
        if store.enumerable:
            return key not in store.keys()  # noqa: SIM118 - these are no dictionary's
        return not store.expires_natively or store.fetch(key) is None

    wait_until(is_past, lambda: f"record {key!r} is still there", patience)


def is_free(store: NamespaceManager, key: str) -> bool:
    """Return whether the lease on a key can be had."""
    lease = store.lease(key)
    is_ours = lease.acquire(wait=False)
    lease.release()
    return is_ours
