"""What becomes of those who hold a lease: killed, frozen, forked, and alive."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from functools import partial
from uuid import uuid4

import pytest

from beaker.exceptions import LockTimeoutError
from beaker.protocols import Lease, NamespaceManager
from beaker.synchronization import RemoteLease
from beaker.testing._observing import is_free
from beaker.testing._processes import (
    PATIENCE,
    Child,
    Line,
    child,
    fork,
    succeeds,
    wait_for,
)
from beaker.testing._suite import Opener, StoreSuite, needs, rounds

__all__ = ["LIFE", "HolderTests", "among_processes", "batches"]

#: Seconds that leases live here: short, so that those of the dead lapse soon.
LIFE = 1.0

#: How many leases tell that the time of another is over: so many that one of them is
#: kept by the same server, wherever that is.
CLOCKS = 16

#: How many holders are killed or frozen at once, for each takes a life to lapse.
BATCH = 20

among_processes = needs("fork", "shared_between_processes", "updates_atomically")


class HolderTests(StoreSuite):
    """Part of `LeaseSuite`."""

    @pytest.fixture
    def lender(self, open_namespace: Opener) -> NamespaceManager:
        """One namespace, empty, whose leases live for a second."""
        return brief(open_namespace)

    @among_processes
    def test_a_killed_holder_is_replaced(self, open_namespace: Opener) -> None:
        """Once his lease has lapsed; on one machine, at once."""
        for keys in batches(rounds()):
            with held(open_namespace, keys) as holders:
                lender = brief(open_namespace)
                leases = [lender.lease(key) for key in keys]
                assert not any(lease.acquire(wait=False) for lease in leases)
                for holder in holders:
                    holder.kill()

                assert all(lease.acquire(timeout=PATIENCE) for lease in leases)

            for key, lease in zip(keys, leases, strict=True):
                assert lender.fill(key, b"mine", 60, lease)
                lease.release()
            assert lender.fetch_many(keys) == dict.fromkeys(keys, b"mine")

    @among_processes
    @pytest.mark.parametrize("has_follower", [True, False])
    def test_a_frozen_holder_stores_nothing_once_it_has_lapsed(
        self, open_namespace: Opener, has_follower: bool
    ) -> None:
        """Whoever followed him, and if nobody did.

        Where a lease does not lapse, there is no follower, and he may store.
        """
        for keys in batches(rounds()):
            with held(open_namespace, keys) as holders:
                for holder in holders:
                    holder.freeze()
                expected = outlive(open_namespace, keys, has_follower=has_follower)
                for holder in holders:
                    holder.thaw()
                    holder.say("fill")

                stored = {holder.hear() for holder in holders}
            assert stored == {str(expected == b"holder")}
            left = open_namespace().fetch_many(keys)
            assert set(left.values()) == {expected} - {None}

    @among_processes
    def test_a_lease_outlives_its_life_while_its_holder_lives(
        self, lender: NamespaceManager, open_namespace: Opener
    ) -> None:
        """It is renewed, however long the creation takes."""
        lease = lender.lease("key")
        lease.acquire()
        if isinstance(lease, RemoteLease):
            time.sleep(3 * LIFE)

        assert succeeds(fork(lambda: not is_free(open_namespace(), "key")))
        assert lender.fill("key", b"data", 60, lease)
        lease.release()

    def test_what_has_lapsed_is_renewed_no_more(self, lender: NamespaceManager) -> None:
        """Not even if nobody followed: others may have come and gone."""
        # Taken later, these lapse no sooner. They are many, for a store may be several
        # servers: each by its own clock, which on some counts whole seconds only.
        clocks = [f"clock {number}" for number in range(CLOCKS)]
        if not isinstance(lender.lease("key"), RemoteLease):
            pytest.skip("it ends with its holder, and nobody renews it")
        lease = taken(lender, "key")
        for clock in clocks:
            taken(lender, clock)

        gives_up_at = time.monotonic() + PATIENCE
        for clock in clocks:
            while not remote_lease(lender, clock).take():
                assert time.monotonic() < gives_up_at
                time.sleep(0.02)

        assert not lease.renew()

    @among_processes
    def test_a_forked_child_does_not_hold_what_its_parent_holds(
        self, lender: NamespaceManager, open_namespace: Opener
    ) -> None:
        """It can neither store under the lease nor release it, nor wait for itself."""
        lease = lender.lease("key")
        lease.acquire()

        def act() -> bool:
            lease.release()
            is_kept = not is_free(open_namespace(), "key")
            return is_kept and is_free(open_namespace(), "other")

        assert succeeds(fork(act))

        assert not succeeds(fork(lambda: is_free(open_namespace(), "key")))
        assert lender.fill("key", b"data", 60, lease)
        lease.release()
        assert is_free(lender, "key")

    @needs("fork")
    def test_a_child_forked_while_leases_are_held_goes_on(
        self, lender: NamespaceManager, open_namespace: Opener
    ) -> None:
        """What its parent's threads were doing keeps it from nothing of its own."""
        lease = lender.lease("key")
        lease.acquire()

        def act() -> bool:
            mine = open_namespace("mine").lease("key")
            mine.acquire()
            mine.release()
            return True

        assert wait_for([fork(act) for _ in range(rounds())])
        lease.release()


