"""Leases among threads, processes and clients, and what becomes of a dead holder."""

from __future__ import annotations

import time
from functools import partial

import pytest

from beaker.exceptions import LockTimeoutError
from beaker.protocols import Lease, NamespaceManager
from beaker.synchronization import LocalLease, RemoteLease
from beaker.testing._fences import INVALIDATIONS
from beaker.testing._observing import is_free
from beaker.testing._processes import (
    PATIENCE,
    Line,
    at_once,
    child,
    fork,
    fork_together,
    succeeds,
    thread,
    wait_for,
)
from beaker.testing._sharing import CROWD
from beaker.testing._suite import Opener, StoreSuite, needs, rounds

__all__ = ["LeaseSuite"]

#: Seconds that leases live here: short, so that those of the dead lapse soon.
LIFE = 1.0

among_processes = needs("fork", "shared_between_processes", "updates_atomically")


class LeaseSuite(StoreSuite):
    """The creation locks of a store, tested: inherit, and give the fixture `options`.

    `NamespaceManagerSuite` tests what a lease means to one caller after the other.
    """

    @pytest.fixture
    def store(self, open_namespace: Opener) -> NamespaceManager:
        """One namespace, empty, whose leases live for a second."""
        return brief(open_namespace)

    # -- one process

    def test_one_thread_at_a_time_holds_a_lease(self, open_namespace: Opener) -> None:
        """Whichever manager each has made it with."""
        inside: list[int] = []
        times = 4 * rounds()

        def take_turns(_: int) -> int:
            store, alone = open_namespace(), 0
            for _turn in range(times):
                lease = store.lease("key")
                assert lease.acquire()
                inside.append(1)
                time.sleep(0)
                alone += len(inside) == 1
                inside.pop()
                lease.release()
            return alone

        assert at_once(CROWD, take_turns) == [times] * CROWD

    def test_who_does_not_wait_is_told_at_once(
        self, store: NamespaceManager, open_namespace: Opener
    ) -> None:
        """By the same manager, and by another."""
        lease = store.lease("key")
        lease.acquire()

        assert not store.lease("key").acquire(wait=False)
        assert not open_namespace().lease("key").acquire(wait=False)
        lease.release()
        assert is_free(store, "key")

    def test_waiting_ends_in_time(self, store: NamespaceManager) -> None:
        """With an error, for the caller would believe the lease was his."""
        lease, other = store.lease("key"), store.lease("key")
        lease.acquire()
        began = time.monotonic()

        with pytest.raises(LockTimeoutError, match="key"):
            other.acquire(timeout=0.3)

        assert time.monotonic() - began >= 0.3
        lease.release()
        assert other.acquire(timeout=PATIENCE)
        other.release()

    def test_a_waiter_has_it_after_its_release(self, store: NamespaceManager) -> None:
        """And not before."""
        lease, events = store.lease("key"), list[str]()
        lease.acquire()

        def wait() -> None:
            mine = store.lease("key")
            mine.acquire()
            events.append("taken")
            mine.release()

        with thread(wait):
            time.sleep(0.2)
            events.append("released")
            lease.release()

        assert events == ["released", "taken"]

    def test_any_thread_may_release_it(self, store: NamespaceManager) -> None:
        """It belongs to the object, not to the thread that took it."""
        lease = store.lease("key")
        lease.acquire()

        with thread(lease.release):
            pass

        assert is_free(store, "key")

    def test_each_holder_has_a_token_of_his_own(self, store: NamespaceManager) -> None:
        """By it the store tells him from his predecessor."""
        tokens = []
        for _ in range(10):
            lease = store.lease("key")
            lease.acquire()
            tokens.append(lease.token)
            lease.release()

        assert len(set(tokens)) == 10 or not isinstance(lease, RemoteLease)

    # -- other processes

    @among_processes
    def test_one_process_at_a_time_holds_a_lease(self, open_namespace: Opener) -> None:
        """Who is alone finds nobody's trace, and what he counts is counted."""
        times = 3 * rounds()

        def take_turns() -> bool:
            store, inside = open_namespace(), open_namespace("inside")
            for _ in range(times):
                lease = store.lease("key")
                lease.acquire()
                alone = inside.replace("inside", None, b"me", 60)
                turns = int(inside.fetch("turns") or 0)
                inside.store("turns", b"%d" % (turns + 1), 60)
                alone = inside.discard("inside") and alone
                lease.release()
                if not alone:
                    return False
            return True

        assert wait_for(fork_together(CROWD, take_turns))
        assert open_namespace("inside").fetch("turns") == b"%d" % (CROWD * times)

    @among_processes
    def test_another_process_is_kept_out_until_the_release(
        self, store: NamespaceManager, open_namespace: Opener
    ) -> None:
        """From this key, and from no other."""
        lease = store.lease("key")
        lease.acquire()

        assert succeeds(fork(lambda: not is_free(open_namespace(), "key")))
        assert succeeds(fork(lambda: is_free(open_namespace(), "other")))
        lease.release()
        assert succeeds(fork(lambda: is_free(open_namespace(), "key")))

    @among_processes
    def test_waiting_for_another_process_ends_in_time(
        self, store: NamespaceManager, open_namespace: Opener
    ) -> None:
        """With the same error as within one process."""
        lease = store.lease("key")
        lease.acquire()

        def wait() -> bool:
            began = time.monotonic()
            with pytest.raises(LockTimeoutError):
                open_namespace().lease("key").acquire(timeout=0.3)
            return time.monotonic() - began >= 0.3

        assert succeeds(fork(wait))
        lease.release()

    @among_processes
    def test_a_waiter_elsewhere_has_it_after_its_release(
        self, store: NamespaceManager, open_namespace: Opener
    ) -> None:
        """He waits in another process, and has it there."""
        lease = store.lease("key")
        lease.acquire()

        def wait(line: Line) -> None:
            mine = open_namespace().lease("key")
            line.say("waiting")
            mine.acquire()
            line.say(str(open_namespace().fetch("state")))
            mine.release()

        with child(wait) as waiter:
            waiter.hear()
            time.sleep(0.1)
            open_namespace().store("state", b"released", 60)
            lease.release()

            assert waiter.hear() == str(b"released")

    @among_processes
    @pytest.mark.parametrize("how", INVALIDATIONS)
    def test_another_process_breaks_a_lease(
        self, store: NamespaceManager, open_namespace: Opener, how: str
    ) -> None:
        """And the next one need not wait for whoever lost it, but for the kernel's."""
        lease = store.lease("key")
        lease.acquire()

        def invalidate() -> bool:
            INVALIDATIONS[how](open_namespace())
            return isinstance(lease, LocalLease) or is_free(open_namespace(), "key")

        assert succeeds(fork(invalidate))

        assert not store.fill("key", b"stale", 60, lease)
        lease.release()
        assert store.fetch("key") != b"stale"

    @among_processes
    def test_who_was_replaced_frees_nothing(
        self, store: NamespaceManager, open_namespace: Opener
    ) -> None:
        """A lease is released by its token, never by a stranger."""
        former = store.lease("key")
        if isinstance(former, LocalLease):
            pytest.skip("the system keeps its lock: who lives is not replaced")
        former.acquire()
        if isinstance(former, LocalLease):
            # Nobody follows him before; afterwards he may not release it once more.
            former.release()

        def follow(line: Line) -> None:
            mine = open_namespace()
            mine.discard("key")
            lease = mine.lease("key")
            lease.acquire()
            line.say("taken")
            line.hear()
            line.say(str(mine.fill("key", b"follower", 60, lease)))

        with child(follow) as follower:
            assert follower.hear() == "taken"
            former.release()

            assert not succeeds(fork(lambda: is_free(open_namespace(), "key")))
            follower.say("go on")
            assert follower.hear() == "True"
        assert store.fetch("key") == b"follower"

    # -- the dead, the frozen, and those who live

    @among_processes
    def test_a_killed_holder_is_replaced(self, open_namespace: Opener) -> None:
        """Once his lease has lapsed; on one machine, at once."""
        for turn in range(rounds()):
            key = f"key {turn}"
            with child(partial(hold, open_namespace, key)) as holder:
                assert holder.hear() == "held"
                mine = brief(open_namespace).lease(key)
                assert not mine.acquire(wait=False)
                holder.kill()

                assert mine.acquire(timeout=PATIENCE)

                assert open_namespace().fill(key, b"mine", 60, mine)
                mine.release()
            assert open_namespace().fetch(key) == b"mine"

    @among_processes
    @pytest.mark.parametrize("has_follower", [True, False])
    def test_a_frozen_holder_stores_nothing_once_it_has_lapsed(
        self, open_namespace: Opener, has_follower: bool
    ) -> None:
        """Whoever followed him, and if nobody did.

        Where a lease does not lapse, there is no follower, and he may store.
        """
        for turn in range(rounds()):
            key = f"key {turn}"
            with child(partial(hold, open_namespace, key)) as holder:
                assert holder.hear() == "held"
                holder.freeze()
                expected = outlive(open_namespace, key, has_follower=has_follower)
                holder.thaw()
                holder.say("fill")

                assert holder.hear() == str(expected == b"holder")
            assert open_namespace().fetch(key) == expected

    @among_processes
    def test_a_lease_outlives_its_life_while_its_holder_lives(
        self, store: NamespaceManager, open_namespace: Opener
    ) -> None:
        """It is renewed, however long the creation takes."""
        lease = store.lease("key")
        lease.acquire()
        if isinstance(lease, RemoteLease):
            time.sleep(3 * LIFE)

        assert succeeds(fork(lambda: not is_free(open_namespace(), "key")))
        assert store.fill("key", b"data", 60, lease)
        lease.release()

    @among_processes
    def test_a_forked_child_does_not_hold_what_its_parent_holds(
        self, store: NamespaceManager, open_namespace: Opener
    ) -> None:
        """It can neither store under the lease nor release it, nor wait for itself."""
        lease = store.lease("key")
        lease.acquire()

        def act() -> bool:
            lease.release()
            is_kept = not is_free(open_namespace(), "key")
            return is_kept and is_free(open_namespace(), "other")

        assert succeeds(fork(act))

        assert not succeeds(fork(lambda: is_free(open_namespace(), "key")))
        assert store.fill("key", b"data", 60, lease)
        lease.release()
        assert is_free(store, "key")

    @needs("fork")
    def test_a_child_forked_while_leases_are_held_goes_on(
        self, store: NamespaceManager, open_namespace: Opener
    ) -> None:
        """What its parent's threads were doing keeps it from nothing of its own."""
        lease = store.lease("key")
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


def hold(open_namespace: Opener, key: str, line: Line) -> None:
    """Take a lease, and fill it when told to."""
    store = brief(open_namespace)
    lease = store.lease(key)
    lease.acquire()
    line.say("held")
    line.hear()
    line.say(str(store.fill(key, b"holder", 60, lease)))


def outlive(open_namespace: Opener, key: str, *, has_follower: bool) -> bytes | None:
    """Wait until a frozen holder's lease has lapsed, and return what is to be left."""
    store = brief(open_namespace)
    lease: Lease = store.lease(key)
    if not isinstance(lease, RemoteLease):
        with pytest.raises(LockTimeoutError):
            lease.acquire(timeout=0.1)
        return b"holder"
    if not has_follower:
        # Its clock is the holder's: he knows it himself, whatever the store says.
        time.sleep(1.2 * LIFE)
        return None
    assert lease.acquire(timeout=PATIENCE)
    assert store.fill(key, b"follower", 60, lease)
    lease.release()
    return b"follower"
