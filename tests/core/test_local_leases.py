from __future__ import annotations

import os
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from beaker._locks.filelock import FileLock
from beaker._locks.leases import LocalLease
from beaker._locks.synchronizers import FileSynchronizer
from beaker.exceptions import LockTimeoutError
from beaker.testing._processes import (
    PATIENCE,
    fork,
    kill,
    succeeds,
)

from .leasing import turns_left


@pytest.fixture(autouse=True)
def no_turn_is_left_over() -> Iterator[None]:
    yield

    assert not turns_left()


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


def test_a_killed_local_holder_is_followed_at_once(
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

        assert lease.acquire(wait=False)

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
