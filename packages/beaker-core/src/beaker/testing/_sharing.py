"""Threads, and forked children, at one store at once."""

from __future__ import annotations

import functools
import os
import random
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from beaker.protocols import NamespaceManager
from beaker.testing._observing import holds
from beaker.testing._processes import (
    at_once,
    fork,
    fork_together,
    kill,
    wait_for,
)
from beaker.testing._suite import Opener, StoreSuite, needs, patience, reads, rounds

__all__ = ["CROWD", "SharingTests", "do_everything"]

#: How many take part in a race.
CROWD = 8

#: Seconds for which a race without an end of its own goes on, in each round.
ROUND = 0.2


class SharingTests(StoreSuite):
    """Part of `NamespaceManagerSuite`."""

    # -- threads

    @needs("updates_atomically")
    def test_no_update_is_lost_among_threads(self, open_namespace: Opener) -> None:
        """Each compares and sets what it has read."""
        store, times = open_namespace(), 8 * rounds()

        with hasty_threads():
            at_once(CROWD, lambda _: count_up(store, times))

        assert int(store.fetch("session") or 0) == CROWD * times

    def test_each_thread_reads_what_it_asked_for(self, open_namespace: Opener) -> None:
        """They share a manager, and whatever connections it has."""
        store = open_namespace()
        store.store_many({f"{n}": b"%d" % n * 1000 for n in range(CROWD)}, 60)

        def read(number: int) -> int:
            own = b"%d" % number * 1000
            times = reads() // 4 // CROWD
            return sum(store.fetch(f"{number}") != own for _ in range(times))

        with hasty_threads():
            wrong = at_once(CROWD, read)

        assert wrong == [0] * CROWD

    def test_a_reader_among_threads_sees_whole_records_only(
        self, open_namespace: Opener
    ) -> None:
        """The old one or the new one, and nothing that is part of both."""
        records = [bytes([number]) * (50_000 + number) for number in (1, 2, 3)]
        store, ends_at = open_namespace(), time.monotonic() + ROUND * rounds()
        store.store("key", records[0], None)

        def act(number: int) -> set[bytes | None]:
            seen = set()
            while time.monotonic() < ends_at:
                if number < 2:
                    store.store("key", records[number], None)
                seen.add(store.fetch("key"))
            return seen

        with hasty_threads():
            seen = set[bytes | None]().union(*at_once(4, act))

        assert seen <= set(records)

    # -- forked children

    @needs("fork", "shared_between_processes", "updates_atomically")
    @pytest.mark.parametrize("purpose", ["cache", "session"])
    def test_no_update_is_lost_among_processes(
        self, open_namespace: Opener, purpose: str
    ) -> None:
        """Each compares and sets what it has read."""
        times = 8 * rounds()

        def count() -> bool:
            count_up(open_namespace("id", purpose=purpose), times)
            return True

        assert wait_for(fork_together(CROWD, count), patience())
        counted = open_namespace("id", purpose=purpose).fetch("session")
        assert int(counted or 0) == CROWD * times

    @needs("fork", "shared_between_processes", "updates_atomically")
    def test_one_of_many_makes_what_was_absent(self, open_namespace: Opener) -> None:
        """A first insertion has one winner, and no error for the others."""
        keys = [f"key {number}" for number in range(10 * rounds())]

        def make() -> bool:
            store, mine = open_namespace(), b"%d" % os.getpid()
            won = sum(store.replace(key, None, mine, 60) for key in keys)
            open_namespace("won").store(mine.decode(), b"%d" % won, 60)
            return True

        children = fork_together(CROWD, make)

        assert wait_for(children, patience())
        won = open_namespace("won").fetch_many(map(str, children))
        made = list(open_namespace().fetch_many(keys).values())
        assert len(made) == len(keys)
        assert {b"%d" % child: int(won[f"{child}"]) for child in children} == {
            b"%d" % child: made.count(b"%d" % child) for child in children
        }

    @needs("fork", "shared_between_processes", "updates_atomically")
    def test_who_makes_what_is_absent_is_not_hindered_by_leases(
        self, open_namespace: Opener
    ) -> None:
        """Nor told that a record is there because a lease comes or goes meanwhile."""
        keys = [f"key {number}" for number in range(10)]
        children = [fork(lambda: lease_for_ever(open_namespace, keys)) for _ in "ab"]
        try:
            store = open_namespace()
            for _ in range(3 * rounds()):
                store.discard_many(keys)
                assert all(store.replace(key, None, b"mine", 60) for key in keys)
        finally:
            for child in children:
                kill(child)

    @needs("fork", "shared_between_processes")
    @pytest.mark.parametrize("purpose", ["cache", "session"])
    def test_no_child_reads_what_another_asked_for(
        self, open_namespace: Opener, purpose: str
    ) -> None:
        """The parent has used its managers before; the connection is not shared."""
        stores = [open_namespace(f"user {n}", purpose=purpose) for n in range(CROWD)]
        own = [b"%d" % number for number in range(CROWD)]
        for store, data in zip(stores, own, strict=True):
            store.store("session", data, 3600)
            assert store.fetch("session") == data

        def read(number: int) -> bool:
            times = reads() // 2 // CROWD // rounds()
            return all(
                stores[number].fetch("session") == own[number] for _ in range(times)
            )

        for _ in range(rounds()):
            children = [fork(functools.partial(read, one)) for one in range(CROWD)]

            assert wait_for(children, patience())
            # The parent's connection is as good as before.
            assert [store.fetch("session") for store in stores] == own

    @needs("fork", "shared_between_processes")
    def test_parent_and_children_see_what_the_others_write(
        self, open_namespace: Opener
    ) -> None:
        """At once, and also who has read the record before."""
        store = open_namespace()
        store.store("key", b"parent", None)
        for number in range(rounds()):
            assert store.fetch("key") is not None
            written = b"%d" % number

            def write(data: bytes = written) -> bool:
                store.store("key", data, None)
                store.store(f"{os.getpid()}", data, None)
                return True

            child = fork(write)

            assert wait_for([child])
            assert store.fetch("key") == store.fetch(f"{child}") == written

    @needs("fork", "shared_between_processes")
    def test_forking_while_threads_work_disturbs_nobody(
        self, open_namespace: Opener
    ) -> None:
        """A child starts with whatever locks other threads held at that moment."""
        store = open_namespace()
        # Whoever forks while a module is being imported waits for it for ever.
        store.store("child", b"parent", 60)
        ends_at = time.monotonic() + ROUND * rounds()

        def child() -> bool:
            store.store("child", b"data", 60)
            return store.fetch("child") == b"data"

        def work(number: int) -> None:
            while time.monotonic() < ends_at:
                if number == 0:
                    assert wait_for([fork(child)])
                store.store(f"{number}", b"%d" % number, 60)
                assert store.fetch(f"{number}") == b"%d" % number

        at_once(3, work)

    @needs("fork", "shared_between_processes")
    def test_dropping_disturbs_nobody(self, open_namespace: Opener) -> None:
        """Whatever else happens in the namespace, and nothing is left of it."""
        ends_at = time.monotonic() + 2 * ROUND * rounds()
        children = [
            fork(lambda: do_everything(open_namespace(), ends_at)) for _ in range(4)
        ]

        while time.monotonic() < ends_at:
            open_namespace().drop()

        assert wait_for(children, patience())
        open_namespace().drop()
        assert holds(open_namespace(), [])

    @needs("fork", "shared_between_processes", "updates_atomically")
    @pytest.mark.parametrize("how", ["discard", "drop"])
    def test_nothing_that_began_before_an_invalidation_comes_after_it(
        self, open_namespace: Opener, how: str
    ) -> None:
        """However many create at that moment."""
        clock = open_namespace("clock")
        clock.store("now", b"0", None)
        keys = [f"key {number}" for number in range(1 if how == "discard" else 10)]
        children = [
            fork(lambda: create_for_ever(open_namespace, keys)) for _ in range(4)
        ]
        try:
            store = open_namespace()
            for now in range(1, 12 * rounds() + 1):
                clock.store("now", b"%d" % now, None)
                store.drop() if how == "drop" else store.discard(keys[0])
                found = store.fetch_many(keys)
                assert all(int(data) >= now for data in found.values())
        finally:
            for child in children:
                kill(child)