def brief(open_namespace: Opener) -> NamespaceManager:
    """Return a namespace whose leases lapse soon after their holder's death."""
    store = open_namespace()
    store.lease_expires_in = LIFE
    return store


def remote_lease(lender: NamespaceManager, key: str) -> RemoteLease:
    """Return a lease on this key with a token of its own, not yet taken."""
    lease = lender.lease(key)
    assert isinstance(lease, RemoteLease)
    lease.token = uuid4().hex
    return lease


def taken(lender: NamespaceManager, key: str) -> RemoteLease:
    """Return a lease on this key that nobody renews."""
    lease = remote_lease(lender, key)
    assert lease.take()
    return lease


def hold(open_namespace: Opener, key: str, line: Line) -> None:
    """Take a lease, and fill it when told to."""
    store = brief(open_namespace)
    lease = store.lease(key)
    lease.acquire()
    line.say("held")
    line.hear()
    line.say(str(store.fill(key, b"holder", 60, lease)))


def batches(count: int) -> Iterator[list[str]]:
    """Yield the keys of so many leases, a few at a time."""
    for start in range(0, count, BATCH):
        yield [f"key {number}" for number in range(start, min(start + BATCH, count))]


@contextmanager
def held(open_namespace: Opener, keys: list[str]) -> Iterator[list[Child]]:
    """Give a child for each of these leases that holds it."""
    with ExitStack() as living:
        holders: list[Child] = []
        for key in keys:
            holder = living.enter_context(child(partial(hold, open_namespace, key)))
            # One begins after the other: the processors are for those who renew.
            assert holder.hear() == "held"
            holders.append(holder)
        yield holders


def outlive(
    open_namespace: Opener, keys: list[str], *, has_follower: bool
) -> bytes | None:
    """Wait until frozen holders' leases have lapsed; return what is to be left."""
    store = brief(open_namespace)
    leases: list[Lease] = [store.lease(key) for key in keys]
    if not isinstance(leases[0], RemoteLease):
        for lease in leases:
            with pytest.raises(LockTimeoutError):
                lease.acquire(timeout=0.05)
        return b"holder"
    if not has_follower:
        # Its clock is the holder's: he knows it himself, whatever the store says.
        time.sleep(1.2 * LIFE)
        return None
    for key, lease in zip(keys, leases, strict=True):
        assert lease.acquire(timeout=PATIENCE)
        assert store.fill(key, b"follower", 60, lease)
        lease.release()
    return b"follower"
