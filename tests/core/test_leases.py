from __future__ import annotations

import os
import signal
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from beaker import leases, renewal, turns
from beaker.exceptions import LockError, LockTimeoutError
from beaker.filelock import FileLock
from beaker.leases import LocalLease, RemoteLease
from beaker.perprocess import PerProcess
from beaker.protocols import UNTOLD
from beaker.synchronizers import FileSynchronizer
from beaker.waiting import Patience

from .processes import (
    PATIENCE,
    fork,
    interrupted,
    kill,
    program,
    succeeds,
    thread,
    wait_for,
)


class Server:
    """Keeps leases for all threads; those that are not renewed lapse."""

    def __init__(self) -> None:
        self.held: dict[str, tuple[str, float]] = {}
        self.calls: list[tuple[str, int]] = []
        self._guard = threading.Lock()

    def holder(self, key: str) -> str | None:
        token, lapses_at = self.held.get(key, ("", 0.0))
        return token if time.monotonic() < lapses_at else None

    def put(
        self, call: str, key: str, mine: str | None, token: str, ttl: float
    ) -> bool:
        """Put the token, if its place is taken by `mine`: None, if it is free."""
        with self._guard:
            self.calls.append((call, threading.get_ident()))
            if self.holder(key) != mine:
                return False
            self.held[key] = token, time.monotonic() + ttl
            return True

    def count(self, call: str) -> int:
        return sum(name == call for name, _ in self.calls)


class ServerLease(RemoteLease):
    def __init__(self, server: Server, key: str = "key", ttl: float = 5.0) -> None:
        super().__init__((id(server), "redis://:secret@host", key), expires_in=ttl)
        self.server, self.key = server, key

    def take(self) -> bool:
        return self.server.put("take", self.key, None, self.token, self.expires_in)

    def renew(self) -> bool:
        mine = self.token
        return self.server.put("renew", self.key, mine, mine, self.expires_in)

    def free(self) -> None:
        self.server.put("free", self.key, self.token, "", 0)


class DirectoryLease(RemoteLease):
    """A lease that processes share, kept by a link whose target is the token."""

    def __init__(self, directory: Path, ttl: float = 5.0) -> None:
        super().__init__(str(directory), expires_in=ttl)
        self.path, self.guard = directory / "held", FileLock(str(directory), "guard")

    def take(self) -> bool:
        return self._put(None, self.token)

    def renew(self) -> bool:
        return self._put(self.token, self.token)

    def free(self) -> None:
        self._put(self.token, "")

    def _put(self, mine: str | None, token: str) -> bool:
        with self.guard:
            written = self.path.read_text() if self.path.exists() else ""
            holder, _, lapses_at = written.partition(" ")
            is_held = bool(holder) and time.monotonic() < float(lapses_at)
            if (holder if is_held else None) != mine:
                return False
            stamp = f"{token} {time.monotonic() + self.expires_in}"
            self.path.write_text(stamp if token else "")
            return True


@pytest.fixture
def server() -> Server:
    return Server()


@pytest.fixture(autouse=True)
def no_turn_is_left_over() -> Iterator[None]:
    yield

    line = leases._turns()
    left = [*line._holders, *line._queues]
    line._holders.clear()
    assert not left


def eventually(is_so: Callable[[], bool]) -> bool:
    gives_up_at = time.monotonic() + PATIENCE
    while not is_so() and time.monotonic() < gives_up_at:
        time.sleep(0.005)
    return is_so()


def renewing_threads() -> int:
    return sum(t.name == "beaker-lease-renewal" for t in threading.enumerate())


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

    with pytest.raises(LockTimeoutError, match=r"^lock 'key' was held .* 0\.0[5-9]"):
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


# -- renewal


def test_a_held_lease_outlives_its_time_by_far(server: Server) -> None:
    lease = ServerLease(server, ttl=0.15)
    lease.acquire()

    for _ in range(40):
        time.sleep(0.015)
        assert server.holder("key") == lease.token

    assert not lease.is_lost
    lease.release()


def test_a_released_lease_is_renewed_no_longer(server: Server) -> None:
    lease = ServerLease(server, ttl=0.06)
    lease.acquire()
    assert eventually(lambda: server.count("renew") > 0)
    lease.release()

    renewed = server.count("renew")
    time.sleep(0.1)

    assert server.count("renew") == renewed


def test_a_short_lease_is_renewed_while_a_long_one_is_held(server: Server) -> None:
    long, short = ServerLease(server, "long", 600), ServerLease(server, "short", 0.15)
    long.acquire()
    time.sleep(0.05)
    short.acquire()

    time.sleep(0.3)

    assert server.holder("short") == short.token
    short.release()
    long.release()


