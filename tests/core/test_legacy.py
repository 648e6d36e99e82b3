"""Store classes that were written for Beaker 1.x run unchanged, of every kind."""

from __future__ import annotations

import pickle
import threading
from collections.abc import Iterator
from typing import Any, ClassVar

import pytest

import beaker.cache
from beaker import breaker
from beaker.bases import AbstractDictionaryNSManager, OpenResourceNamespaceManager
from beaker.breaker import breaker_for
from beaker.cache import Cache, CacheManager
from beaker.container import Container, MemoryNamespaceManager, NamespaceManager, Value
from beaker.exceptions import (
    InvalidCacheBackendError,
    MissingCacheParameter,
    StoreUnavailableError,
    UnsupportedOperationError,
)
from beaker.hookspecs import hookimpl
from beaker.legacy import is_legacy
from beaker.plugins import register, unregister
from beaker.records import record_of
from beaker.registry import SyncDict
from beaker.stores import Store, open_store
from beaker.synchronization import file_synchronizer, null_synchronizer
from beaker.testing._clock import Clock
from beaker.testing._processes import PATIENCE
from beaker.util import verify_directory
from tests.core.conftest import Calls

pytestmark = pytest.mark.usefixtures("own_registries")

Server = dict[str, dict[Any, bytes]]

#: What the classes below keep, as a server would: hashes of bytes by name.
server: Server = {}


class Hashes(NamespaceManager):
    """As most are: a hash on a server, pickled here; no set_value, no lock."""

    given: ClassVar[dict[str, Any]] = {}

    def __init__(
        self,
        namespace: str,
        dsn: str = "localhost:6379/0",
        data_dir: str | None = None,
        lock_dir: str | None = None,
        **params: Any,
    ) -> None:
        super().__init__(namespace)
        type(self).given = params
        self.lock_dir = lock_dir or (data_dir or ".") + "/container_lock"
        if lock_dir:
            verify_directory(lock_dir)
        self.hash = server.setdefault(f"{dsn}/{namespace}", {})

    def __contains__(self, key: object) -> int:  # type: ignore[override]
        return int(key in self.hash)

    def __getitem__(self, key: Any) -> Any:
        if key not in self.hash:
            raise KeyError(key)
        return pickle.loads(self.hash[key])

    def __setitem__(self, key: Any, value: Any) -> None:
        self.hash[key] = pickle.dumps(value)

    def __delitem__(self, key: Any) -> None:
        del self.hash[key]

    def do_remove(self) -> None:
        self.hash.clear()

    def keys(self) -> list[Any]:
        return list(self.hash)


class WithoutExpiry(Hashes):
    """Its set_value takes no expiretime."""

    def set_value(self, key: Any, value: Any) -> None:  # type: ignore[override]
        self.hash[key] = pickle.dumps(value)


class WithExpiry(Hashes):
    """Its set_value hands whole seconds to its client, and its lock is a file's."""

    expiries: ClassVar[list[Any]] = []

    def set_value(self, key: Any, value: Any, expiretime: Any = None) -> None:
        if expiretime is not None and type(expiretime) is not int:
            raise ValueError("value is not an integer or out of range")
        self.expiries.append(expiretime)
        self.hash[key] = pickle.dumps(value)

    def get_creation_lock(self, key: Any) -> Any:
        return file_synchronizer(f"hashes/{self.namespace}/{key!r}", self.lock_dir)


class NoneForMissing(Hashes):
    """As for memcached: a missing key is None, and nobody lists the keys."""

    def __contains__(self, key: object) -> bool:
        return True

    def __getitem__(self, key: Any) -> Any:
        found = self.hash.get(key)
        return None if found is None else pickle.loads(found)

    def __delitem__(self, key: Any) -> None:
        self.hash.pop(key, None)

    def keys(self) -> Any:
        raise NotImplementedError("memcached does not support iteration")


class UnpicklesNone(Hashes):
    """It unpickles what its client answers, None too."""

    def __contains__(self, key: object) -> bool:
        return True

    def __getitem__(self, key: Any) -> Any:
        return pickle.loads(self.hash.get(key))  # type: ignore[arg-type]


class OwnInit(Hashes):
    """It imports its client in a hook that the base calls."""

    client: ClassVar[Any] = None

    @classmethod
    def _init_dependencies(cls) -> None:
        cls.client = "imported"

    def __init__(self, namespace: str, **params: Any) -> None:
        super().__init__(namespace, **params)
        assert self.client == "imported"


