"""What the core asks of every store: bytes in, the same bytes out, step by step."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from beaker.exceptions import MissingCacheParameter
from beaker.protocols import NamespaceManager

from .local_stores import KINDS, Open, opener

#: Namespaces and keys of which a careless store makes one, or that lead astray.
ODD = [
    ("a", "b/c"),
    ("a/b", "c"),
    ("a", "b\0c"),
    ("a\0b", "c"),
    ("a", ""),
    ("", "a"),
    ("", ""),
    ("a", "\0"),
    ("a", "\0\0"),
    ("a", "\0token:x"),
    ("a", "x"),
    ("..", "../../x"),
    (".", "/etc/passwd"),
    ("a.b", "c.d"),
    ("ab", "cd"),
    ("A", "X"),
    ("ä☃", "\N{GRINNING FACE}\r\n"),
    ("\ud800", "\udfff"),
    ("x" * 10_000, "y" * 10_000),
    ("x" * 10_000 + "z", "y" * 10_000 + "z"),
]


@pytest.fixture(params=list(KINDS))
def open_namespace(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Open]:
    with opener(request.param, tmp_path / "data") as open_namespace:
        yield open_namespace


@pytest.fixture
def store(open_namespace: Open) -> NamespaceManager:
    return open_namespace()


def test_what_was_stored_comes_back(store: NamespaceManager) -> None:
    data = bytes(range(256)) * 5

    store.store("key", data, 60)

    assert store.fetch("key") == data


def test_nothing_comes_back_where_nothing_was_stored(store: NamespaceManager) -> None:
    assert store.fetch("key") is None
    assert store.fetch_many(["key"]) == {}
    assert store.fetch_accessed("key") is None
    assert list(store.keys()) == []


def test_an_empty_record_is_not_an_absent_one(store: NamespaceManager) -> None:
    store.store("key", b"", None)

    assert store.fetch("key") == b""
    assert list(store.keys()) == ["key"]


def test_storing_replaces_what_was_there(store: NamespaceManager) -> None:
    store.store("key", b"a long first record", None)
    store.store("key", b"short", 60)

    assert store.fetch("key") == b"short"
    assert store.size() == 1


def test_a_megabyte_is_a_record_like_any_other(store: NamespaceManager) -> None:
    data = bytes(range(256)) * 4096
    store.store("key", data, None)

    assert store.replace("key", data, data[::-1], None)

    assert store.fetch("key") == data[::-1]


def test_another_manager_of_the_namespace_sees_the_same(open_namespace: Open) -> None:
    open_namespace("one").store("key", b"data", None)

    assert open_namespace("one").fetch("key") == b"data"
    assert open_namespace("other").fetch("key") is None
    assert open_namespace("one").sibling("other").fetch("key") is None
    assert open_namespace("other").sibling("one").fetch("key") == b"data"


def test_a_discarded_record_is_gone(store: NamespaceManager) -> None:
    store.store("key", b"data", None)

    assert store.discard("key")
    assert store.fetch("key") is None
    assert not store.discard("key")


def test_replacing_needs_what_is_expected(store: NamespaceManager) -> None:
    store.store("key", b"one", None)

    assert not store.replace("key", b"two", b"three", 60)
    assert not store.replace("key", None, b"three", 60)
    assert store.fetch("key") == b"one"
    assert store.replace("key", b"one", b"three", 60)
    assert store.fetch("key") == b"three"


def test_replacing_an_absent_record_needs_none_to_be_there(
    store: NamespaceManager,
) -> None:
    assert not store.replace("key", b"", b"one", None)
    assert store.fetch("key") is None
    assert store.replace("key", None, b"one", None)
    assert not store.replace("key", None, b"two", None)
    assert store.fetch("key") == b"one"


def test_dropping_takes_the_namespace_and_no_other(open_namespace: Open) -> None:
    names = ["user", "user:x", "use", "User", "user*", "", "us%"]
    for name in names:
        open_namespace(name).store_many({"a": b"1", "b": b"2"}, None)

    open_namespace("user").drop()

    assert open_namespace("user").size() == 0
    assert open_namespace("user").fetch("a") is None
    assert [open_namespace(name).size() for name in names[1:]] == [2] * 6


def test_a_dropped_namespace_can_be_used_and_dropped_again(
    store: NamespaceManager,
) -> None:
    store.drop()
    store.store("key", b"one", None)
    store.drop()
    store.store("key", b"two", None)

    assert store.fetch("key") == b"two"


def test_odd_names_are_names_like_any_other(open_namespace: Open) -> None:
    for number, (name, key) in enumerate(ODD):
        open_namespace(name).store(key, b"%d" % number, None)

    for number, (name, key) in enumerate(ODD):
        assert open_namespace(name).fetch(key) == b"%d" % number
        assert open_namespace(name).replace(key, b"%d" % number, b"new", None)
        assert open_namespace(name).touch(key, None, 1.0)
    for name in {name for name, _ in ODD}:
        keys = [key for other, key in ODD if other == name]
        assert sorted(open_namespace(name).keys()) == sorted(keys)
    assert all(open_namespace(name).discard(key) for name, key in ODD)


def test_odd_names_have_leases_of_their_own(open_namespace: Open) -> None:
    leases = [open_namespace(name).lease(key) for name, key in ODD]

    for number, lease in enumerate(leases):
        assert lease.acquire(wait=False), ODD[number]
    for number, (name, key) in enumerate(ODD):
        assert open_namespace(name).fill(key, b"%d" % number, None, leases[number])

    for number, (name, key) in enumerate(ODD):
        assert open_namespace(name).fetch(key) == b"%d" % number


def test_odd_session_ids_are_sessions_of_their_own(
    open_namespace: Open, tmp_path: Path
) -> None:
    names = sorted(
        {name for pair in ODD for name in pair} | {"abc.x", "abcx", "a" * 201}
    )
    for name in names:
        open_namespace(name, purpose="session").store("session", name_of(name), None)

    for name in names:
        session = open_namespace(name, purpose="session")
        assert session.fetch("session") == name_of(name)
        assert list(session.keys()) == ["session"]
    assert {path.name for path in tmp_path.iterdir()} == {"data"}


def test_a_session_is_no_cache_of_the_same_name(open_namespace: Open) -> None:
    open_namespace("abc").store("session", b"cache", None)
    open_namespace("abc", purpose="session").store("session", b"session", None)

    open_namespace("abc").drop()

    assert open_namespace("abc", purpose="session").fetch("session") == b"session"


def test_a_dropped_session_is_gone_and_its_neighbours_are_not(
    open_namespace: Open,
) -> None:
    mine = open_namespace("abc1", purpose="session")
    theirs = open_namespace("abc2", purpose="session")
    mine.store("session", b"mine", None)
    theirs.store("session", b"theirs", None)

    mine.drop()

    assert mine.fetch("session") is None
    assert theirs.fetch("session") == b"theirs"


def test_a_prefix_keeps_applications_apart(open_namespace: Open) -> None:
    for purpose in ("cache", "session"):
        for prefix in ("", "one", "two"):
            store = open_namespace("name", prefix=prefix, purpose=purpose)
            store.store("session", prefix.encode(), None)

        for prefix in ("", "one", "two"):
            store = open_namespace("name", prefix=prefix, purpose=purpose)
            assert store.fetch("session") == prefix.encode()


def test_many_at_once_are_the_same_as_one_by_one(store: NamespaceManager) -> None:
    records = {f"key {number}": b"%d" % number for number in range(50)}

    store.store_many(records, 60)

    assert store.fetch_many([*records, "absent"]) == records
    assert set(store.keys()) == set(records)
    assert store.discard_many(["absent", *list(records)[:20]]) == 20
    assert store.size() == 30


def test_none_at_once_is_nothing(store: NamespaceManager) -> None:
    store.store_many({}, None)

    assert store.fetch_many([]) == {}
    assert store.discard_many([]) == 0


def test_a_record_past_its_ttl_is_not_listed_and_can_be_purged(
    store: NamespaceManager, monkeypatch: pytest.MonkeyPatch
) -> None:
    store.store_many({"short": b"1", "brief": b"2"}, 60)
    store.store("long", b"3", 7200)
    store.store("eternal", b"4", None)

    an_hour_from_now(monkeypatch)

    assert set(store.keys()) == {"long", "eternal"}
    assert store.size() == 2
    assert store.purge() == 2
    assert store.purge() == 0
    assert store.fetch("short") is None
    assert store.fetch("long") == b"3"
    assert store.fetch("eternal") == b"4"


def test_storing_anew_moves_the_deadline(
    store: NamespaceManager, monkeypatch: pytest.MonkeyPatch
) -> None:
    for key in ("stored", "replaced", "filled", "touched"):
        store.store(key, b"old", 60)

    store.store("stored", b"new", None)
    store.replace("replaced", b"old", b"new", 7200)
    store.touch("touched", None, time.time())
    lease = store.lease("filled")
    lease.acquire()
    store.fill("filled", b"new", 7200, lease)
    an_hour_from_now(monkeypatch)

    assert store.purge() == 0
    assert store.size() == 4


def test_touching_marks_a_record(store: NamespaceManager) -> None:
    store.store("key", b"data", 60)

    assert store.touch("key", 60, 1234567890.25)

    assert store.fetch_accessed("key") == (b"data", 1234567890.25)
    assert store.fetch("key") == b"data"


def test_touching_makes_nothing(store: NamespaceManager) -> None:
    assert not store.touch("key", 60, 1234567890.0)

    assert store.fetch("key") is None
    assert store.fetch_accessed("key") is None
    assert list(store.keys()) == []


def test_a_lease_is_held_by_one(store: NamespaceManager) -> None:
    lease, other = store.lease("key"), store.lease("key")

    assert lease.acquire()

    assert not other.acquire(wait=False)
    assert is_free(store, "other")
    lease.release()
    assert is_free(store, "key")


def test_the_holder_of_a_lease_stores_and_thereby_frees_it(
    store: NamespaceManager,
) -> None:
    lease = store.lease("key")
    lease.acquire()

    assert store.fill("key", b"data", 60, lease)

    assert store.fetch("key") == b"data"
    assert is_free(store, "key")
    lease.release()


def test_a_lease_stores_once_and_under_its_own_key(store: NamespaceManager) -> None:
    lease = store.lease("key")
    lease.acquire()

    assert not store.fill("other", b"data", 60, lease)
    assert store.fill("key", b"data", 60, lease)
    assert not store.fill("key", b"again", 60, lease)

    assert store.fetch("other") is None
    assert store.fetch("key") == b"data"


def test_a_lease_that_is_not_held_stores_nothing(store: NamespaceManager) -> None:
    lease = store.lease("key")
    assert not store.fill("key", b"early", 60, lease)
    lease.acquire()
    lease.release()

    assert not store.fill("key", b"late", 60, lease)

    assert store.fetch("key") is None


def test_a_lease_alone_is_no_record(
    store: NamespaceManager, monkeypatch: pytest.MonkeyPatch
) -> None:
    lease = store.lease("key")

    lease.acquire()

    assert store.fetch("key") is None
    assert store.fetch_many(["key"]) == {}
    assert store.fetch_accessed("key") is None
    assert list(store.keys()) == []
    assert store.size() == 0
    assert not store.touch("key", 60, 1.0)
    assert not store.replace("key", b"", b"data", None)
    an_hour_from_now(monkeypatch)
    assert store.purge() == 0
    assert store.fill("key", b"data", None, lease)


INVALIDATIONS: dict[str, Callable[[NamespaceManager], object]] = {
    "store": lambda store: store.store("key", b"new", None),
    "store_many": lambda store: store.store_many({"key": b"new"}, None),
    "discard": lambda store: store.discard("key"),
    "discard_many": lambda store: store.discard_many(["key"]),
    "drop": lambda store: store.drop(),
    "replace": lambda store: store.replace("key", store.fetch("key"), b"new", None),
}


@pytest.mark.parametrize("before", [None, b"old"])
@pytest.mark.parametrize("how", INVALIDATIONS)
def test_what_began_before_an_invalidation_is_not_stored_after_it(
    open_namespace: Open, how: str, before: bytes | None
) -> None:
    store = open_namespace()
    if before is not None:
        store.store("key", before, None)
    lease = store.lease("key")
    lease.acquire()

    INVALIDATIONS[how](open_namespace())
    left = store.fetch("key")

    assert not store.fill("key", b"stale", None, lease)
    assert store.fetch("key") == left
    lease.release()


def test_a_failed_replacement_breaks_no_lease(store: NamespaceManager) -> None:
    lease = store.lease("key")
    lease.acquire()

    assert not store.replace("key", b"other", b"new", 60)

    assert store.fill("key", b"data", 60, lease)


def test_a_purge_breaks_no_lease(
    store: NamespaceManager, monkeypatch: pytest.MonkeyPatch
) -> None:
    store.store("key", b"stale", 60)
    lease = store.lease("key")
    lease.acquire()
    an_hour_from_now(monkeypatch)

    store.purge()

    assert store.fill("key", b"fresh", None, lease)
    assert store.fetch("key") == b"fresh"


def test_the_place_names_the_store_and_its_directory(
    open_namespace: Open, tmp_path: Path
) -> None:
    place = open_namespace().place()

    assert place.split(" at ")[0] in KINDS
    assert str(tmp_path / "data") in place


def test_opening_touches_no_disk(open_namespace: Open, tmp_path: Path) -> None:
    open_namespace().lease("key")

    assert not (tmp_path / "data").exists()


@pytest.mark.parametrize("kind", KINDS)
def test_without_a_directory_the_error_says_which_option_to_set(kind: str) -> None:
    with pytest.raises(MissingCacheParameter, match=f"{kind!r}.* option 'data_dir'"):
        KINDS[kind]("namespace")


def is_free(store: NamespaceManager, key: str) -> bool:
    lease = store.lease(key)
    is_ours = lease.acquire(wait=False)
    lease.release()
    return is_ours


def name_of(name: str) -> bytes:
    return name.encode("utf-8", "surrogatepass")


def an_hour_from_now(monkeypatch: pytest.MonkeyPatch) -> None:
    now = time.time()
    monkeypatch.setattr(time, "time", lambda: now + 3600)
