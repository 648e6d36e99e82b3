from __future__ import annotations

import os
import stat
import sys
import time
import types
from collections.abc import Callable
from pathlib import Path

import pytest

from beaker._locks import filelock, kernellocks
from beaker._locks.filelock import FileLock
from beaker.exceptions import StoreRefusedError
from beaker.testing._processes import (
    fork,
    succeeds,
    thread,
)

MakeLock = Callable[[str], FileLock]


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


def test_thousands_of_names_leave_one_file(directory: str) -> None:
    for number in range(3000):
        with FileLock(directory, f"name {number}"):
            pass

    assert os.listdir(directory) == ["beaker.lock"]


def test_whole_file_locks_leave_no_file(
    directory: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(filelock, "available_locks", kernellocks.WholeFileLocks)
    for number in range(300):
        lock = FileLock(directory, f"name {number}")
        lock.acquire(shared=bool(number % 2))
        lock.release()

    assert os.listdir(directory) == []


def test_no_descriptor_stays_open(lock: MakeLock) -> None:
    before = open_files("lock")
    with lock("name"):
        assert open_files("lock") == before + 1
        lock("name").acquire(wait=False)
        lock("name").acquire(timeout=0.02)

    assert open_files("lock") == before


def test_a_waiter_whose_file_was_removed_excludes_newcomers(
    lock: MakeLock, directory: str
) -> None:
    holder, waiter = lock("name"), lock("name")
    holder.acquire()

    with thread(waiter.acquire):
        time.sleep(0.05)
        for name in os.listdir(directory):
            os.unlink(os.path.join(directory, name))
        holder.release()

    assert not lock("name").acquire(wait=False)


def test_a_directory_that_disappears_is_made_again(
    lock: MakeLock, directory: str
) -> None:
    with lock("name"):
        pass
    for name in os.listdir(directory):
        os.unlink(os.path.join(directory, name))
    os.rmdir(directory)

    assert lock("name").acquire(wait=False)


def test_only_our_user_can_use_directory_and_file(
    lock: MakeLock, directory: str
) -> None:
    with lock("name"):
        (name,) = os.listdir(directory)

        assert stat.S_IMODE(os.stat(directory).st_mode) == 0o700
        path = os.path.join(directory, name)
        assert stat.S_IMODE(os.stat(path).st_mode) == 0o600


@pytest.mark.parametrize("below", ["", "deeper"])
def test_a_directory_that_cannot_be_made_is_told(
    tmp_path: Path, kind: str, below: str
) -> None:
    assert kind
    (tmp_path / "file").write_text("")
    directory = str(tmp_path / "file" / below) if below else str(tmp_path / "file")

    with pytest.raises(StoreRefusedError) as told:
        FileLock(directory, "name").acquire()

    assert directory in str(told.value)
    assert "set the option 'lock_dir' (or 'data_dir')" in str(told.value)


def test_a_directory_that_may_not_be_written_is_told(
    tmp_path: Path, lock: MakeLock, directory: str
) -> None:
    def child() -> bool:
        if os.getuid() == 0:
            os.setuid(65534)
        try:
            lock("name").acquire()
        except StoreRefusedError as told:
            return directory in str(told) and "Permission denied" in str(told)
        return False

    os.makedirs(directory)
    for path in (tmp_path, *tmp_path.parents[:3]):
        path.chmod(0o755)
    os.chmod(directory, 0o555)  # noqa: S103 - others may look

    assert succeeds(fork(child))


@pytest.mark.parametrize("what", ["directory", "file"])
def test_what_belongs_to_another_user_is_refused(
    kind: str, directory: str, what: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    os.makedirs(directory)
    lock = FileLock(directory, "name")
    path = getattr(kernellocks, kind)().path(directory, "name")
    if what == "file":
        Path(path).touch()
    foreign = directory if what == "directory" else path
    if os.getuid() == 0:
        os.chown(foreign, 65534, -1)
    else:
        monkeypatch.setattr(os, "geteuid", lambda: os.getuid() + 1)

    with pytest.raises(StoreRefusedError, match="belongs to user"):
        lock.acquire()

    assert not open_files("lock")


def test_a_symbolic_link_is_refused(tmp_path: Path, directory: str) -> None:
    os.makedirs(directory)
    victim = tmp_path / "victim"
    victim.write_text("precious")
    os.symlink(victim, os.path.join(directory, "beaker.lock"))

    with pytest.raises(StoreRefusedError, match="symbolic link"):
        FileLock(directory, "name").acquire()


def test_windows_locks_exclude_and_leave_no_file(
    directory: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    import fcntl

    def locking(descriptor: int, _mode: int, _size: int) -> None:
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            raise PermissionError from error

    there = types.SimpleNamespace(locking=locking, LK_NBLCK=2)
    monkeypatch.setitem(sys.modules, "msvcrt", there)
    monkeypatch.setattr(filelock, "available_locks", kernellocks.WindowsLocks)
    holder, waiter = FileLock(directory, "name"), FileLock(directory, "name")
    holder.acquire(shared=True)

    assert not waiter.acquire(shared=True, wait=False)
    with thread(waiter.acquire):
        time.sleep(0.03)
        holder.release()
    waiter.release()

    assert os.listdir(directory) == []


def open_files(suffix: str) -> int:
    numbers = os.listdir("/proc/self/fd")
    paths = [f"/proc/self/fd/{number}" for number in numbers]
    targets = [os.readlink(path) for path in paths if os.path.islink(path)]
    return sum(target.removesuffix(" (deleted)").endswith(suffix) for target in targets)
