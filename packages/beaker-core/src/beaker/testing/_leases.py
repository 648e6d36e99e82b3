"""Leases among threads, processes and clients, and what becomes of a dead holder."""

from __future__ import annotations

import time

import pytest

from beaker.exceptions import LockTimeoutError
from beaker.protocols import NamespaceManager
from beaker.synchronization import LocalLease, RemoteLease
from beaker.testing._fences import INVALIDATIONS
from beaker.testing._holders import HolderTests, among_processes
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
from beaker.testing._suite import Opener, patience, rounds

__all__ = ["LeaseSuite"]


class LeaseSuite(HolderTests):
    """The creation locks of a store, tested: inherit, and give the fixture `options`.

    `NamespaceManagerSuite` tests what a lease means to one caller after the other.
    """

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
        self, lender: NamespaceManager, open_namespace: Opener
    ) -> None:
        """By the same manager, and by another."""
        lease = lender.lease("key")
        lease.acquire()

        assert not lender.lease("key").acquire(wait=False)
        assert not open_namespace().lease("key").acquire(wait=False)
        lease.release()
        assert is_free(lender, "key")

    def test_waiting_ends_in_time(self, lender: NamespaceManager) -> None:
        """With an error, for the caller would believe the lease was his."""
        lease, other = lender.lease("key"), lender.lease("key")
        lease.acquire()
        began = time.monotonic()

        with pytest.raises(LockTimeoutError, match="key"):
            other.acquire(timeout=0.3)

        assert time.monotonic() - began >= 0.3
        lease.release()
        assert other.acquire(timeout=PATIENCE)
        other.release()

    def test_a_waiter_has_it_after_its_release(self, lender: NamespaceManager) -> None:
        """And not before."""
        lease, events = lender.lease("key"), list[str]()
        lease.acquire()

        def wait() -> None:
            mine = lender.lease("key")
            mine.acquire()
            events.append("taken")
            mine.release()

        with thread(wait):
            time.sleep(0.2)
            events.append("released")
            lease.release()

        assert events == ["released", "taken"]

    def test_any_thread_may_release_it(self, lender: NamespaceManager) -> None:
        """It belongs to the object, not to the thread that took it."""
        lease = lender.lease("key")
        lease.acquire()

        with thread(lease.release):
            pass

        assert is_free(lender, "key")

    def test_each_holder_has_a_token_of_his_own(self, lender: NamespaceManager) -> None:
        """By it the store tells him from his predecessor."""
        tokens = []
        for _ in range(10):
            lease = lender.lease("key")
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

        assert wait_for(fork_together(CROWD, take_turns), patience())
        assert open_namespace("inside").fetch("turns") == b"%d" % (CROWD * times)

    @among_processes
    def test_another_process_is_kept_out_until_the_release(
        self, lender: NamespaceManager, open_namespace: Opener
    ) -> None:
        """From this key, and from no other."""
        lease = lender.lease("key")
        lease.acquire()

        assert succeeds(fork(lambda: not is_free(open_namespace(), "key")))
        assert succeeds(fork(lambda: is_free(open_namespace(), "other")))
        lease.release()
        assert succeeds(fork(lambda: is_free(open_namespace(), "key")))

    @among_processes
    def test_waiting_for_another_process_ends_in_time(
        self, lender: NamespaceManager, open_namespace: Opener
    ) -> None:
        """With the same error as within one process."""
        lease = lender.lease("key")
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
        self, lender: NamespaceManager, open_namespace: Opener
    ) -> None:
        """He waits in another process, and has it there."""
        lease = lender.lease("key")
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
        self, lender: NamespaceManager, open_namespace: Opener, how: str
    ) -> None:
        """And the next one need not wait for whoever lost it, but for the kernel's."""
        lease = lender.lease("key")
        lease.acquire()

        def invalidate() -> bool:
            INVALIDATIONS[how](open_namespace())
            return isinstance(lease, LocalLease) or is_free(open_namespace(), "key")

        assert succeeds(fork(invalidate))

        assert not lender.fill("key", b"stale", 60, lease)
        lease.release()
        assert lender.fetch("key") != b"stale"

    @among_processes
    def test_who_was_replaced_frees_nothing(
        self, lender: NamespaceManager, open_namespace: Opener
    ) -> None:
        """A lease is released by its token, never by a stranger."""
        former = lender.lease("key")
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
        assert lender.fetch("key") == b"follower"
