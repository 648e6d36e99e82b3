"""One computation per value, and what becomes of the next when a creator does not end."""

from __future__ import annotations

import asyncio
import threading
from collections import Counter
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from functools import partial
from typing import Any

import pytest

from beaker.cache import Cache, CacheManager
from beaker.protocols import NamespaceManager
from beaker.testing._caches import (
    EXPIRE,
    CacheTests,
    OpenCache,
    create_when_told,
    creating,
    put_expired,
    soon,
)
from beaker.testing._holders import batches
from beaker.testing._observing import is_free
from beaker.testing._processes import (
    PATIENCE,
    Child,
    at_once,
    child,
    fork,
    succeeds,
)
from beaker.testing._stampede import Stampede
from beaker.testing._strangers import can_be_sent
from beaker.testing._suite import Opener, needs, rounds

__all__ = ["CreationTests"]


class CreationTests(CacheTests):
    """Part of `RegionSuite`."""

    @pytest.fixture(params=["threads", "processes"])
    def stampede(
        self, request: pytest.FixtureRequest, open_namespace: Opener
    ) -> Iterator[Stampede]:
        """Many who want what the cache "things" has: 16 threads, or 4 x 16."""
        with _gathered(open_namespace, request.param) as crowd:
            yield crowd

    @pytest.fixture(params=["threads", "processes"])
    def loops(
        self, request: pytest.FixtureRequest, open_namespace: Opener
    ) -> Iterator[Stampede]:
        """As many, who await it, each in a loop of its own."""
        with _gathered(open_namespace, request.param, awaits=True) as crowd:
            yield crowd

    # -- one computation

    def test_an_absent_value_is_made_once_however_many_ask(
        self, stampede: Stampede, cache: Cache
    ) -> None:
        """All others wait for it, and are given it."""
        for number in range(rounds()):
            key = f"key {number}"

            stampede.ask_for(key)
            stampede.let_creators_finish()

            assert stampede.answers(stampede.size) == {"new": stampede.size}
            assert stampede.creations == 1
            assert cache[key] == "new"

    def test_while_one_makes_an_expired_value_all_others_are_served_the_old_one(
        self, stampede: Stampede, cache: Cache
    ) -> None:
        """The creator is blocked until all of them have their answers."""
        for number in range(rounds()):
            key = f"key {number}"
            put_expired(cache, key, "old")

            stampede.ask_for(key)
            meanwhile = stampede.answers(stampede.size - 1)
            stampede.let_creators_finish()
            last = stampede.answers(1)

            assert meanwhile == {"old": stampede.size - 1}
            assert last == {"new": 1}
            assert stampede.creations == 1
            assert cache[key] == "new"

    def test_different_values_are_made_at_the_same_time(self, cache: Cache) -> None:
        """Each creator waits for the other here."""
        both_run = threading.Barrier(2)

        def create() -> bool:
            return both_run.wait(PATIENCE) >= 0

        found = at_once(2, lambda n: cache.get(f"key {n}", createfunc=create))

        assert found == [True, True]

    def test_of_many_calls_of_a_coroutine_function_one_computes(
        self, own_options: dict[str, Any]
    ) -> None:
        """Tasks of one loop, and the tasks of the next."""
        calls = []

        @CacheManager(**own_options).cache(expire=EXPIRE)
        async def load(number: int) -> str:
            calls.append(number)
            await asyncio.sleep(0.01)
            return f"value {len(calls)}"

        async def main() -> Counter[str]:
            return Counter(await asyncio.gather(*(load(1) for _ in range(64))))

        assert asyncio.run(main()) == {"value 1": 64}
        assert asyncio.run(main()) == {"value 1": 64}
        assert calls == [1]

    def test_loops_that_await_one_value_compute_it_once(self, loops: Stampede) -> None:
        """Among threads and processes, as those do that call."""
        for number in range(rounds()):
            loops.ask_for(f"key {number}")
            loops.let_creators_finish()

            assert loops.answers(loops.size) == {"new": loops.size}
            assert loops.creations == 1

    # -- creators that do not end well

    def test_a_creator_that_raises_frees_the_lock_and_stores_nothing(
        self, cache: Cache, open_cache: OpenCache
    ) -> None:
        """The error is his, and the next one creates."""

        def fail() -> None:
            raise LookupError("mine")

        with pytest.raises(LookupError, match="mine"):
            cache.get("key", createfunc=fail)

        assert "key" not in cache
        assert is_free(open_cache().namespace, "key")
        assert soon(open_cache(), "key", "made") == "made"

    def test_a_creator_that_raises_takes_the_old_value_from_nobody(
        self, cache: Cache
    ) -> None:
        """It is served while the next one creates."""
        put_expired(cache, "key", "old")

        def fail() -> None:
            raise LookupError("mine")

        with pytest.raises(LookupError):
            cache.get("key", createfunc=fail)
        with creating(cache, "key", "new") as answers:
            assert soon(cache, "key", "mine") == "old"

        assert answers == ["new"]

    @needs("fork", "shared_between_processes")
    @pytest.mark.usefixtures("brief_leases")
    def test_a_creator_that_is_killed_is_replaced(self, cache: Cache) -> None:
        """At once on one machine, and when his lease has lapsed on a server."""
        for keys in batches(rounds()):
            with _begun(cache, keys) as creators:
                for creator in creators:
                    creator.kill()

                answers = {key: soon(cache, key, "mine") for key in keys}

            assert answers == dict.fromkeys(keys, "mine")
            assert {key: cache[key] for key in keys} == answers

    @needs("fork", "shared_between_hosts")
    @pytest.mark.usefixtures("brief_leases")
    def test_a_creator_that_was_frozen_past_its_lease_stores_nothing(
        self, cache: Cache
    ) -> None:
        """Its caller has the value; all others have the follower's."""
        for keys in batches(rounds()):
            followers = dict.fromkeys(keys, "the follower's")
            with _begun(cache, keys) as creators:
                for creator in creators:
                    creator.freeze()
                answers = {key: soon(cache, key, followers[key]) for key in keys}
                assert answers == followers

                for creator in creators:
                    creator.thaw()
                    creator.say("go on")

                assert {creator.hear() for creator in creators} == {"the first one's"}
            assert {key: cache[key] for key in keys} == followers

    @needs("fork")
    def test_a_child_forked_while_a_thread_creates_goes_on(
        self, cache: Cache, backend: type[NamespaceManager]
    ) -> None:
        """It neither waits for a thread that it does not have nor takes its lock."""
        is_shared = backend.shared_between_processes
        for number in range(rounds()):
            key = f"key {number}"
            with creating(cache, key, "the parent's") as answers:
                # Of what is not shared, nobody in the child could ever finish it.
                wanted = f"another {number}" if is_shared else key

                ask = partial(soon, cache, wanted, "mine")
                assert succeeds(fork(lambda ask=ask: ask() == "mine"))  # type: ignore[misc]  # mypy cannot infer a default's lambda
                if is_shared:
                    held = partial(is_free, cache.namespace, key)
                    assert succeeds(fork(lambda held=held: not held()))  # type: ignore[misc]  # likewise

            assert answers == ["the parent's"]
            assert cache[key] == "the parent's"


@contextmanager
def _begun(cache: Cache, keys: list[str]) -> Iterator[list[Child]]:
    """Give a child for each of these keys that is just creating it."""
    with ExitStack() as living:
        creators: list[Child] = []
        for key in keys:
            creator = living.enter_context(child(partial(create_when_told, cache, key)))
            assert creator.hear() == "creating"
            creators.append(creator)
        yield creators


@contextmanager
def _gathered(
    opener: Opener, where: str, *, awaits: bool = False
) -> Iterator[Stampede]:
    backend, processes = opener.backend, 0
    if where == "processes":
        if not backend.shared_between_processes:
            pytest.skip(f"{backend.__name__} does not claim 'shared_between_processes'")
        can_be_sent(opener)
        processes = 4
    options = {**opener.options, "expire": EXPIRE}
    with Stampede("things", options, processes, 16, awaits=awaits).gathered() as crowd:
        yield crowd
