"""The store in memory: bounded, self-cleaning, and of the very objects."""

from __future__ import annotations

import random
import threading
from collections import OrderedDict
from collections.abc import Callable
from typing import Any

import pytest

from beaker.backends import _shelf, memory
from beaker.backends.memory import MemoryNamespaceManager
from beaker.cache import Cache, CacheManager
from beaker.exceptions import InvalidOptionError, StoreRefusedError
from beaker.records import record_of
from beaker.session import Session
from beaker.testing._clock import Clock
from beaker.testing._processes import PATIENCE
from tests.core.conftest import Calls

pytestmark = pytest.mark.usefixtures("own_registries")


class Monotonic:
    """The clock by which records leave."""

    def __init__(self) -> None:
        self.now = 1000.0

    def __call__(self) -> float:
        """Return the present."""
        return self.now


@pytest.fixture
def monotonic(monkeypatch: pytest.MonkeyPatch) -> Monotonic:
    """A clock that stands still."""
    clock = Monotonic()
    monkeypatch.setattr(memory, "monotonic", clock)
    monkeypatch.setattr(_shelf, "monotonic", clock)
    return clock


def _store(manager: MemoryNamespaceManager, key: str, ttl: float | None) -> None:
    manager.store(key, record_of(key, ttl, 0.0), ttl)


# -- what has expired leaves


@pytest.mark.parametrize("wake", ["read", "write"])
def test_expired_records_leave_when_anybody_comes(
    monotonic: Monotonic, wake: str
) -> None:
    manager = MemoryNamespaceManager("things")
    for number in range(10_000):
        _store(manager, f"short {number}", 60)
    _store(manager, "long", 3600)
    _store(manager, "for ever", None)

    monotonic.now += 61
    if wake == "read":
        manager.fetch("nothing")
    else:
        _store(manager, "another", None)

    kept = {"long", "for ever"} | ({"another"} if wake == "write" else set())
    assert set(manager.dictionary) == kept


def test_a_record_that_is_stored_again_stays_longer(monotonic: Monotonic) -> None:
    manager = MemoryNamespaceManager("things")
    _store(manager, "k", 60)
    monotonic.now += 50
    _store(manager, "k", 60)
    monotonic.now += 50

    assert manager.fetch("k") is not None

    _store(manager, "k", None)
    monotonic.now += 1000
    assert manager.fetch("k") is not None


def test_a_record_that_was_removed_leaves_nothing_behind(monotonic: Monotonic) -> None:
    manager = MemoryNamespaceManager("things")
    for number in range(1000):
        _store(manager, f"{number}", number)
        manager.discard(f"{number}")
    _store(manager, "k", 5)
    monotonic.now += 10
    manager.purge()

    shelf = manager.dictionary
    parts = (shelf, shelf.accessed, shelf.leases, shelf.read_since, shelf._leaves_at)
    assert [len(part) for part in (*parts, shelf._leaving)] == [0] * 6


def test_storing_often_costs_no_memory_for_each_time(monotonic: Monotonic) -> None:
    manager = MemoryNamespaceManager("things")
    for _ in range(1000):
        _store(manager, "k", 86400)
        monotonic.now += 1

    assert len(manager.dictionary._leaving) == 1


def test_purging_tells_how_many_left(monotonic: Monotonic) -> None:
    manager = MemoryNamespaceManager("things")
    for number in range(5):
        _store(manager, f"{number}", 60)
    _store(manager, "k", None)
    monotonic.now += 62

    assert (manager.purge(), manager.purge()) == (5, 0)
    assert manager.size() == 1
    assert list(manager.keys()) == ["k"]