class Resource(OpenResourceNamespaceManager):
    """It opens a file of pickles for as long as somebody reads or writes."""

    opened: ClassVar[list[tuple[str, bool]]] = []

    def __init__(self, namespace: str, lock_dir: str = "", **params: Any) -> None:
        self.lock_dir, self.params = lock_dir, params
        super().__init__(namespace)
        self.content: dict[Any, Any] = {}

    def get_access_lock(self) -> Any:
        return file_synchronizer(f"resource/{self.namespace}", self.lock_dir)

    def get_creation_lock(self, key: Any) -> Any:
        return file_synchronizer(f"resource/{self.namespace}/{key!r}", self.lock_dir)

    def do_open(self, flags: str, replace: bool) -> None:
        self.opened.append((flags, replace))
        stored = server.setdefault(self.namespace, {})
        self.flags, self.content = flags, pickle.loads(stored.get("", b"}."))

    def do_close(self) -> None:
        if self.flags == "c":
            server[self.namespace][""] = pickle.dumps(self.content)
        self.content = {}

    def do_remove(self) -> None:
        server[self.namespace] = {}

    def __getitem__(self, key: Any) -> Any:
        return self.content[key]

    def __contains__(self, key: object) -> bool:
        return key in self.content

    def __setitem__(self, key: Any, value: Any) -> None:
        self.content[key] = value

    def __delitem__(self, key: Any) -> None:
        del self.content[key]

    def keys(self) -> Any:
        return self.content.keys()


class Dictionary(AbstractDictionaryNSManager):
    """It keeps objects in a dictionary of its own."""

    namespaces: ClassVar[SyncDict] = SyncDict()

    def __init__(self, namespace: str, **params: Any) -> None:
        super().__init__(namespace)
        self.params = params
        self.dictionary = self.namespaces.get(namespace, dict)


class OwnMemory(MemoryNamespaceManager):
    """The memory store, with namespaces of its own."""

    namespaces: ClassVar[SyncDict] = SyncDict()


class LoudMemory(MemoryNamespaceManager):
    """The memory store, with something to say about each value that is read."""

    namespaces: ClassVar[SyncDict] = SyncDict()
    said: ClassVar[list[Any]] = []

    def __getitem__(self, key: Any) -> Any:
        self.said.append(key)
        return super().__getitem__(key)


KINDS = [
    *(Hashes, WithoutExpiry, WithExpiry, NoneForMissing, UnpicklesNone, OwnInit),
    *(Resource, Dictionary, OwnMemory, LoudMemory),
]


@pytest.fixture(autouse=True)
def empty_server() -> Iterator[None]:
    """Nothing on the server."""
    yield
    server.clear()
    Dictionary.namespaces.clear()
    OwnMemory.namespaces.clear()
    LoudMemory.namespaces.clear()


@pytest.fixture(params=KINDS, ids=lambda kind: kind.__name__)
def kind(request: pytest.FixtureRequest) -> type[NamespaceManager]:
    """Each kind of class, registered as a plugin is."""
    beaker.cache.clsmap["former"] = request.param
    return request.param  # type: ignore[no-any-return]


@pytest.fixture
def manager(kind: type[NamespaceManager], tmp_path: Any) -> CacheManager:
    """A manager of caches on it."""
    assert is_legacy(kind) == (kind is not OwnMemory)
    return CacheManager(type="former", lock_dir=str(tmp_path), expire=60)


@pytest.fixture
def cache(manager: CacheManager) -> Cache:
    """One of these caches."""
    return manager.get_cache("things")


# -- caches on each kind


def test_values_are_kept_found_and_removed(cache: Cache, calls: Calls) -> None:
    assert cache.get("ü k", createfunc=calls) == "value 1"
    assert cache.get("ü k", createfunc=calls) == "value 1"
    cache["l"] = None
    assert cache.get("l", createfunc=calls) is None
    assert ("ü k" in cache, "m" in cache) == (True, False)

    del cache["ü k"]
    cache.remove_value("never there")

    assert "ü k" not in cache
    assert cache.get("ü k", createfunc=calls) == "value 2"


def test_values_expire(cache: Cache, calls: Calls, clock: Clock) -> None:
    cache.get("k", createfunc=calls)
    clock.advance(60)

    assert "k" not in cache
    assert cache.get("k", createfunc=calls) == "value 2"


def test_clearing_empties_the_namespace(cache: Cache, manager: CacheManager) -> None:
    other = manager.get_cache("others")
    cache["k"], other["k"] = 1, 2

    cache.clear()

    assert ("k" in cache, "k" in other) == (False, True)