def test_a_lease_that_is_gone_is_lost_and_renewed_no_longer(server: Server) -> None:
    lease = ServerLease(server, ttl=0.3)
    lease.acquire()
    assert not lease.is_lost
    server.held["key"] = "theirs", time.monotonic() + PATIENCE

    assert eventually(lambda: server.count("renew") == 1)
    assert eventually(lambda: lease.is_lost)
    time.sleep(0.25)

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

    lease = ShakyLease(server, ttl=0.3)
    lease.acquire()

    time.sleep(0.9)

    assert server.holder("key") == lease.token
    assert not lease.is_lost
    lease.release()


def test_a_lease_that_cannot_be_renewed_is_lost_when_it_lapses(server: Server) -> None:
    class DeadLease(ServerLease):
        def renew(self) -> bool:
            server.calls.append(("renew", 0))
            raise ConnectionResetError

    lease = DeadLease(server, ttl=0.2)
    lease.acquire()
    assert eventually(lambda: server.count("renew") > 1)

    assert eventually(lambda: lease.is_lost)
    assert server.holder("key") is None
    time.sleep(0.05)
    tried = server.count("renew")
    time.sleep(0.1)
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


def test_one_thread_renews_all_and_ends_when_there_is_nothing_to_do(
    server: Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    renewal.renewer().stop()
    assert eventually(lambda: renewing_threads() == 0)
    monkeypatch.setattr(renewal, "renewer", PerProcess(renewal.Renewer))
    monkeypatch.setattr(leases, "renewer", renewal.renewer)
    monkeypatch.setattr(renewal, "LINGER", 0.05)
    held = [ServerLease(server, f"key {number}", 0.3) for number in range(50)]
    for lease in held:
        lease.acquire()

    assert renewing_threads() == 1
    for lease in held:
        lease.release()
    assert eventually(lambda: renewing_threads() == 0)
    held[0].acquire()
    assert renewing_threads() == 1
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
from beaker.leases import RemoteLease
class Lease(RemoteLease):
    def take(self): return True
    def renew(self): return True
    def free(self): pass
Lease("name", expires_in=0.01).acquire()
print("ready", flush=True)
"""
    with program(code) as process:
        assert process.wait(PATIENCE) == 0


# -- other processes


def test_a_killed_holder_is_replaced_when_its_lease_lapses(tmp_path: Path) -> None:
    for _ in range(3):
        ready, tell = os.pipe()

        def hold(tell: int = tell) -> None:
            DirectoryLease(tmp_path, ttl=0.3).acquire()
            os.write(tell, b"!")
            time.sleep(PATIENCE)

        child = fork(hold)
        os.read(ready, 1)
        time.sleep(0.4)
        assert not DirectoryLease(tmp_path).acquire(wait=False)
        kill(child)
        lease = DirectoryLease(tmp_path)

        assert lease.acquire(timeout=1.0)

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


def test_a_forked_child_renews_its_own_leases(server: Server) -> None:
    parents = ServerLease(server, "parent's", 0.15)
    parents.acquire()

    def child() -> bool:
        lease = ServerLease(server, "child's", 0.15)
        lease.acquire()
        time.sleep(0.5)
        return server.holder("child's") == lease.token and renewing_threads() == 1

    assert succeeds(fork(child))
    parents.release()


# -- local leases


class Fence:
    """Where a store keeps the token beside its record."""

    def __init__(self) -> None:
        self.token: str | None = None
        self.calls: list[str] = []

    def mark(self, token: str) -> None:
        self.calls.append("mark")
        self.token = token

    def unmark(self, token: str) -> None:
        self.calls.append("unmark")
        if self.token == token:
            self.token = None


@pytest.fixture
def fence() -> Fence:
    return Fence()


@pytest.fixture(params=["this process", "all processes"])
def lock_dir(request: pytest.FixtureRequest, tmp_path: Path) -> str | None:
    return None if request.param == "this process" else str(tmp_path / "locks")


def local(fence: Fence, lock_dir: str | None, name: str = "name") -> LocalLease:
    return LocalLease(name, lock_dir, fence.mark, fence.unmark)


def test_a_local_lease_marks_the_record_while_it_is_held(
    fence: Fence, lock_dir: str | None
) -> None:
    lease = local(fence, lock_dir)

    assert lease.acquire()

    assert fence.token == lease.token != ""
    lease.release()
    assert fence.token is None


def test_a_held_local_lease_is_refused(fence: Fence, lock_dir: str | None) -> None:
    lease = local(fence, lock_dir)
    lease.acquire()

    assert not local(fence, lock_dir).acquire(wait=False)
    with pytest.raises(LockTimeoutError, match="'name'"):
        local(fence, lock_dir).acquire(timeout=0.03)

    assert fence.calls == ["mark"]
    lease.release()


def test_local_leases_of_two_names_are_two(fence: Fence, lock_dir: str | None) -> None:
    lease, other = local(fence, lock_dir), local(fence, lock_dir, "other")
    lease.acquire()

    assert other.acquire(wait=False)

    lease.release()
    other.release()


def test_a_local_lease_waits_for_another_process(fence: Fence, tmp_path: Path) -> None:
    lease = local(fence, str(tmp_path))
    lease.acquire()

    def child() -> bool:
        try:
            local(fence, str(tmp_path)).acquire(timeout=0.05)
        except LockTimeoutError:
            return not local(fence, str(tmp_path)).acquire(wait=False)
        return False

    assert succeeds(fork(child))
    lease.release()
    assert succeeds(fork(lambda: local(fence, str(tmp_path)).acquire(wait=False)))


def test_a_killed_local_holder_delays_the_next_by_less_than_half_a_second(
    fence: Fence, tmp_path: Path
) -> None:
    for _ in range(5):
        ready, tell = os.pipe()

        def hold(tell: int = tell) -> None:
            lease = local(fence, str(tmp_path))
            lease.acquire()
            os.write(tell, b"!")
            time.sleep(PATIENCE)

        child = fork(hold)
        os.read(ready, 1)
        kill(child)
        lease = local(fence, str(tmp_path))

        assert lease.acquire(timeout=0.5)

        lease.release()
        os.close(ready)
        os.close(tell)


def test_the_mark_goes_before_the_lock_does(fence: Fence, tmp_path: Path) -> None:
    locked: list[bool] = []

    def unmark(_token: str) -> None:
        locked.append(not FileLock(str(tmp_path), "lease:name").acquire(wait=False))

    lease = LocalLease("name", str(tmp_path), fence.mark, unmark)
    lease.acquire()

    lease.release()

    assert locked == [True]
    assert FileLock(str(tmp_path), "lease:name").acquire(wait=False)


def test_a_forgotten_local_lease_is_free_and_not_unmarked(
    fence: Fence, lock_dir: str | None
) -> None:
    lease = local(fence, lock_dir)
    lease.acquire()

    lease.forget()

    assert fence.calls == ["mark"]
    assert lease.acquire(wait=False)
    lease.release()


def test_a_mark_that_fails_leaves_nothing_held(
    fence: Fence, lock_dir: str | None
) -> None:
    def mark(_token: str) -> None:
        raise FileNotFoundError

    with pytest.raises(FileNotFoundError):
        LocalLease("name", lock_dir, mark, fence.unmark).acquire()

    lease = local(fence, lock_dir)
    assert lease.acquire(wait=False)
    lease.release()


def test_an_unmark_that_fails_leaves_nothing_held(
    fence: Fence, lock_dir: str | None, caplog: pytest.LogCaptureFixture
) -> None:
    def unmark(_token: str) -> None:
        raise OSError

    lease = LocalLease("name", lock_dir, fence.mark, unmark)
    lease.acquire()

    lease.release()

    assert "lease 'name' is not given back" in caplog.text
    assert lease.acquire(wait=False)
    lease.forget()


def test_an_interrupt_after_the_mark_leaves_nothing_held(
    fence: Fence, lock_dir: str | None
) -> None:
    def mark(token: str) -> None:
        fence.mark(token)
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        LocalLease("name", lock_dir, mark, fence.unmark).acquire()

    assert fence.token is None
    lease = local(fence, lock_dir)
    assert lease.acquire(wait=False)
    lease.release()


def test_a_forked_child_gets_the_local_lease_that_a_thread_of_its_parent_holds(
    fence: Fence,
) -> None:
    parents = local(fence, None)
    parents.acquire()

    def child() -> bool:
        parents.release()
        mine = local(fence, None)
        return fence.token == parents.token and mine.acquire(timeout=1.0)

    assert succeeds(fork(child))
    parents.release()


def test_a_local_lease_is_not_a_synchronizer_of_the_same_name(
    fence: Fence, tmp_path: Path
) -> None:
    lease, synchronizer = (
        local(fence, str(tmp_path)),
        FileSynchronizer("name", str(tmp_path)),
    )
    lease.acquire()

    assert synchronizer.acquire(wait=False)

    synchronizer.release()
    lease.release()