def test_a_namespace_for_each_user_costs_no_memory_for_ever(
    monotonic: Monotonic, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(memory, "TIDY_EVERY", 100)
    used = MemoryNamespaceManager("used and empty")
    _store(MemoryNamespaceManager("unused and full"), "k", None)

    for number in range(1000):
        _store(MemoryNamespaceManager(f"user {number}"), "k", 60)
        monotonic.now += 1

    names = set(MemoryNamespaceManager.namespaces.dict)
    assert len(names) < 2 * 100
    assert {"used and empty", "unused and full", "user 999"} <= names
    _store(used, "k", None)
    assert MemoryNamespaceManager("used and empty").fetch("k") is not None
    assert MemoryNamespaceManager("unused and full").fetch("k") is not None


def test_a_namespace_that_is_opened_while_others_are_forgotten_is_kept(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(memory, "TIDY_EVERY", 1)

    one, other = MemoryNamespaceManager("things"), MemoryNamespaceManager("things")

    assert one.dictionary is other.dictionary


def test_a_session_that_is_begun_while_others_are_forgotten_is_kept(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(memory, "TIDY_EVERY", 1)
    options: dict[str, Any] = {"type": "memory", "prefix": "begun"}
    session = Session({}, use_cookies=False, **options)

    MemoryNamespaceManager("things")
    session["name"] = "Ann"
    session.save()

    assert Session({}, session.id, **options)["name"] == "Ann"


# -- the bound


def test_a_namespace_holds_no_more_than_it_may() -> None:
    cache = Cache("things", max_entries="100")

    for number in range(1000):
        cache[f"{number}"] = number

    shelf = cache.namespace.dictionary  # type: ignore[attr-defined]
    assert len(shelf) == 100
    assert "999" in cache
    assert "0" not in cache


def test_at_the_bound_what_is_read_stays() -> None:
    cache = Cache("things", max_entries=100)
    hot = [f"hot {number}" for number in range(20)]
    for key in hot:
        cache[key] = key
    for number in range(80):
        cache[f"warm {number}"] = number

    for number in range(1000):
        for key in hot:
            cache.get(key)
        cache[f"cold {number}"] = number

    assert [key for key in hot if key not in cache] == []


def _hits_by_last_use(asked: list[str], limit: int) -> int:
    held: OrderedDict[str, None] = OrderedDict()
    hits = 0
    for key in asked:
        hits += key in held
        held[key] = None
        held.move_to_end(key)
        if len(held) > limit:
            held.popitem(last=False)
    return hits


def test_who_makes_what_is_evicted_meanwhile_still_stores_it() -> None:
    manager = MemoryNamespaceManager("things", max_entries=2)
    _store(manager, "k", None)
    lease = manager.lease("k")
    lease.acquire()

    for number in range(4):
        _store(manager, f"{number}", None)
    evicted = manager.fetch("k")

    assert evicted is None
    assert manager.fill("k", record_of("new", None, 0.0), None, lease)


def test_evicting_is_about_as_good_as_by_last_use() -> None:
    cache, chance = Cache("things", max_entries=100), random.Random(7)  # noqa: S311
    asked = [f"{min(int(chance.paretovariate(0.7)), 5000)}" for _ in range(10_000)]
    made = Calls()

    for key in asked:
        cache.get(key, createfunc=made)

    hits = len(asked) - made.count
    assert hits > 0.99 * _hits_by_last_use(asked, 100)


def test_asking_for_what_is_not_there_costs_no_memory() -> None:
    cache = Cache("things", max_entries=10)
    for number in range(10):
        cache[f"{number}"] = number

    for number in range(1000):
        assert f"missing {number}" not in cache

    assert len(cache.namespace.dictionary.read_since) <= 10  # type: ignore[attr-defined]


def test_replacing_at_the_bound_evicts_nothing() -> None:
    cache = Cache("things", max_entries=3)
    for key in "abc":
        cache[key] = key

    cache["a"] = "again"

    assert [key in cache for key in "abc"] == [True] * 3


def test_a_bound_that_is_none_is_refused() -> None:
    with pytest.raises(InvalidOptionError, match="'max_entries' takes a whole number"):
        Cache("things", max_entries="many")


# -- sessions


def session(name: str, **options: Any) -> MemoryNamespaceManager:
    """Open a session's namespace."""
    return MemoryNamespaceManager(name, purpose="session", **options)


def test_at_the_bound_a_new_session_is_refused_and_none_is_lost() -> None:
    for number in range(3):
        _store(session(f"{number}", max_entries=3), "session", 60)

    with pytest.raises(StoreRefusedError, match=r"3 sessions.* set max_entries higher"):
        _store(session("one more", max_entries=3), "session", 60)

    assert all(session(f"{number}").fetch("session") for number in range(3))
    _store(session("0", max_entries=3), "session", 60)


def test_a_session_that_has_timed_out_makes_room(monotonic: Monotonic) -> None:
    _store(session("old", max_entries=1), "session", 60)
    monotonic.now += 62

    _store(session("new", max_entries=1), "session", 60)

    assert session("old").fetch("session") is None


def test_a_session_is_dropped_alone() -> None:
    one, other = session("one"), session("other")
    _store(one, "session", 60)
    _store(other, "session", 60)

    one.drop()

    assert (one.fetch("session"), list(one.keys())) == (None, [])
    assert list(other.keys()) == ["session"]


def test_an_access_is_marked_beside_the_record(monotonic: Monotonic) -> None:
    one = session("one")
    _store(one, "session", 60)
    before = one.fetch_accessed("session")
    monotonic.now += 50

    assert one.touch("session", 60, 1234.0)
    monotonic.now += 50

    assert before == (one.fetch("session"), None)
    assert one.fetch_accessed("session") == (one.fetch("session"), 1234.0)
    assert not session("none").touch("session", 60, 1234.0)
    assert session("none").fetch_accessed("session") is None


def test_no_cache_can_reach_a_session() -> None:
    _store(session("id"), "session", 60)

    for name in ("", "session", "id", "\0sessions"):
        Cache(name).clear()

    assert session("id").fetch("session") is not None


def test_prefixes_keep_two_applications_apart() -> None:
    one, other = Cache("bc", prefix="a"), Cache("c", prefix="ab")
    one["k"] = "one"

    assert "k" not in other
    assert "k" not in Cache("abc")
    _store(session("id", prefix="a"), "session", None)
    assert session("id", prefix="b").fetch("session") is None


# -- what frameworks do to it


def test_clearing_all_namespaces_empties_new_caches(calls: Calls) -> None:
    CacheManager(type="memory").get_cache("things").get("k", createfunc=calls)

    MemoryNamespaceManager.namespaces.clear()

    assert "k" not in Cache("things")


def test_the_dictionary_of_a_namespace_is_found_by_its_name() -> None:
    Cache("things")["k"] = 1

    assert "things" in MemoryNamespaceManager.namespaces
    assert "k" in MemoryNamespaceManager.namespaces["things"]


def test_a_program_may_move_the_clock_of_containers(clock: Clock) -> None:
    cache = Cache("things", expire=60)
    cache["k"] = 1

    clock.advance(59)
    before = "k" in cache
    clock.advance(2)

    assert (before, "k" in cache) == (True, False)


def test_a_clock_that_is_set_back_does_not_keep_values_for_ever(clock: Clock) -> None:
    cache = Cache("things", expire=60)
    cache["k"] = "from an hour ahead"
    clock.advance(-3600)

    assert cache["k"] == "from an hour ahead"
    clock.advance(60)
    assert "k" not in cache


def test_the_very_object_is_given_out() -> None:
    cache, value = Cache("things"), object()
    cache["k"] = value

    assert cache["k"] is value


# -- as a dictionary, and under threads


def test_the_older_face_keeps_values() -> None:
    manager = MemoryNamespaceManager("things")
    manager["k"] = 1
    manager.set_value("gone", 2, expiretime=0)

    assert manager["k"] == 1
    assert ("k" in manager, "gone" in manager) == (True, False)
    assert manager.has_key("k")
    assert list(manager) == ["k", "gone"]
    del manager["k"]
    with pytest.raises(KeyError):
        manager["k"]
    with pytest.raises(KeyError):
        del manager["k"]
    manager["k"] = 1
    manager.remove()
    assert list(manager) == []


def test_a_record_is_replaced_if_it_is_the_one_expected() -> None:
    manager = MemoryNamespaceManager("things")
    one, two, other = (record_of(value, None, 0.0) for value in (1, 1, 2))

    assert manager.replace("k", None, one, None)
    assert not manager.replace("k", None, other, None)
    assert not manager.replace("k", two, other, None)
    assert manager.replace("k", one, two, None)
    assert manager.fetch("k") is two


def test_many_threads_at_the_bound_break_nothing() -> None:
    cache = Cache("things", max_entries=50, expire=60)
    errors: list[BaseException] = []

    def work(seed: int) -> None:
        chance = random.Random(seed)  # noqa: S311
        acts: list[Callable[[str], Any]] = [
            lambda key: cache.get(key, createfunc=int),
            lambda key: cache.put(key, 1),
            cache.remove_value,
            cache.has_key,
        ]
        try:
            for _ in range(1500):
                chance.choice(acts)(f"{chance.randrange(100)}")
        except BaseException as e:  # noqa: BLE001 - told below
            errors.append(e)

    threads = [threading.Thread(target=work, args=(seed,)) for seed in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(PATIENCE)

    assert errors == []
    shelf = cache.namespace.dictionary  # type: ignore[attr-defined]
    assert len(shelf) <= 50
    assert shelf.leases == {}
    assert set(shelf._leaves_at) == set(shelf)
