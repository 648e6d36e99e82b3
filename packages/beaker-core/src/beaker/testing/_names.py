"""Names: no two namespaces, keys, sessions or applications share a record."""

from __future__ import annotations

import pytest

from beaker.protocols import NamespaceManager
from beaker.testing._observing import HOSTILE, holds
from beaker.testing._suite import Opener, StoreSuite

__all__ = ["NameTests"]

#: Session ids that a program may give; ours are 32 hexadecimal digits.
IDS = sorted(
    {name for pair in HOSTILE for name in pair}
    | {"0" * 32, "abc.x", "abcx", "a" * 201, "#@!", "\r\nset x", "é" * 200}
)


class NameTests(StoreSuite):
    """Part of `NamespaceManagerSuite`."""

    def test_hostile_names_never_share_a_record(self, open_namespace: Opener) -> None:
        """Whatever characters are in them, and however long they are."""
        records = [b"%d" % number for number in range(len(HOSTILE))]
        for (name, key), data in zip(HOSTILE, records, strict=True):
            open_namespace(name).store(key, data, 60)

        for (name, key), data in zip(HOSTILE, records, strict=True):
            store = open_namespace(name)
            assert store.fetch(key) == data, (name[:20], key[:20])
            assert store.touch(key, 60, 1.0)
            assert store.replace(key, store.fetch(key), data, 60)
        assert all(open_namespace(name).discard(key) for name, key in HOSTILE)

    def test_hostile_keys_are_listed_as_they_were_given(
        self, open_namespace: Opener
    ) -> None:
        """Without prefix, namespace or escape, and none of a neighbour."""
        for name, key in HOSTILE:
            open_namespace(name).store(key, b"data", None)

        for name in {name for name, _ in HOSTILE}:
            keys = [key for other, key in HOSTILE if other == name]
            assert holds(open_namespace(name), keys), name[:20]

    def test_hostile_names_have_leases_of_their_own(
        self, open_namespace: Opener
    ) -> None:
        """Who creates one value keeps nobody from creating another."""
        stores = [open_namespace(name) for name, _ in HOSTILE]
        leases = [
            store.lease(key) for store, (_, key) in zip(stores, HOSTILE, strict=True)
        ]

        for lease, named in zip(leases, HOSTILE, strict=True):
            assert lease.acquire(wait=False), named

        for number, (_, key) in enumerate(HOSTILE):
            assert stores[number].fill(key, b"%d" % number, 60, leases[number])
        for number, (_, key) in enumerate(HOSTILE):
            assert stores[number].fetch(key) == b"%d" % number

    def test_dropping_leaves_neighbours_alone(self, open_namespace: Opener) -> None:
        """Exactly this namespace goes: no pattern, no prefix, not the server."""
        names = ["user", "user:x", "use", "user*", "User", "", "us%", "{user}", "u_er"]
        for name in names:
            open_namespace(name).store_many({"a": b"1", "b": b"2"}, 60)

        open_namespace("user").drop()

        assert open_namespace("user").fetch("a") is None
        assert holds(open_namespace("user"), [])
        assert all(holds(open_namespace(name), ["a", "b"]) for name in names[1:])

    def test_a_dropped_namespace_can_be_used_and_dropped_again(
        self, open_namespace: Opener
    ) -> None:
        """An empty one, too."""
        store = open_namespace()
        store.drop()
        store.store("key", b"one", None)
        store.drop()
        store.drop()
        assert holds(store, [])

        store.store("key", b"two", None)

        assert store.fetch("key") == b"two"

    def test_all_managers_of_a_namespace_see_the_same(
        self, open_namespace: Opener
    ) -> None:
        """And those of another do not, however they were made."""
        open_namespace("one").store("key", b"data", 60)

        assert open_namespace("one").fetch("key") == b"data"
        assert open_namespace("other").fetch("key") is None
        assert open_namespace("one").sibling("other").fetch("key") is None
        assert open_namespace("other").sibling("one").fetch("key") == b"data"

    @pytest.mark.parametrize("purpose", ["cache", "session"])
    def test_a_prefix_keeps_applications_apart(
        self, open_namespace: Opener, purpose: str
    ) -> None:
        """Two applications may have one server, and the same names."""
        prefixes = ["", "one", "two"]
        for prefix in prefixes:
            store = open_namespace("name", prefix=prefix, purpose=purpose)
            store.store("session", prefix.encode(), 60)

        open_namespace("name", prefix="two", purpose=purpose).drop()

        found = [
            open_namespace("name", prefix=prefix, purpose=purpose).fetch("session")
            for prefix in prefixes
        ]
        assert found == [b"", b"one", None]

    @pytest.mark.parametrize("purpose", ["cache", "session"])
    def test_no_prefix_runs_into_the_name_behind_it(
        self, open_namespace: Opener, purpose: str
    ) -> None:
        """Joined without more ado, these would all be one."""
        together = [("", "abc"), ("a", "bc"), ("ab", "c"), ("", "a:bc"), ("a:", "bc")]

        for prefix, name in together:
            store = open_namespace(name, prefix=prefix, purpose=purpose)
            store.store("session", f"{prefix} {name}".encode(), 60)

        for prefix, name in together:
            found = open_namespace(name, prefix=prefix, purpose=purpose)
            assert found.fetch("session") == f"{prefix} {name}".encode()

    # -- sessions: the namespace is the id, and holds the one key "session"

    def test_odd_session_ids_are_sessions_of_their_own(
        self, open_namespace: Opener
    ) -> None:
        """Those that a program gives may hold anything."""
        for number, name in enumerate(IDS):
            session = open_namespace(name, purpose="session")
            assert session.replace("session", None, b"%d" % number, 60), name[:20]

        for number, name in enumerate(IDS):
            session = open_namespace(name, purpose="session")
            assert session.fetch("session") == b"%d" % number, name[:20]
            assert holds(session, ["session"])

    @pytest.mark.parametrize("id", ["0" * 32, "a:b.c", ""])
    def test_a_session_is_kept_touched_and_removed(
        self, open_namespace: Opener, id: str
    ) -> None:
        """All that the core does to one."""
        session, data, new = open_namespace(id, purpose="session"), b"data", b"new"

        assert session.replace("session", None, data, 60)
        assert not session.replace("session", None, new, 60)
        assert session.touch("session", 60, 1234.5)
        assert session.fetch_accessed("session") == (data, 1234.5)
        assert session.replace("session", data, new, 60)
        assert not session.replace("session", data, b"newer", 60)
        assert session.fetch_many(["session"]) == {"session": new}
        assert session.discard("session")
        assert not session.discard("session")
        assert not session.touch("session", 60, 1.0)
        assert session.fetch_accessed("session") is None

    def test_a_dropped_session_is_gone_and_its_neighbours_are_not(
        self, open_namespace: Opener
    ) -> None:
        """One visitor leaves."""
        names = ["a", "a:b", "aa", "{a}", "a b", "A", ""]
        for name in names:
            open_namespace(name, purpose="session").store("session", b"data", 60)

        open_namespace("a", purpose="session").drop()

        there = [
            open_namespace(name, purpose="session").fetch("session") for name in names
        ]
        assert there == [None] + [b"data"] * (len(names) - 1)

    def test_a_session_is_no_cache_of_the_same_name(
        self, open_namespace: Opener
    ) -> None:
        """Emptying a cache logs nobody out."""
        cache = open_namespace("name")
        session = open_namespace("name", purpose="session")
        session.store("session", b"session", 60)
        cache.store("session", b"cache", 60)

        cache.drop()

        assert session.fetch("session") == b"session"
        assert cache.fetch("session") is None

    def test_one_session_opens_others(self, open_namespace: Opener) -> None:
        """As the core does for each request."""
        first = open_namespace("one", purpose="session")
        other: NamespaceManager = first.sibling("other")

        other.store("session", b"data", 60)

        assert first.fetch("session") is None
        again = open_namespace("other", purpose="session")
        assert again.fetch("session") == b"data"
        assert other.settings.purpose == "session"