def test_functions_are_decorated_and_invalidated(
    manager: CacheManager, calls: Calls
) -> None:
    @manager.cache("tag")
    def load(term: str) -> str:
        return calls(term)

    assert [load("a"), load("a")] == ["value 1", "value 1"]

    manager.invalidate(load, "tag", "a")

    assert load("a") == "value 2"


def test_of_many_threads_one_makes_a_value(cache: Cache) -> None:
    may_finish, made, found = threading.Event(), Calls(), []

    def create() -> str:
        may_finish.wait(PATIENCE)
        return made()

    callers = [
        threading.Thread(target=lambda: found.append(cache.get("k", createfunc=create)))
        for _ in range(4)
    ]
    for caller in callers:
        caller.start()
    may_finish.set()
    for caller in callers:
        caller.join(PATIENCE)

    assert (found, made.count) == (["value 1"] * 4, 1)


def test_a_value_serves_alone(kind: type[NamespaceManager], tmp_path: Any) -> None:
    namespace = kind("things", lock_dir=str(tmp_path))

    value = Value("k", namespace, createfunc=lambda: "made", expiretime=5)

    assert (value.has_value(), value.get_value()) == (False, "made")
    assert value.has_current_value()
    value.clear_value()
    assert not value.has_value()


def test_a_class_may_lock_nothing(calls: Calls) -> None:
    class Unlocked(Hashes):
        def get_creation_lock(self, _key: Any) -> Any:
            return null_synchronizer()

    beaker.cache.clsmap["former"] = Unlocked
    cache = Cache("things", type="former")

    found = [cache.get("k", createfunc=calls) for _ in range(2)]

    assert found == ["value 1", "value 1"]


# -- what they are given, and what is done for them


def test_a_class_of_1x_is_given_every_option_that_is_left() -> None:
    beaker.cache.clsmap["former"] = Hashes

    Cache("things", type="former", expire=5, hkey_prefix="cache", ttl="60", url="u")

    assert Hashes.given == {"hkey_prefix": "cache", "ttl": "60", "url": "u"}


def test_whole_seconds_are_handed_to_clients() -> None:
    beaker.cache.clsmap["former"] = WithExpiry
    WithExpiry.expiries.clear()
    cache = Cache("things", type="former", expire=3600)

    cache["k"] = 1
    cache.put("l", 1, expiretime=0.5)
    cache.put("m", 1, expiretime=None)

    assert WithExpiry.expiries == [3900, 1, None]
    assert cache["k"] == 1


def test_what_it_holds_is_what_1x_held(clock: Clock) -> None:
    beaker.cache.clsmap["former"] = Hashes

    Cache("things", type="former", expire=5)["ü"] = "v"

    held = server["localhost:6379/0/things"]
    assert {key: pickle.loads(data) for key, data in held.items()} == {
        b"\\xfc": (clock.now, 5, "v")
    }


def test_records_without_an_expiry_are_older_still() -> None:
    beaker.cache.clsmap["former"] = Hashes
    cache = Cache("things", type="former")
    server["localhost:6379/0/things"][b"k"] = pickle.dumps((1000.0, "from before 1.1"))

    assert cache["k"] == "from before 1.1"
    with pytest.raises(KeyError):
        cache.get("k", starttime=1000.5)


def test_the_write_lock_is_asked_for_as_1x_did(tmp_path: Any) -> None:
    class Strict(Hashes):
        locked: ClassVar[list[Any]] = []

        def acquire_write_lock(self, *args: Any, **kwargs: Any) -> bool:
            self.locked.append((args, kwargs))
            return True

    beaker.cache.clsmap["former"] = Strict
    Cache("things", type="former")["k"] = 1
    session = open_store(Strict, "id", {"lock_dir": str(tmp_path)}, "session")
    session.store("session", record_of("s", None, 0.0), None)

    assert Strict.locked == [((), {}), ((), {"replace": True})]


def test_its_keys_are_listed_if_it_lists_them(cache: Cache) -> None:
    cache["k"] = 1
    store = cache.values.store

    if isinstance(cache.namespace, NoneForMissing):
        with pytest.raises(UnsupportedOperationError, match="NoneForMissing cannot"):
            store.keys()
    elif not isinstance(cache.namespace, Resource):
        assert store.keys() == ["k"]


