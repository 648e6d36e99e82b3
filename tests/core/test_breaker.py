"""A store that is away is left alone until it is back, and caches go on without it."""

from __future__ import annotations

import gc
import logging
import threading
import weakref
from collections.abc import Callable, Iterator
from typing import Any

import pytest

import beaker.cache
from beaker import breaker
from beaker.backends.memory import MemoryNamespaceManager
from beaker.breaker import breaker_for
from beaker.cache import Cache, CacheManager
from beaker.exceptions import StoreUnavailableError
from beaker.hookspecs import hookimpl
from beaker.plugins import register, unregister
from beaker.testing._clock import Clock
from beaker.testing._processes import PATIENCE, fork, succeeds
from tests.core.conftest import Calls

pytestmark = pytest.mark.usefixtures("own_registries")


class Down(Exception):  # noqa: N818 - what this client says
    """What the client of the store raises when it does not answer."""


class Server(MemoryNamespaceManager):
    """A store on a server that goes and comes as a test likes."""

    unavailable = (Down,)
    is_down = False
    asked = 0
    fails_at: str | None = None

    def _ask(self, what: str) -> None:
        type(self).asked += 1
        if self.is_down or self.fails_at == what:
            raise Down(what)

    def fetch(self, key: str) -> Any:
        self._ask("fetch")
        return super().fetch(key)

    def store(self, key: str, data: Any, ttl: float | None) -> None:
        self._ask("store")
        super().store(key, data, ttl)

    def fill(self, *arguments: Any) -> bool:
        self._ask("fill")
        return super().fill(*arguments)

    def discard(self, key: str) -> bool:
        self._ask("discard")
        return super().discard(key)

    def ping(self) -> None:
        if self.is_down or self.fails_at:
            raise Down("ping")

    def place(self) -> str:
        return "ext:server at example.org"


@pytest.fixture
def server(monkeypatch: pytest.MonkeyPatch) -> Iterator[type[Server]]:
    """The class of a store of this test's own; its probe comes every few ms."""
    monkeypatch.setattr(breaker, "PROBE_EVERY", 0.005)
    own: type[Server] = type("OwnServer", (Server,), {})
    beaker.cache.clsmap["server"] = own
    yield own
    own.is_down, own.fails_at = False, None
    _until(lambda: breaker_for((own, own("x").place(), None), "").cause is None)


@pytest.fixture
def cache(server: type[Server]) -> Cache:
    """A cache on it."""
    assert server.asked == 0
    return Cache("things", type="server", expire=60)


def _until(reached: Callable[[], bool]) -> None:
    pause = threading.Event()
    for _ in range(int(PATIENCE / 0.005)):
        if reached():
            return
        pause.wait(0.005)
    pytest.fail("that does not happen")


# -- a cache without its store


def test_a_value_is_made_though_its_store_is_down(
    cache: Cache, server: type[Server], calls: Calls
) -> None:
    server.is_down = True

    assert cache.get("k", createfunc=calls) == "value 1"
    assert cache.get("k", createfunc=calls) == "value 2"


def test_a_decorated_function_answers_though_its_store_is_down(
    server: type[Server], calls: Calls
) -> None:
    @CacheManager(type="server").cache()
    def load(term: str) -> str:
        return calls(term)

    server.is_down = True

    assert [load("a"), load("a")] == ["value 1", "value 2"]


def test_after_the_first_failure_the_store_is_not_asked_again(
    cache: Cache, server: type[Server], calls: Calls
) -> None:
    server.is_down = True
    cache.get("k", createfunc=calls)
    asked = server.asked

    cache.get("k", createfunc=calls)
    with pytest.raises(StoreUnavailableError):
        cache.put("k", 1)

    assert asked == 1
    assert server.asked == asked


