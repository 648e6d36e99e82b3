from __future__ import annotations

import os
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from beaker._locks import leases, renewal, turns
from beaker._locks.waiting import Patience
from beaker.exceptions import LockError, LockTimeoutError
from beaker.protocols import UNTOLD
from beaker.testing._processes import (
    PATIENCE,
    fork,
    interrupted,
    kill,
    succeeds,
    thread,
    wait_for,
)

from .leasing import DirectoryLease, Server, ServerLease, turns_left


@pytest.fixture
def server() -> Server:
    return Server()


@pytest.fixture(autouse=True)
def no_turn_is_left_over() -> Iterator[None]:
    yield

    assert not turns_left()


# -- taking and giving back


def test_the_store_knows_the_holder_by_its_token(server: Server) -> None:
    lease = ServerLease(server)

    assert lease.acquire()

    assert server.holder("key") == lease.token != ""
    lease.release()
    assert server.holder("key") is None


def test_each_acquisition_has_a_token_of_its_own(server: Server) -> None:
    lease, tokens = ServerLease(server), set()
    for _ in range(10):
        lease.acquire()
        tokens.add(lease.token)
        lease.release()

    assert len(tokens) == 10


def test_what_was_found_is_forgotten_by_the_next_acquisition(server: Server) -> None:
    lease = ServerLease(server)
    lease.found = b"old"

    lease.acquire()

    assert lease.found is UNTOLD
    lease.release()


@pytest.mark.parametrize("by", ["this process", "another"])
def test_without_wait_a_held_lease_is_refused(server: Server, by: str) -> None:
    holder = ServerLease(server)
    if by == "another":
        server.held["key"] = "theirs", time.monotonic() + PATIENCE
    else:
        holder.acquire()

    assert not ServerLease(server).acquire(wait=False)

    holder.release()


@pytest.mark.parametrize("by", ["this process", "another"])
def test_a_timeout_names_the_key_and_no_password(server: Server, by: str) -> None:
    holder = ServerLease(server)
    if by == "another":
        server.held["key"] = "theirs", time.monotonic() + PATIENCE
    else:
        holder.acquire()

    with pytest.raises(
        LockTimeoutError, match=r"^lock 'key' was held by another for \S+ sec"
    ):
        ServerLease(server).acquire(timeout=0.05)

    holder.release()


@pytest.mark.parametrize("by", ["this process", "another"])
def test_a_waiter_gets_what_is_freed(server: Server, by: str) -> None:
    holder, waiter = ServerLease(server), ServerLease(server)
    if by == "another":
        server.held["key"] = "theirs", time.monotonic() + PATIENCE
    else:
        holder.acquire()

    with thread(waiter.acquire):
        time.sleep(0.05)
        assert server.holder("key") != waiter.token
        server.held.clear() if by == "another" else holder.release()

    assert server.holder("key") == waiter.token
    waiter.release()


def test_any_thread_may_release(server: Server) -> None:
    lease = ServerLease(server)
    lease.acquire()

    with thread(lease.release):
        pass

    assert lease.acquire(wait=False)
    lease.release()


def test_a_lease_is_not_reentrant_and_stays_held(server: Server) -> None:
    lease = ServerLease(server)
    lease.acquire()

    with pytest.raises(LockError, match="'key' is held by this object"):
        lease.acquire(timeout=1.0)

    assert not lease.is_lost
    assert not ServerLease(server).acquire(wait=False)
    lease.release()


def test_releasing_what_is_not_held_asks_nothing_of_the_store(server: Server) -> None:
    lease = ServerLease(server)
    lease.release()
    lease.acquire()
    lease.release()

    lease.release()
    lease.forget()

    assert server.count("free") == 1


def test_a_forgotten_lease_is_neither_freed_nor_renewed(server: Server) -> None:
    lease = ServerLease(server, ttl=0.06)
    lease.acquire()

    lease.forget()
    lease.release()

    assert lease.is_lost
    time.sleep(0.1)
    assert [name for name, _ in server.calls] == ["take"]
    assert lease.acquire(wait=False)
    lease.release()


# -- who talks to the store