def test_a_session_is_what_the_class_holds_itself() -> None:
    store = open_store(Hashes, "some.id", {"dsn": "d"}, "session")
    one, two = record_of("one", None, 0.0), record_of("two", None, 0.0)

    assert store.replace("session", None, one, None)
    assert not store.replace("session", None, two, None)
    found = store.fetch("session")
    assert store.replace("session", found, two, None)
    assert not store.replace("session", found, one, None)

    assert pickle.loads(server["d/some.id"]["session"]) == "two"
    assert store.fetch_accessed("session") == (store.fetch("session"), None)
    assert store.touch("session", 60, 1.0)
    assert store.discard("session")
    assert not store.touch("session", 60, 1.0)


def test_containers_of_1x_make_values() -> None:
    class HashesContainer(Container):
        namespace_manager = Hashes

    namespace = HashesContainer.create_namespace("things", dsn="d")
    value = HashesContainer("k", namespace, createfunc=lambda: "made")

    assert value.get_value() == "made"
    assert list(server["d/things"]) == [b"k"]


def test_what_a_class_changes_in_a_store_of_ours_is_heeded() -> None:
    class Nothing(MemoryNamespaceManager):
        def __setitem__(self, _key: Any, _value: Any) -> None: ...
        def set_value(self, *_arguments: Any, **_others: Any) -> None: ...

    beaker.cache.clsmap.update(loud=LoudMemory, nothing=Nothing)
    LoudMemory.said.clear()
    Cache("things", type="loud")["k"] = 1
    Cache("things", type="nothing")["k"] = 1

    assert Cache("things", type="loud")["k"] == 1
    assert b"k" in LoudMemory.said
    assert "k" not in Cache("things", type="nothing")


class KeepsNothing:
    """As applications put one in for their tests."""

    def __getitem__(self, key: Any) -> Any:
        raise KeyError(key)

    def __setitem__(self, key: Any, value: Any) -> None: ...

    def __contains__(self, key: object) -> bool:
        return False


class Counted(dict[Any, Any]):
    """As bounded dictionaries are: it sees each write."""

    written = 0

    def __setitem__(self, key: Any, value: Any) -> None:
        self.written += 1
        super().__setitem__(key, value)


def memory_with(dictionary: type[Any]) -> type[MemoryNamespaceManager]:
    class Own(MemoryNamespaceManager):
        namespaces: ClassVar[SyncDict] = SyncDict()

        def __init__(self, namespace: str, **_params: Any) -> None:
            AbstractDictionaryNSManager.__init__(self, namespace)
            self.dictionary = self.namespaces.get(self.namespace, dictionary)

    return Own


def test_a_subclass_of_the_memory_store_may_bring_its_own_dictionary(
    calls: Calls,
) -> None:
    bounded = memory_with(Counted)
    beaker.cache.clsmap.update(lru=bounded, nocache=memory_with(KeepsNothing))

    kept = [Cache("things", type="lru").get("k", createfunc=calls) for _ in "12"]
    made = [Cache("things", type="nocache").get("k", createfunc=calls) for _ in "12"]

    assert kept[0] == kept[1]
    assert made[0] != made[1]
    assert bounded.namespaces["things"].written == 1


def test_a_subclass_that_only_adds_to_what_the_memory_store_does_works(
    calls: Calls,
) -> None:
    class Noting(MemoryNamespaceManager):
        namespaces: ClassVar[SyncDict] = SyncDict()

        def __init__(self, namespace: str, **params: Any) -> None:
            super().__init__(namespace, **params)
            self.note = "made"

    beaker.cache.clsmap["noting"] = Noting
    cache = Cache("things", type="noting")

    assert cache.get("k", createfunc=calls) == cache.get("k", createfunc=calls)
    cache.clear()
    assert "k" not in cache


# -- what may fail


def test_a_class_may_say_what_it_misses() -> None:
    class Missing(Hashes):
        @classmethod
        def _init_dependencies(cls) -> None:
            raise InvalidCacheBackendError("hashes need their client")

    class Demanding(Hashes):
        def __init__(self, namespace: str, **params: Any) -> None:
            if "url" not in params:
                raise MissingCacheParameter("url is required")
            super().__init__(namespace)

    beaker.cache.clsmap.update(missing=Missing, demanding=Demanding)

    with pytest.raises(InvalidCacheBackendError, match="need their client"):
        Cache("things", type="missing")
    with pytest.raises(MissingCacheParameter, match="url is required"):
        Cache("things", type="demanding")


class ClientError(Exception):
    """What the client of a plugin raises; nobody here knows it."""