@contextmanager
def hasty_threads() -> Iterator[None]:
    """Let threads interrupt each other wherever they can."""
    before = sys.getswitchinterval()
    sys.setswitchinterval(1e-5)
    try:
        yield
    finally:
        sys.setswitchinterval(before)


def count_up(store: NamespaceManager, times: int) -> None:
    """Add one to a number, so many times."""
    for _ in range(times):
        while True:
            seen = store.fetch("session")
            if store.replace("session", seen, b"%d" % (int(seen or 0) + 1), 3600):
                break


def do_everything(store: NamespaceManager, ends_at: float) -> bool:
    """Do all that a store can do, with records that tell their keys."""
    while time.monotonic() < ends_at:
        for key in ("a", "b", "c"):
            data = key.encode() * 1000
            store.store(key, data, 60)
            assert store.fetch(key) in {None, data}
            store.replace(key, data, data, 60)
            store.touch(key, 60, 1.0)
            store.fetch_accessed(key)
            lease = store.lease(key)
            if lease.acquire(wait=False):
                store.fill(key, data, 60, lease)
                lease.release()
            if store.enumerable:
                list(store.keys())
            store.discard(key)
        if store.enumerable:
            store.purge()
    return True


def churn(store: NamespaceManager, keys: list[str], times: int) -> bool:
    """Store, create, discard and drop some of these keys, as chance has it."""
    chance = random.Random()  # noqa: S311 - no secret
    for _ in range(times):
        key, act = chance.choice(keys), chance.randrange(6)
        if act == 0:
            store.drop()
        elif act == 1:
            store.discard(key)
        elif act == 2:
            lease = store.lease(key)
            lease.acquire()
            store.fill(key, b"data", 60, lease)
            lease.release()
        elif act == 3:
            store.store_many(dict.fromkeys(keys, b"data"), 60)
        else:
            store.store(key, b"data", 60)
    return True


def lease_for_ever(open_namespace: Opener, keys: list[str]) -> None:
    """Take the leases on these keys and give them back."""
    store = open_namespace()
    while True:
        for key in keys:
            lease = store.lease(key)
            if lease.acquire(wait=False):
                lease.release()


def create_for_ever(open_namespace: Opener, keys: list[str]) -> None:
    """Store under lease what the clock says as the creation begins."""
    store, clock = open_namespace(), open_namespace("clock")
    chance = random.Random()  # noqa: S311 - no secret
    while True:
        key = chance.choice(keys)
        lease = store.lease(key)
        lease.acquire()
        store.fill(key, clock.fetch("now") or b"0", 60, lease)
        lease.release()