def test_only_one_thread_of_a_process_asks_the_store(server: Server) -> None:
    server.held["key"] = "theirs", time.monotonic() + PATIENCE
    taken = []

    def create() -> None:
        lease = ServerLease(server)
        taken.append(lease.acquire())
        lease.release()

    workers = [threading.Thread(target=create) for _ in range(8)]
    for worker in workers:
        worker.start()
    time.sleep(0.2)

    asking = {ident for _, ident in server.calls}
    server.held.clear()
    for worker in workers:
        worker.join(PATIENCE)

    assert len(asking) == 1
    assert taken == [True] * 8


def test_one_store_is_asked_for_one_key_whatever_happens_to_another(
    server: Server,
) -> None:
    lease, other = ServerLease(server, "key"), ServerLease(server, "other")
    lease.acquire()

    assert other.acquire(wait=False)

    lease.release()
    other.release()


def test_two_kinds_of_store_may_use_one_identity(server: Server) -> None:
    class OtherLease(ServerLease):
        pass

    lease, other = ServerLease(server), OtherLease(server)
    lease.acquire()
    server.held.clear()

    assert other.acquire(wait=False)

    lease.release()
    other.release()


def test_a_waiting_store_is_asked_again_each_second_and_not_past_the_timeout(
    server: Server,
) -> None:
    asked: list[float] = []

    class WakingLease(ServerLease):
        def wait(self, seconds: float) -> None:
            asked.append(seconds)
            if len(asked) == 3:
                server.held.clear()

    server.held["key"] = "theirs", time.monotonic() + PATIENCE
    lease = WakingLease(server)
    lease.acquire()
    lease.release()
    server.held["key"] = "theirs", time.monotonic() + PATIENCE
    with pytest.raises(LockTimeoutError):
        WakingLease(server).acquire(timeout=0.01)

    assert asked[:3] == [1.0, 1.0, 1.0]
    assert all(0.001 <= seconds <= 0.011 for seconds in asked[3:])