def test_all_caches_of_a_store_know_that_it_is_down(
    cache: Cache, server: type[Server], calls: Calls
) -> None:
    other = Cache("others", type="server")
    server.is_down = True
    cache.get("k", createfunc=calls)
    asked = server.asked

    other.get("k", createfunc=calls)

    assert server.asked == asked


def test_what_cannot_be_made_up_for_is_told(cache: Cache, server: type[Server]) -> None:
    server.is_down = True

    for call in (
        lambda: cache.get("k"),
        lambda: cache.put("k", 1),
        lambda: cache.remove_value("k"),
        lambda: "k" in cache,
    ):
        with pytest.raises(StoreUnavailableError) as caught:
            call()
        assert "store ext:server at example.org is unavailable: " in str(caught.value)
        assert isinstance(caught.value.cause, Down)


def test_a_store_that_goes_while_a_value_is_made_does_not_cost_it(
    cache: Cache, server: type[Server]
) -> None:
    def create() -> str:
        server.is_down = True
        return "made"

    assert cache.get("k", createfunc=create) == "made"


@pytest.mark.parametrize("moment", ["fetch", "fill"])
def test_a_store_may_go_at_any_moment(
    cache: Cache, server: type[Server], moment: str
) -> None:
    server.fails_at = moment

    assert cache.get("k", createfunc=lambda: "made") == "made"
    assert breaker_for((server, cache.namespace.place(), None), "").cause is not None


def test_an_expired_value_that_was_read_is_served_when_the_store_goes(
    cache: Cache, server: type[Server], clock: Clock
) -> None:
    class Going(server):  # type: ignore[misc, valid-type]
        def lease(self, key: str) -> Any:
            lease = super().lease(key)

            def fail(*_: Any) -> bool:
                raise Down

            lease.acquire = fail
            return lease

    cache["k"] = "old"
    clock.advance(61)
    beaker.cache.clsmap["going"] = Going
    going = Cache("things", type="going")
    going.namespace.dictionary = cache.namespace.dictionary  # type: ignore[attr-defined]

    assert going.get("k", createfunc=str) == "old"


# -- back again


def test_a_store_that_is_back_is_used_again(
    cache: Cache, server: type[Server], calls: Calls
) -> None:
    server.is_down = True
    cache.get("k", createfunc=calls)
    server.is_down = False
    _until(
        lambda: breaker_for((server, cache.namespace.place(), None), "").cause is None
    )

    found = [cache.get("k", createfunc=calls), cache.get("k", createfunc=calls)]

    assert found == ["value 2", "value 2"]


def test_each_change_is_logged_and_told_once(
    cache: Cache, server: type[Server], caplog: pytest.LogCaptureFixture
) -> None:
    class Watch:
        def __init__(self) -> None:
            self.heard: list[tuple[Any, ...]] = []
            self.back = threading.Event()

        @hookimpl
        def store_failed(self, store: str, error: BaseException) -> None:
            self.heard.append(("failed", store, type(error)))

        @hookimpl
        def store_back(self, store: str) -> None:
            self.heard.append(("back", store))
            self.back.set()

    watch = Watch()
    register(watch)
    caplog.set_level(logging.INFO, "beaker.store")
    server.is_down = True
    for _ in range(5):
        cache.get("k", createfunc=int)
    server.is_down = False
    back = watch.back.wait(PATIENCE)
    unregister(watch)

    place = "ext:server at example.org"
    assert back
    assert watch.heard == [("failed", place, Down), ("back", place)]
    assert [(record.name, record.getMessage()) for record in caplog.records] == [
        ("beaker.store.ext:server", f"{place} is unavailable: fetch"),
        ("beaker.store.ext:server", f"{place} is back"),
    ]