class Failing(Hashes):
    """A plugin whose server is away, or whose lock is lost."""

    fails: ClassVar[str] = ""

    def _ask(self, what: str) -> None:
        if what in self.fails:
            raise ClientError(f"no answer to {what}")

    def __contains__(self, key: object) -> int:  # type: ignore[override]
        self._ask("contains")
        return super().__contains__(key)

    def __setitem__(self, key: Any, value: Any) -> None:
        self._ask("set")
        super().__setitem__(key, value)

    def get_creation_lock(self, _key: Any) -> Any:
        self._ask("make a lock")
        manager = self

        class Lock:
            def acquire(self, *, wait: bool) -> bool:
                manager._ask("acquire")
                return wait

            def release(self) -> None:
                manager._ask("release")

        return Lock()


@pytest.fixture
def failing(monkeypatch: pytest.MonkeyPatch) -> Iterator[type[Failing]]:
    """A class of this test's own, whose store is not probed."""
    monkeypatch.setattr(breaker, "PROBE_EVERY", 3600)
    own: type[Failing] = type("OwnFailing", (Failing,), {})
    beaker.cache.clsmap["failing"] = own
    yield own
    own.fails = ""


@pytest.mark.parametrize("what", ["contains", "make a lock", "acquire", "set"])
def test_a_value_is_made_whatever_fails(failing: type[Failing], what: str) -> None:
    failing.fails = what
    cache = Cache("things", type="failing")

    assert cache.get("k", createfunc=lambda: "made") == "made"
    assert cache.values.store.manager is cache.namespace
    with pytest.raises(StoreUnavailableError, match=f"no answer to {what}"):
        cache.put("k", 1)


def test_a_lock_that_is_lost_does_not_cost_the_value(
    failing: type[Failing], caplog: pytest.LogCaptureFixture
) -> None:
    failing.fails = "release"
    cache = Cache("things", type="failing")

    assert cache.get("k", createfunc=lambda: "made") == "made"

    assert cache["k"] == "made"
    assert "creation lock of b'k' is not given back: no answer to" in caplog.text


def test_two_places_of_one_class_fail_apart(failing: type[Failing]) -> None:
    here = Cache("things", type="failing", dsn="here")
    there = Cache("things", type="failing", dsn="there")
    there["k"] = "there"
    failing.fails = "contains"
    here.get("k", createfunc=int)
    failing.fails = ""

    assert there["k"] == "there"
    with pytest.raises(StoreUnavailableError):
        here.put("k", 1)


@pytest.mark.parametrize(
    "damaged",
    [
        b"",
        b"junk",
        b"\x80\x04",
        b"cno_such_module\nname\n.",
        b"cbuiltins\nno_such_name\n.",
        pickle.dumps(5),
        pickle.dumps("text"),
        pickle.dumps((1, 2, 3, 4)),
        pickle.dumps(("not", "a", "record")),
        pickle.dumps({"a": 1}),
    ],
)
def test_a_damaged_record_is_a_miss_and_not_an_outage(
    damaged: bytes, calls: Calls
) -> None:
    class Rejections:
        heard: list[Any] = []  # noqa: RUF012 - gone with the test

        @hookimpl
        def record_rejected(self, key: str) -> None:
            self.heard.append(key)

    beaker.cache.clsmap["former"] = Hashes
    cache = Cache("things", type="former")
    cache["neighbour"] = "well"
    server["localhost:6379/0/things"][b"k"] = damaged
    rejections = Rejections()
    register(rejections)
    try:
        assert "k" not in cache
        assert cache.get("k", createfunc=calls) == "value 1"
    finally:
        unregister(rejections)

    assert rejections.heard == ["k", "k"]
    assert (cache["k"], cache["neighbour"]) == ("value 1", "well")


def test_a_mistake_in_a_plugin_is_no_outage() -> None:
    class Mistaken(Hashes):
        def __contains__(self, key: object) -> int:  # type: ignore[override]
            raise AttributeError("my own fault")

    beaker.cache.clsmap["former"] = Mistaken

    for _ in range(2):
        with pytest.raises(AttributeError, match="my own fault"):
            Cache("things", type="former").get("k", createfunc=int)


def test_a_class_that_stores_nothing_says_so() -> None:
    class Unfinished(NamespaceManager):
        def __getitem__(self, key: Any) -> Any:
            raise KeyError(key)

    with pytest.raises(NotImplementedError):
        Cache("things", type=Unfinished)["k"] = 1  # type: ignore[arg-type]


def test_a_manager_made_elsewhere_has_the_breaker_of_its_class() -> None:
    namespace = Hashes("things")
    store = Store.around(namespace)

    assert store.identity == Store.around(namespace).identity
    assert store.identity != Store.around(Hashes("others")).identity
    place = f"{Hashes.__module__}.Hashes"
    assert store.identity == (breaker_for((Hashes, place, None), place), "things")
