from __future__ import annotations

import asyncio
import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest

from beaker import synchronization
from beaker.exceptions import LockError
from beaker.synchronization import (
    ConditionSynchronizer,
    FileSynchronizer,
    NameLock,
    SynchronizerImpl,
    mutex_synchronizer,
)
from beaker.testing import _locks
from beaker.testing._locks import elsewhere
from beaker.testing._processes import (
    PATIENCE,
    fork,
    interrupted,
    succeeds,
    thread,
)


@pytest.fixture(params=["in this process", "between processes"])
def lock(request: pytest.FixtureRequest, tmp_path: Path) -> SynchronizerImpl:
    if request.param == "in this process":
        return ConditionSynchronizer("name")
    return FileSynchronizer("name", str(tmp_path / "locks"))


def can_read(lock: SynchronizerImpl) -> bool:
    return elsewhere(lambda: _locks.can_read(lock))


def can_write(lock: SynchronizerImpl) -> bool:
    return elsewhere(lambda: _locks.can_write(lock))


# -- many readers, one writer


def test_a_reader_cannot_become_a_writer_nor_the_reverse(
    lock: SynchronizerImpl,
) -> None:
    lock.acquire_read_lock()
    with pytest.raises(LockError, match="in reading state"):
        lock.acquire_write_lock()
    with pytest.raises(LockError, match="in reading state"):
        lock.release_write_lock()
    lock.release_read_lock()

    lock.acquire_write_lock()
    with pytest.raises(LockError, match="in writing state"):
        lock.acquire_read_lock()
    with pytest.raises(LockError, match="in writing state"):
        lock.release_read_lock()
    lock.release_write_lock()

    assert can_write(lock)


def test_releasing_what_is_not_held_is_an_error(lock: SynchronizerImpl) -> None:
    with pytest.raises(LockError, match="not in reading state"):
        lock.release_read_lock()
    with pytest.raises(LockError, match="not in writing state"):
        lock.release_write_lock()


def test_only_the_thread_that_writes_may_release(lock: SynchronizerImpl) -> None:
    lock.acquire_write_lock()

    def release() -> bool:
        with pytest.raises(LockError):
            lock.release_write_lock()
        return True

    assert elsewhere(release)
    assert not can_write(lock)
    lock.release_write_lock()


def test_all_waiting_readers_go_on_together_when_a_writer_ends(
    lock: SynchronizerImpl,
) -> None:
    lock.acquire_write_lock()
    met = threading.Barrier(3)

    def read() -> None:
        lock.acquire_read_lock()
        met.wait(PATIENCE)
        lock.release_read_lock()

    with thread(read), thread(read):
        time.sleep(0.05)
        lock.release_write_lock()
        met.wait(PATIENCE)

    assert not met.broken


def test_a_writer_waits_for_all_readers(lock: SynchronizerImpl) -> None:
    lock.acquire_read_lock()
    leave, got = threading.Event(), threading.Event()

    def read() -> None:
        lock.acquire_read_lock()
        leave.wait(PATIENCE)
        lock.release_read_lock()

    def write() -> None:
        lock.acquire_write_lock()
        got.set()
        lock.release_write_lock()

    with thread(read):
        time.sleep(0.02)
        with thread(write):
            lock.release_read_lock()
            assert not got.wait(0.05)
            leave.set()

    assert got.is_set()


def test_nothing_is_kept_for_those_who_hold_nothing(lock: SynchronizerImpl) -> None:
    lock.acquire_write_lock()
    for _ in range(10):
        can_write(lock)
    lock.release_write_lock()
    for _ in range(10):
        can_read(lock)

    assert lock._holds() == {}


def test_readers_and_writers_in_many_threads(lock: SynchronizerImpl) -> None:
    readers: list[int] = []
    writers: list[int] = []
    wrong: list[str] = []

    def work(seed: int) -> None:
        for number in range(60):
            if (number + seed) % 4:
                lock.acquire_read_lock()
                readers.append(1)
                wrong.extend("read while written" for _ in writers)
                time.sleep(0)
                readers.pop()
                lock.release_read_lock()
            else:
                lock.acquire_write_lock()
                wrong.extend("written while read" for _ in readers + writers)
                writers.append(1)
                time.sleep(0)
                writers.pop()
                lock.release_write_lock()

    workers = [threading.Thread(target=work, args=(n,)) for n in range(6)]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join(PATIENCE)

    assert not any(worker.is_alive() for worker in workers)
    assert wrong == []


