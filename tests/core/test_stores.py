"""A store as the core uses it: opened by its options, and guarded at every call."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Any, ClassVar

import pytest

from beaker import breaker
from beaker.backends.memory import MemoryNamespaceManager
from beaker.exceptions import (
    InvalidOptionError,
    StoreUnavailableError,
    UnsupportedOperationError,
)
from beaker.options import Coercer, whole_number
from beaker.protocols import Lease, NamespaceManager
from beaker.records import OBJECTS
from beaker.serializers import JSON, PICKLE
from beaker.stores import Store, StoreOpener, open_store

pytestmark = pytest.mark.usefixtures("own_registries")


class Away(Exception):  # noqa: N818 - what this client says
    """What the client of this store raises."""


class Remote(NamespaceManager):
    """A store of bytes on a server, in six methods and one option."""

    options: ClassVar[Mapping[str, Coercer]] = {"shards": whole_number}
    unavailable = (Away,)
    enumerable = True
    made: ClassVar[list[str]] = []
    is_away = False

    def prepare(self) -> None:
        self.made.append(self.namespace)
        server: dict[str, dict[str, bytes]] = vars(self).setdefault("server", {})
        self.held = server.setdefault(self.namespace, {})

    def _ask(self) -> dict[str, bytes]:
        if self.is_away:
            raise Away("no answer")
        return self.held

    def fetch(self, key: str) -> bytes | None:
        return self._ask().get(key)

    def store(self, key: str, data: bytes, ttl: float | None) -> None:
        assert ttl is None or ttl > 0
        self._ask()[key] = data

    def discard(self, key: str) -> bool:
        return self._ask().pop(key, None) is not None

    def replace(
        self, key: str, expected: bytes | None, data: bytes, ttl: float | None
    ) -> bool:
        if self._ask().get(key) != expected:
            return False
        self.store(key, data, ttl)
        return True

    def drop(self) -> None:
        self._ask().clear()

    def lease(self, key: str) -> Lease:
        return RemoteLease(self, key)

    def fill(self, key: str, data: bytes, ttl: float | None, lease: Lease) -> bool:
        self.store(key, data, ttl)
        return lease.token == key

    def keys(self) -> Iterable[str]:
        return iter(self._ask())


class RemoteLease(Lease):
    """A lease that asks the server."""

    def __init__(self, manager: Remote, key: str) -> None:
        self.manager, self.token = manager, key

    def acquire(self, wait: bool = True, timeout: float | None = None) -> bool:
        """Take it."""
        self.manager._ask()
        return wait or timeout is None

    def release(self) -> None:
        """Free it."""
        self.manager._ask()


@pytest.fixture
def remote(monkeypatch: pytest.MonkeyPatch) -> Store:
    """One namespace of such a store, whose probe comes never."""
    monkeypatch.setattr(breaker, "PROBE_EVERY", 3600)
    own: type[Remote] = type("OwnRemote", (Remote,), {"made": []})
    return open_store(own, "things", {}, "cache")


CALLS: list[tuple[str, Callable[[Store], object]]] = [
    ("fetch", lambda store: store.fetch("k")),
    ("store", lambda store: store.store("k", b"d", None)),
    ("discard", lambda store: store.discard("k")),
    ("replace", lambda store: store.replace("k", None, b"d", None)),
    ("drop", lambda store: store.drop()),
    ("acquire", lambda s: s.acquire(s.lease("k"), wait=True, timeout=None)),
    ("fill", lambda store: store.fill("k", b"d", None, store.lease("k"))),
    ("fetch_many", lambda store: store.fetch_many(["k"])),
    ("store_many", lambda store: store.store_many({"k": b"d"}, None)),
    ("discard_many", lambda store: store.discard_many(["k"])),
    ("fetch_accessed", lambda store: store.fetch_accessed("k")),
    ("touch", lambda store: store.touch("k", None, 1.0)),
    ("keys", lambda store: store.keys()),
    ("fetch", lambda store: store.nearest.fetch("k")),
    ("store", lambda store: store.nearest.store("k", b"d", None)),
]


@pytest.mark.parametrize(
    "call", [call for _, call in CALLS], ids=[name for name, _ in CALLS]
)
def test_every_call_tells_that_the_store_is_away(
    remote: Store, call: Callable[[Store], object]
) -> None:
    call(remote)
    remote.manager.is_away = True  # type: ignore[attr-defined]

    with pytest.raises(StoreUnavailableError, match=r"store OwnRemote is .*no answer"):
        call(remote)


def test_freeing_a_lease_is_no_error_though_the_store_is_away(remote: Store) -> None:
    lease = remote.lease("k")
    assert remote.acquire(lease, wait=True, timeout=None)
    remote.manager.is_away = True  # type: ignore[attr-defined]

    remote.release(lease)

    with pytest.raises(StoreUnavailableError):
        remote.fetch("k")


def test_many_records_are_handled_by_a_store_of_six_methods(remote: Store) -> None:
    remote.store_many({"a": b"1", "b": b"2"}, 60)

    assert remote.fetch_many(["a", "b", "c"]) == {"a": b"1", "b": b"2"}
    assert sorted(remote.keys()) == ["a", "b"]
    assert remote.discard_many(["a", "c"]) == 1
    assert remote.touch("b", 60, 1234.5)
    assert remote.fetch_accessed("b") == (b"2", 1234.5)
    assert list(remote.keys()) == ["b"]
    assert not remote.touch("a", 60, 1234.5)
    assert remote.fetch_accessed("a") is None


def test_what_a_store_cannot_do_is_refused_with_the_ability() -> None:
    class Silent(Remote):
        def keys(self) -> Iterable[str]:
            return NamespaceManager.keys(self)

    store = open_store(Silent, "things", {}, "cache")

    with pytest.raises(UnsupportedOperationError, match="ability 'enumerable'"):
        store.keys()


def test_a_class_takes_the_options_it_declares(remote: Store) -> None:
    given = {
        "shards": "3",
        "store_timeout": "0.5",
        "prefix": "app",
        "url": "remote://",
        "data_dir": "None",
        "other": object(),
    }

    store = open_store(type(remote.manager), "things", given, "cache")

    settings = store.manager.settings
    assert settings.own == {"shards": 3}
    assert (settings.deadline, settings.prefix, settings.url) == (
        0.5,
        "app",
        given["url"],
    )
    assert (settings.data_dir, settings.lock_dir, settings.purpose) == (
        None,
        None,
        "cache",
    )


@pytest.mark.parametrize(
    "given", [{"shards": "many"}, {"store_timeout": "soon"}, {"url": " "}]
)
def test_an_option_that_is_wrong_is_told_when_the_store_is_opened(
    remote: Store, given: dict[str, Any]
) -> None:
    with pytest.raises(InvalidOptionError, match=f"'{next(iter(given))}' takes"):
        open_store(type(remote.manager), "things", given, "cache")


def test_sessions_read_their_options_once(monkeypatch: pytest.MonkeyPatch) -> None:
    read: list[str] = []

    def note(name: str, value: Any) -> Any:
        read.append(name)
        return value

    own: type[Remote] = type("Counted", (Remote,), {"made": []})
    monkeypatch.setattr(own, "options", {"shards": note})
    opener = StoreOpener(own, {"shards": 3}, "session")

    stores = [opener.open(name) for name in ("one", "two", "three")]

    assert [store.manager.namespace for store in stores] == ["one", "two", "three"]
    assert own.made == ["one", "two", "three"]
    assert read == ["shards"]
    assert {store.manager.settings.purpose for store in stores} == {"session"}
    assert stores[0].manager.held is not stores[1].manager.held  # type: ignore[attr-defined]


def test_records_are_written_by_the_serializer_of_the_options(remote: Store) -> None:
    kind = type(remote.manager)

    plain = open_store(kind, "things", {"data_serializer": None}, "cache")
    json = open_store(kind, "things", {"data_serializer": "json"}, "cache")

    assert plain.codec.serializer is PICKLE  # type: ignore[union-attr]
    assert json.codec.serializer is JSON  # type: ignore[union-attr]
    assert json.codec.decode(json.codec.encode([1], None, 0.0)).value == [1]


def test_a_store_of_objects_has_nothing_between_it_and_its_callers() -> None:
    store = open_store(MemoryNamespaceManager, "things", {}, "cache")

    assert store.nearest is store.manager
    assert store.codec is OBJECTS
    assert (store.holds_objects, store.is_legacy) == (True, False)


def test_the_same_namespace_of_the_same_store_is_one_identity(remote: Store) -> None:
    kind = type(remote.manager)

    again = open_store(kind, "things", {"store_timeout": 5}, "cache")
    other = open_store(kind, "others", {}, "cache")

    assert remote.identity == again.identity == Store.around(remote.manager).identity
    assert remote.identity != other.identity
