from __future__ import annotations

import os
import signal
import threading
import time
from collections.abc import Iterator

import pytest

from beaker._locks import leases, renewal
from beaker.testing._processes import (
    PATIENCE,
    fork,
    program,
    succeeds,
)

from .callers import eventually
from .leasing import Server, ServerLease, turns_left

#: Seconds that a lease lives here: it is renewed thrice in them, and a busy machine may
#: stand still for two thirds of them.
SHORT = 1.2


@pytest.fixture
def server() -> Server:
    return Server()


@pytest.fixture
def own_renewer(monkeypatch: pytest.MonkeyPatch) -> Iterator[renewal.Renewer]:
    """The renewer of the leases of this test, and of no others."""
    own = renewal.Renewer()
    monkeypatch.setattr(leases, "renewer", lambda: own)
    yield own
    own.stop()


@pytest.fixture(autouse=True)
def no_turn_is_left_over() -> Iterator[None]:
    yield

    assert not turns_left()


def renewing_threads() -> int:
    return sum(t.name == "beaker-lease-renewal" for t in threading.enumerate())


def test_a_held_lease_outlives_its_time_by_far(server: Server) -> None:
    lease = ServerLease(server, ttl=SHORT)
    lease.acquire()

    # Three of them are its time.
    assert eventually(lambda: server.count("renew") >= 6)

    assert server.holder("key") == lease.token
    assert not lease.is_lost
    lease.release()


def test_who_was_frozen_until_his_lease_lapsed_does_not_renew_it() -> None:
    def renew() -> bool:
        pytest.fail("it is renewed")

    taken_at = time.monotonic() - 1
    holding = renewal.Holding(renew, 0.5, taken_at, "place")

    assert not holding.renew()

    assert holding.is_lost


def test_a_released_lease_is_renewed_no_longer(server: Server) -> None:
    lease = ServerLease(server, ttl=SHORT)
    lease.acquire()
    assert eventually(lambda: server.count("renew") > 0)
    lease.release()

    renewed = server.count("renew")
    time.sleep(SHORT / 2)

    assert server.count("renew") == renewed


def test_a_short_lease_is_renewed_while_a_long_one_is_held(server: Server) -> None:
    long, short = ServerLease(server, "long", 600), ServerLease(server, "short", SHORT)
    long.acquire()
    time.sleep(0.05)
    short.acquire()

    assert eventually(lambda: server.count("renew") >= 4)

    assert server.holder("short") == short.token
    short.release()
    long.release()


def test_leases_that_are_soon_released_wake_no_thread(
    server: Server, own_renewer: renewal.Renewer
) -> None:
    looked: list[int] = []

    class Counting(threading.Condition):
        def wait(self, timeout: float | None = None) -> bool:
            looked.append(1)
            return super().wait(timeout)

    def lend() -> None:
        lease = ServerLease(server, ttl=5)
        lease.acquire()
        lease.release()

    own_renewer._changed = Counting()
    lend()
    with own_renewer._changed:
        own_renewer._changed.notify()
    assert eventually(lambda: len(looked) == 2)

    for _ in range(50):
        lend()
        time.sleep(0.001)

    # It looks for itself from time to time.
    assert len(looked) < 10


def test_a_thread_that_ends_leaves_the_next_lease_to_one_that_waits(
    own_renewer: renewal.Renewer, monkeypatch: pytest.MonkeyPatch
) -> None:
    woken: list[int] = []

    class Counting(threading.Condition):
        def notify(self, n: int = 1) -> None:
            woken.append(n)
            super().notify(n)

    monkeypatch.setattr(renewal, "LINGER", 0.0)
    own_renewer._changed = Counting()
    # Two threads; this one looked last, finds nothing to do, and ends.
    own_renewer._threads, own_renewer._wakes_at = 2, time.monotonic()
    assert own_renewer._next() is None

    own_renewer.add(renewal.Holding(lambda: True, 600, time.monotonic(), "place"))

    assert woken == [1]


def test_a_lease_that_is_gone_is_lost_and_renewed_no_longer(server: Server) -> None:
    lease = ServerLease(server, ttl=SHORT)
    lease.acquire()
    assert not lease.is_lost
    server.held["key"] = "theirs", time.monotonic() + PATIENCE

    assert eventually(lambda: server.count("renew") == 1)
    assert eventually(lambda: lease.is_lost)
    time.sleep(SHORT / 2)

    assert server.count("renew") == 1
    lease.release()
    assert server.holder("key") == "theirs"


def test_a_renewal_that_fails_is_tried_again_in_time(server: Server) -> None:
    class ShakyLease(ServerLease):
        def renew(self) -> bool:
            if server.count("renew") % 3 != 2:
                server.calls.append(("renew", 0))
                raise ConnectionResetError
            return super().renew()

    lease = ShakyLease(server, ttl=SHORT)
    lease.acquire()

    # The third try of each turn succeeds.
    assert eventually(lambda: server.count("renew") >= 6)

    assert server.holder("key") == lease.token
    assert not lease.is_lost
    lease.release()