@pytest.mark.parametrize("kind", ["read", "write"])
def test_an_interrupted_waiter_leaves_nothing_behind(
    lock: SynchronizerImpl, kind: str
) -> None:
    leave, begun = threading.Event(), threading.Event()

    def hold() -> None:
        lock.acquire_write_lock()
        begun.set()
        leave.wait(PATIENCE)
        lock.release_write_lock()

    with thread(hold):
        begun.wait(PATIENCE)
        with interrupted(0.05, KeyboardInterrupt), pytest.raises(KeyboardInterrupt):
            getattr(lock, f"acquire_{kind}_lock")()
        leave.set()

    assert can_read(lock)
    assert can_write(lock)


def test_an_interrupted_writer_lets_the_readers_go_on() -> None:
    lock = ConditionSynchronizer("name")
    leave, begun = threading.Event(), threading.Event()

    def hold() -> None:
        lock.acquire_read_lock()
        begun.set()
        leave.wait(PATIENCE)
        lock.release_read_lock()

    with thread(hold):
        begun.wait(PATIENCE)
        with interrupted(0.05, KeyboardInterrupt), pytest.raises(KeyboardInterrupt):
            lock.acquire_write_lock()
        assert can_read(lock)
        leave.set()


def test_readers_that_keep_coming_do_not_starve_a_writer() -> None:
    lock, done = ConditionSynchronizer("name"), threading.Event()
    reads: list[int] = []

    def read() -> None:
        while not done.is_set():
            lock.acquire_read_lock()
            reads.append(1)
            time.sleep(0.01)
            lock.release_read_lock()

    readers = [threading.Thread(target=read, daemon=True) for _ in range(4)]
    for number, reader in enumerate(readers):
        reader.start()
        time.sleep(0.003 * number)
    got = threading.Event()

    def write() -> None:
        lock.acquire_write_lock()
        got.set()
        lock.release_write_lock()

    before = len(reads)
    with thread(write):
        got.wait(PATIENCE)
        during = len(reads) - before
        done.set()

    for reader in readers:
        reader.join(PATIENCE)
    assert during <= 8


def test_a_reader_that_another_reader_waits_for_passes_a_waiting_writer() -> None:
    lock = ConditionSynchronizer("name")
    lock.acquire_read_lock()

    def write() -> None:
        lock.acquire_write_lock()
        lock.release_write_lock()

    def read() -> bool:
        lock.acquire_read_lock()
        lock.release_read_lock()
        return True

    with thread(write):
        time.sleep(0.05)
        # We do not stop reading until the other thread has read.
        assert elsewhere(read)
        lock.release_read_lock()


def test_without_wait_a_reader_lets_a_waiting_writer_go_first() -> None:
    lock = ConditionSynchronizer("name")
    lock.acquire_read_lock()

    def write() -> None:
        lock.acquire_write_lock()
        lock.release_write_lock()

    with thread(write):
        time.sleep(0.05)
        assert not can_read(lock)
        lock.release_read_lock()


# -- who holds it


def test_two_tasks_of_one_thread_are_two_holders(lock: SynchronizerImpl) -> None:
    async def both() -> tuple[bool, bool, bool]:
        mine = lock.acquire_write_lock()
        again = lock.acquire_write_lock(wait=False)

        async def other() -> bool:
            return lock.acquire_write_lock(wait=False)

        theirs = await asyncio.create_task(other())
        lock.release_write_lock()
        lock.release_write_lock()
        return mine, again, theirs

    assert asyncio.run(both()) == (True, True, False)
    assert can_write(lock)


def test_locks_work_in_a_program_without_asyncio(tmp_path: Path) -> None:
    code = f"""
import sys
from beaker.synchronization import FileSynchronizer
lock = FileSynchronizer("name", {str(tmp_path)!r})
lock.acquire(); lock.acquire(); lock.release(); lock.release()
print("asyncio" in sys.modules)
"""
    ran = subprocess.run(  # noqa: S603 - a test's own code
        [sys.executable, "-c", code], capture_output=True, text=True, check=True
    )

    assert ran.stdout == "False\n"


# -- other processes


def test_a_forked_child_holds_nothing_and_may_release_what_it_inherited() -> None:
    lock = ConditionSynchronizer("name")
    lock.acquire()

    def child() -> bool:
        lock.release()
        return lock.acquire(wait=False)

    assert succeeds(fork(child))
    assert not can_write(lock)
    lock.release()


def test_a_forked_child_does_not_wait_for_its_parents_threads() -> None:
    lock, name = mutex_synchronizer("name"), NameLock("name")
    leave, begun = threading.Event(), threading.Event()

    def hold() -> None:
        lock.acquire()
        name.acquire()
        with (
            lock._room().changed,
            synchronization._synchronizers.mutex,
            NameLock.locks.mutex,
        ):
            begun.set()
            leave.wait(PATIENCE)
        name.release()
        lock.release()

    def child() -> bool:
        mutex_synchronizer("new")
        NameLock("new").acquire()
        return lock.acquire() and name.acquire()

    with thread(hold):
        begun.wait(PATIENCE)
        assert succeeds(fork(child))
        leave.set()
