from __future__ import annotations

import gc
import os
import threading
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from beaker._locks import filelock, kernellocks
from beaker._locks.filelock import FileLock
from beaker.exceptions import LockError
from beaker.testing._processes import (
    PATIENCE,
    fork,
    interrupted,
    kill,
    program,
    succeeds,
    thread,
    wait_for,
)

MakeLock = Callable[[str], FileLock]

HOLDER_WITH_CHILD = """
import os, sys
from beaker._locks import filelock
from beaker._locks import kernellocks
filelock.available_locks = getattr(kernellocks, sys.argv[1])
lock = filelock.FileLock(sys.argv[2], "name")
lock.acquire()
if not os.fork():
    print("ready", flush=True)
sys.stdin.read()
"""


@pytest.fixture(params=["ByteRangeLocks", "WholeFileLocks"])
def kind(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> str:
    name = str(request.param)
    monkeypatch.setattr(filelock, "available_locks", getattr(kernellocks, name))
    return name


@pytest.fixture
def directory(tmp_path: Path) -> str:
    return str(tmp_path / "not" / "yet" / "there")


@pytest.fixture
def lock(kind: str, directory: str) -> MakeLock:  # noqa: ARG001 - how they lock
    return lambda name: FileLock(directory, name)


def test_linux_has_byte_range_locks() -> None:
    assert isinstance(kernellocks.available_locks(), kernellocks.ByteRangeLocks)


def test_a_held_name_is_refused_to_another_object(lock: MakeLock) -> None:
    holder, other = lock("name"), lock("name")

    assert holder.acquire()

    assert not other.acquire(wait=False)


def test_a_released_name_is_free(lock: MakeLock) -> None:
    holder, other = lock("name"), lock("name")
    holder.acquire()

    holder.release()

    assert other.acquire(wait=False)


def test_names_of_one_directory_do_not_exclude_each_other(lock: MakeLock) -> None:
    names = [lock(f"name {number}") for number in range(500)]

    assert all(name.acquire(wait=False) for name in names)


def test_directories_do_not_exclude_each_other(tmp_path: Path, kind: str) -> None:
    assert kind
    here, there = (FileLock(str(tmp_path / name), "name") for name in ("a", "b"))

    assert here.acquire(wait=False)
    assert there.acquire(wait=False)


def test_a_name_may_hold_any_characters(lock: MakeLock) -> None:
    for name in ("", "/../..\0", "\udcff", "ü" * 5000):
        with lock(name):
            assert not lock(name).acquire(wait=False)


def test_sharers_hold_together_and_exclude_who_wants_it_alone(lock: MakeLock) -> None:
    one, two, alone = lock("name"), lock("name"), lock("name")

    assert one.acquire(shared=True, wait=False)
    assert two.acquire(shared=True, wait=False)
    assert not alone.acquire(wait=False)
    one.release()
    assert not alone.acquire(wait=False)
    two.release()

    assert alone.acquire(wait=False)


def test_who_holds_it_alone_excludes_sharers(lock: MakeLock) -> None:
    with lock("name"):
        assert not lock("name").acquire(shared=True, wait=False)


def test_waiting_ends_when_the_timeout_does(lock: MakeLock) -> None:
    with lock("name"):
        began = time.monotonic()

        assert not lock("name").acquire(timeout=0.1)

        assert 0.1 <= time.monotonic() - began < PATIENCE


@pytest.mark.parametrize("timeout", [None, PATIENCE])
def test_a_waiter_gets_what_is_released(lock: MakeLock, timeout: float | None) -> None:
    holder, waiter = lock("name"), lock("name")
    holder.acquire()
    got = []

    with thread(lambda: got.append(waiter.acquire(timeout=timeout))):
        time.sleep(0.05)
        assert not got
        holder.release()

    assert got == [True]


def test_a_holder_cannot_take_it_twice_and_keeps_it(lock: MakeLock) -> None:
    holder = lock("name")
    holder.acquire()

    with pytest.raises(LockError, match="'name' is held by this object"):
        holder.acquire()

    assert not lock("name").acquire(wait=False)


def test_releasing_what_is_not_held_does_nothing(lock: MakeLock) -> None:
    with lock("name"):
        lock("name").release()

        assert not lock("name").acquire(wait=False)


def test_a_forgotten_object_frees_its_name(lock: MakeLock) -> None:
    holder = lock("name")
    holder.acquire()

    del holder
    gc.collect()

    assert lock("name").acquire(wait=False)


def test_threads_never_hold_it_at_once(lock: MakeLock) -> None:
    inside: list[int] = []
    seen: list[int] = []

    def work() -> None:
        for _ in range(50):
            with lock("name"):
                inside.append(1)
                time.sleep(0)
                seen.append(len(inside))
                inside.pop()

    workers = [threading.Thread(target=work) for _ in range(4)]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join(PATIENCE)

    assert seen == [1] * 200


def test_processes_never_hold_it_at_once(lock: MakeLock, tmp_path: Path) -> None:
    counter = tmp_path / "counter"
    counter.write_text("0")

    def work() -> bool:
        for _ in range(50):
            with lock("name"):
                counter.write_text(str(int(counter.read_text()) + 1))
        return True

    children = [fork(work) for _ in range(4)]

    assert wait_for(children)
    assert counter.read_text() == "200"


def test_processes_that_only_try_never_hold_it_at_once(
    lock: MakeLock, tmp_path: Path
) -> None:
    counter = tmp_path / "counter"
    counter.write_text("0")

    def work() -> bool:
        done = 0
        while done < 50:
            mine = lock("name")
            if mine.acquire(wait=False):
                counter.write_text(str(int(counter.read_text()) + 1))
                done += 1
                mine.release()
        return True

    children = [fork(work) for _ in range(3)]

    assert wait_for(children)
    assert counter.read_text() == "150"


@pytest.mark.parametrize("waits", [True, False])
def test_a_killed_holder_is_followed_at_once(lock: MakeLock, waits: bool) -> None:
    for _ in range(5):
        ready, tell = os.pipe()

        def hold(tell: int = tell) -> None:
            held = lock("name")
            held.acquire()
            os.write(tell, b"!")
            time.sleep(PATIENCE)

        child = fork(hold)
        os.read(ready, 1)
        killed: list[int] = []

        def murder(child: int = child, killed: list[int] = killed) -> None:
            time.sleep(0.02 * waits)
            killed.append(child)
            kill(child)

        with thread(murder):
            if waits:
                assert lock("name").acquire()
                assert killed
        assert lock("name").acquire(wait=False)
        os.close(ready)
        os.close(tell)


def test_a_forked_child_does_not_hold_what_its_parent_holds(lock: MakeLock) -> None:
    holder = lock("name")
    holder.acquire()
    ready, tell = os.pipe()

    def child() -> bool:
        os.read(ready, 1)
        # The parent has released it: were our copy still open, it would be held.
        return lock("name").acquire(timeout=PATIENCE)

    running = fork(child)
    holder.release()
    os.write(tell, b"!")

    assert succeeds(running)
    os.close(ready)
    os.close(tell)


def test_a_forked_child_cannot_free_what_its_parent_holds(lock: MakeLock) -> None:
    holder = lock("name")
    holder.acquire()

    def child() -> bool:
        # A file of its own gets the number that the parent's descriptor has.
        number = os.open(os.devnull, os.O_RDONLY)
        holder.release()
        os.fstat(number)
        return not lock("name").acquire(wait=False)

    assert succeeds(fork(child))
    assert not lock("name").acquire(wait=False)


def test_a_child_of_a_killed_holder_does_not_keep_the_lock(
    lock: MakeLock, kind: str, directory: str
) -> None:
    with program(HOLDER_WITH_CHILD, kind, directory) as process:
        assert not lock("name").acquire(wait=False)
        process.kill()

        assert lock("name").acquire(timeout=0.5)


def test_a_child_forked_while_another_thread_waits_does_not_keep_the_lock(
    lock: MakeLock,
) -> None:
    holder, waiter = lock("name"), lock("name")
    holder.acquire()
    ready, tell = os.pipe()
    with thread(waiter.acquire):
        time.sleep(0.05)
        child = fork(lambda: os.read(ready, 1))
        holder.release()

    waiter.release()

    assert lock("name").acquire(timeout=0.5)
    os.write(tell, b"!")
    assert succeeds(child)
    os.close(ready)
    os.close(tell)


def test_threads_of_a_forked_child_lock_like_all_others(lock: MakeLock) -> None:
    with lock("parent's"):
        got: list[bool] = []

        def child() -> bool:
            running = threading.Thread(
                target=lambda: got.append(lock("child's").acquire()), daemon=True
            )
            running.start()
            running.join(PATIENCE)
            return got == [True]

        assert succeeds(fork(child))


def test_no_child_has_a_lock_file_open_however_busy_its_parent_is(
    lock: MakeLock,
) -> None:
    done = threading.Event()

    def work() -> None:
        while not done.is_set():
            with lock("name"):
                pass

    with thread(work), thread(work):
        clean = [succeeds(fork(lambda: not open_files("lock"))) for _ in range(15)]
        done.set()

    assert clean == [True] * 15


@pytest.mark.parametrize("timeout", [None, PATIENCE])
def test_an_interrupted_waiter_holds_nothing(
    lock: MakeLock, timeout: float | None
) -> None:
    holder, waiter = lock("name"), lock("name")
    holder.acquire()

    with interrupted(0.05, KeyboardInterrupt), pytest.raises(KeyboardInterrupt):
        waiter.acquire(timeout=timeout)

    holder.release()
    assert lock("name").acquire(wait=False)
    assert not open_files("lock")


@pytest.mark.parametrize("timeout", [None, PATIENCE])
def test_a_signal_that_raises_nothing_does_not_end_the_wait(
    lock: MakeLock, timeout: float | None
) -> None:
    holder, waiter = lock("name"), lock("name")
    holder.acquire()

    def free_later() -> None:
        time.sleep(0.1)
        holder.release()

    with interrupted(0.03, None), thread(free_later):
        assert waiter.acquire(timeout=timeout)

    assert not lock("name").acquire(wait=False)


def open_files(suffix: str) -> int:
    numbers = os.listdir("/proc/self/fd")
    paths = [f"/proc/self/fd/{number}" for number in numbers]
    targets = [os.readlink(path) for path in paths if os.path.islink(path)]
    return sum(target.removesuffix(" (deleted)").endswith(suffix) for target in targets)