def test_of_many_that_fail_at_once_one_looks_whether_the_store_is_back(
    cache: Cache, server: type[Server], caplog: pytest.LogCaptureFixture
) -> None:
    all_ask = threading.Barrier(8, timeout=PATIENCE)

    def fail(_server: Server, _key: str) -> Any:
        all_ask.wait()
        raise Down("fetch")

    server.is_down, server.fetch = True, fail  # type: ignore[assignment, method-assign]
    callers = [
        threading.Thread(target=cache.get, args=("k",), kwargs={"createfunc": int})
        for _ in range(8)
    ]
    for caller in callers:
        caller.start()
    for caller in callers:
        caller.join(PATIENCE)

    assert _running(f"beaker probe of {cache.namespace.place()}") == 1
    assert len(caplog.records) == 1


def test_a_forked_child_finds_out_for_itself(
    cache: Cache, server: type[Server]
) -> None:
    server.is_down = True
    cache.get("k", createfunc=int)

    def child() -> bool:
        server.is_down = False
        cache["k"] = "from the child"
        return bool(cache["k"] == "from the child")

    assert succeeds(fork(child))


def test_a_store_that_nobody_uses_any_more_is_not_asked_whether_it_is_back(
    server: type[Server], calls: Calls, caplog: pytest.LogCaptureFixture
) -> None:
    # What is logged keeps the error, and by that the frames of who used the store.
    caplog.set_level(logging.CRITICAL, logger="beaker.store.ext:server")
    server.is_down = True
    cache = Cache("things", type="server", expire=60)
    cache.get("k", createfunc=calls)
    name = f"beaker probe of {cache.namespace.place()}"
    assert _running(name) == 1

    del cache
    gc.collect()

    _until(lambda: not _running(name))


def _running(name: str) -> int:
    return [thread.name for thread in threading.enumerate()].count(name)


def test_a_retired_breaker_asks_no_more(cache: Cache, server: type[Server]) -> None:
    server.is_down = True
    cache.get("key", createfunc=lambda: "made")
    (probe,) = (one for one in threading.enumerate() if "ext:server" in one.name)
    shared = breaker_for((server, cache.namespace.place(), None), "")

    shared.retire()

    probe.join(PATIENCE)
    assert not probe.is_alive()
    assert shared.cause is None
    cache.get("key", createfunc=lambda: "made")
    assert shared.cause is not None


def test_where_no_thread_is_to_be_had_every_call_asks(
    cache: Cache, server: type[Server], monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(_thread: threading.Thread) -> None:
        raise RuntimeError("can't start new thread")

    monkeypatch.setattr(threading.Thread, "start", refuse)
    server.is_down = True
    cache.get("k", createfunc=int)
    asked = server.asked

    cache.get("k", createfunc=int)

    assert server.asked > asked


# -- what counts as away


def test_a_mistake_is_no_outage(cache: Cache, server: type[Server]) -> None:
    class Mistaken(server):  # type: ignore[misc, valid-type]
        def fetch(self, _key: str) -> Any:
            raise TypeError("my own fault")

    beaker.cache.clsmap["mistaken"] = Mistaken

    for _ in range(2):
        with pytest.raises(TypeError, match="my own fault"):
            Cache("things", type="mistaken").get("k", createfunc=int)
    assert cache.get("k", createfunc=int) == 0


def test_a_store_may_call_every_exception_an_outage(server: type[Server]) -> None:
    class Broad(server):  # type: ignore[misc, valid-type]
        unavailable = (Exception,)

    beaker.cache.clsmap["broad"] = Broad
    cache = Cache("things", type="broad")
    server.is_down = True

    told = []
    for _ in range(3):
        with pytest.raises(StoreUnavailableError) as caught:
            cache.get("k")
        told.append(str(caught.value))

    assert len(set(told)) == 1


def test_two_places_have_two_breakers(server: type[Server]) -> None:
    here = breaker_for((server, "here"), "here")
    there = breaker_for((server, "there"), "there")

    assert here is not there
    assert breaker_for((server, "here"), "here") is here


def test_a_breaker_that_nobody_uses_is_forgotten() -> None:
    forgotten = weakref.ref(breaker_for("forgotten", "x"))

    gc.collect()

    assert forgotten() is None