def test_a_lease_that_cannot_be_renewed_is_lost_when_it_lapses(server: Server) -> None:
    class DeadLease(ServerLease):
        def renew(self) -> bool:
            server.calls.append(("renew", 0))
            raise ConnectionResetError

    lease = DeadLease(server, ttl=SHORT)
    lease.acquire()
    assert eventually(lambda: server.count("renew") > 1)

    assert eventually(lambda: lease.is_lost)
    assert server.holder("key") is None
    time.sleep(0.05)
    tried = server.count("renew")
    time.sleep(SHORT / 4)
    assert server.count("renew") == tried
    lease.release()


def test_a_store_that_hangs_does_not_cost_the_leases_of_another(
    server: Server,
) -> None:
    class HangingLease(ServerLease):
        def renew(self) -> bool:
            time.sleep(0.05)
            raise TimeoutError

    hanging = [HangingLease(server, f"key {number}", 2.0) for number in range(16)]
    healthy = ServerLease(server, "healthy", 1.2)
    for lease in (*hanging, healthy):
        lease.acquire()

    for _ in range(25):
        time.sleep(0.1)
        assert server.holder("healthy") == healthy.token

    for lease in (*hanging, healthy):
        lease.release()


def test_a_store_that_never_answers_costs_no_lease_of_another(server: Server) -> None:
    answers = threading.Event()

    class BlockedLease(ServerLease):
        def renew(self) -> bool:
            self.server.calls.append(("blocked", 0))
            return answers.wait(PATIENCE)

    away, also_away = Server(), Server()
    blocked = [BlockedLease(away, f"key {n}", 0.15) for n in range(3)]
    blocked.append(BlockedLease(also_away, "key", 0.15))
    for lease in blocked:
        lease.acquire()
    assert eventually(lambda: away.count("blocked") + also_away.count("blocked") == 2)

    healthy = ServerLease(server, "healthy", 0.6)
    healthy.acquire()

    assert eventually(lambda: server.count("renew") == 3)
    assert not healthy.is_lost
    assert not answers.is_set()
    assert away.count("blocked") == 1
    healthy.release()
    answers.set()
    for lease in blocked:
        lease.release()


def test_many_stores_are_renewed_by_few_threads(
    own_renewer: renewal.Renewer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(renewal, "LINGER", 0.05)
    servers = [Server() for _ in range(4 * renewal.MAX_THREADS)]
    held = [ServerLease(server, "key", 2.0) for server in servers]
    for lease in held:
        lease.acquire()

    assert own_renewer._threads == renewal.MAX_THREADS
    assert eventually(lambda: all(server.count("renew") > 0 for server in servers))

    for lease in held:
        lease.release()
    assert eventually(lambda: own_renewer._threads == 0)
    assert not own_renewer._holdings


def test_one_thread_renews_all_and_ends_when_there_is_nothing_to_do(
    server: Server, own_renewer: renewal.Renewer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(renewal, "LINGER", 0.05)
    held = [ServerLease(server, f"key {number}", 0.3) for number in range(50)]
    for lease in held:
        lease.acquire()

    assert own_renewer._threads == 1
    for lease in held:
        lease.release()
    assert eventually(lambda: own_renewer._threads == 0)
    held[0].acquire()
    assert own_renewer._threads == 1
    held[0].release()


def test_a_frozen_holder_knows_that_its_lease_may_be_another_ones(
    server: Server,
) -> None:
    ready, tell = os.pipe()

    def hold() -> bool:
        lease = ServerLease(server, ttl=0.3)
        lease.acquire()
        assert not lease.is_lost
        os.write(tell, b"!")
        time.sleep(0.2)
        return lease.is_lost

    child = fork(hold)
    os.read(ready, 1)
    os.kill(child, signal.SIGSTOP)
    time.sleep(0.4)
    os.kill(child, signal.SIGCONT)

    assert succeeds(child)
    os.close(ready)
    os.close(tell)


def test_the_interpreter_ends_while_a_lease_is_held() -> None:
    code = """
from beaker._locks.leases import RemoteLease
class Lease(RemoteLease):
    def take(self): return True
    def renew(self): return True
    def free(self): pass
Lease("name", expires_in=0.01).acquire()
print("ready", flush=True)
"""
    with program(code) as process:
        assert process.wait(PATIENCE) == 0


def test_a_forked_child_renews_its_own_leases(server: Server) -> None:
    parents = ServerLease(server, "parent's", SHORT)
    parents.acquire()

    def child() -> bool:
        lease = ServerLease(server, "child's", SHORT)
        lease.acquire()
        before = server.count("renew")
        assert eventually(lambda: server.count("renew") >= before + 4)
        return server.holder("child's") == lease.token and renewing_threads() == 1

    assert succeeds(fork(child))
    parents.release()


def test_after_the_thread_was_stopped_the_next_lease_starts_another(
    server: Server, own_renewer: renewal.Renewer
) -> None:
    own_renewer.stop()
    lease = ServerLease(server, "key", SHORT)

    lease.acquire()
    assert eventually(lambda: server.count("renew") >= 4)

    assert server.holder("key") == lease.token
    lease.release()