def test_the_store_is_polled_every_10_to_25_ms(
    server: Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    slept: list[float] = []

    def sleep(seconds: float) -> None:
        slept.append(seconds)
        if len(slept) == 200:
            server.held.clear()

    server.held["key"] = "theirs", time.monotonic() + PATIENCE
    monkeypatch.setattr(time, "sleep", sleep)
    lease = ServerLease(server)
    lease.acquire()
    lease.release()

    assert 0.010 <= min(slept) < 0.013
    assert 0.022 < max(slept) <= 0.025


def test_no_wake_up_is_lost_among_many_threads(server: Server) -> None:
    inside: list[int] = []
    seen: list[int] = []

    def work() -> None:
        for number in range(100):
            lease = ServerLease(server)
            try:
                lease.acquire(timeout=None if number % 3 else 0.001)
            except LockTimeoutError:
                continue
            inside.append(1)
            time.sleep(0)
            seen.append(len(inside))
            inside.pop()
            lease.release()

    workers = [threading.Thread(target=work) for _ in range(8)]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join(PATIENCE)

    assert not any(worker.is_alive() for worker in workers)
    assert len(seen) >= 8 * 66
    assert set(seen) == {1}


# -- when something goes wrong


def test_an_interrupted_waiter_leaves_its_place_to_others(server: Server) -> None:
    holder = ServerLease(server)
    holder.acquire()

    with interrupted(0.05, KeyboardInterrupt), pytest.raises(KeyboardInterrupt):
        ServerLease(server).acquire()

    holder.release()
    next_one = ServerLease(server)
    assert next_one.acquire(wait=False)
    next_one.release()


def test_who_is_woken_and_interrupted_wakes_the_next(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    line, patience, arrived = turns.Turns(), Patience(), threading.Semaphore(0)
    got = threading.Event()

    class Interrupted(threading.Condition):
        length = 0

        def wait(self, timeout: float | None = None) -> bool:
            arrived.release()
            super().wait(timeout)
            if threading.current_thread() is first:
                raise KeyboardInterrupt
            return True

    def wait_and_fail() -> None:
        with pytest.raises(KeyboardInterrupt):
            line.take("name", "first", patience)

    def wait_and_get() -> None:
        line.take("name", "second", patience)
        got.set()

    monkeypatch.setattr(turns, "_Queue", Interrupted)
    line.take("name", "holder", patience)
    first = threading.Thread(target=wait_and_fail, daemon=True)
    for waiter in (first, threading.Thread(target=wait_and_get, daemon=True)):
        waiter.start()
        arrived.acquire()
    with line._guard:
        pass

    line.leave("name", "holder")

    assert got.wait(5.0)


def test_an_interrupt_while_the_store_is_polled_leaves_nothing_held(
    server: Server,
) -> None:
    server.held["key"] = "theirs", time.monotonic() + PATIENCE

    with interrupted(0.05, KeyboardInterrupt), pytest.raises(KeyboardInterrupt):
        ServerLease(server).acquire()

    server.held.clear()
    next_one = ServerLease(server)
    assert next_one.acquire(wait=False)
    next_one.release()


def test_an_interrupt_just_after_the_store_gave_it_gives_it_back(
    server: Server,
) -> None:
    class InterruptedLease(ServerLease):
        def take(self) -> bool:
            super().take()
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        InterruptedLease(server).acquire()

    assert server.holder("key") is None


def test_a_store_that_fails_is_told_to_the_caller_and_not_asked_again(
    server: Server,
) -> None:
    class FailingLease(ServerLease):
        def take(self) -> bool:
            raise ConnectionRefusedError

    with pytest.raises(ConnectionRefusedError):
        FailingLease(server).acquire()

    assert server.calls == []


def test_a_release_that_the_store_refuses_is_logged_and_frees_the_process(
    server: Server, caplog: pytest.LogCaptureFixture
) -> None:
    class FailingLease(ServerLease):
        def free(self) -> None:
            raise ConnectionResetError

    lease = FailingLease(server)
    lease.acquire()

    lease.release()

    assert "lease 'key' is not given back" in caplog.text
    server.held.clear()
    assert lease.acquire(wait=False)
    lease.forget()


def test_a_release_leaves_the_successor_alone(server: Server) -> None:
    lease = ServerLease(server)
    lease.acquire()
    server.held["key"] = "theirs", time.monotonic() + PATIENCE

    lease.release()

    assert server.holder("key") == "theirs"


# -- other processes


def test_a_killed_holder_is_replaced_when_its_lease_lapses(tmp_path: Path) -> None:
    for _ in range(3):
        ready, tell = os.pipe()

        def hold(tell: int = tell) -> None:
            DirectoryLease(tmp_path, ttl=0.9).acquire()
            os.write(tell, b"!")
            time.sleep(PATIENCE)

        child = fork(hold)
        os.read(ready, 1)
        time.sleep(1)
        assert not DirectoryLease(tmp_path).acquire(wait=False)
        kill(child)
        lease = DirectoryLease(tmp_path)

        assert lease.acquire(timeout=PATIENCE)

        lease.release()
        os.close(ready)
        os.close(tell)


def test_processes_never_hold_a_lease_at_once(tmp_path: Path) -> None:
    counter = tmp_path / "counter"
    counter.write_text("0")

    def work() -> bool:
        for _ in range(10):
            lease = DirectoryLease(tmp_path)
            lease.acquire()
            counter.write_text(str(int(counter.read_text()) + 1))
            lease.release()
        return True

    assert wait_for([fork(work) for _ in range(4)])
    assert counter.read_text() == "40"


def test_a_forked_child_does_not_hold_its_parents_lease(tmp_path: Path) -> None:
    lease = DirectoryLease(tmp_path)
    lease.acquire()

    def child() -> bool:
        lease.release()
        return lease.is_lost and not DirectoryLease(tmp_path).acquire(wait=False)

    assert succeeds(fork(child))
    assert not lease.is_lost
    lease.release()
    assert (tmp_path / "held").read_text() == ""


def test_a_forked_child_waits_for_none_of_its_parents_threads(server: Server) -> None:
    holder = ServerLease(server)
    holder.acquire()
    line, renewer = leases._turns(), renewal.renewer()

    def child() -> bool:
        server.held.clear()
        mine = ServerLease(server)
        mine.acquire()
        mine.release()
        return server.holder("key") is None

    # At the worst moment: another thread is just changing what is held.
    with line._guard, renewer._changed:
        running = fork(child)

    assert succeeds(running)
    holder.release()
