"""Locks that many read or one writes under, as Beaker 1.x has them."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import ClassVar

import pytest

from beaker.protocols import Synchronizer
from beaker.testing._processes import (
    PATIENCE,
    Line,
    at_once,
    child,
    fork,
    succeeds,
    thread,
    wait_for,
)
from beaker.testing._sharing import CROWD
from beaker.testing._suite import Suite, patience, rounds

__all__ = ["OpenSynchronizer", "SynchronizerSuite"]

#: Returns a lock of this name, new in each process that asks.
OpenSynchronizer = Callable[[str], Synchronizer]


class SynchronizerSuite(Suite):
    """Readers and writers, tested: inherit, and give `open_synchronizer`."""

    #: Whether the lock keeps out other processes, or the threads of this one only.
    shared_between_processes: ClassVar[bool] = True

    @pytest.fixture
    def open_synchronizer(self) -> OpenSynchronizer:
        """Return what makes a lock of a name that no other test uses."""
        pytest.fail(
            f"{type(self).__name__} has no fixture 'open_synchronizer'; give one that "
            f"returns a function from a name to a lock"
        )

    @pytest.fixture
    def lock(self, open_synchronizer: OpenSynchronizer) -> Synchronizer:
        """One lock."""
        return open_synchronizer("name")

    @pytest.fixture
    def _among_processes(self) -> None:
        if not self.shared_between_processes:
            pytest.skip("this lock is one of this process alone")

    # -- many readers, one writer

    def test_readers_read_together_and_keep_writers_out(
        self, lock: Synchronizer
    ) -> None:
        """Until the last one has ended."""
        assert lock.acquire_read_lock()

        assert elsewhere(lambda: can_read(lock))
        assert not elsewhere(lambda: can_write(lock))
        lock.release_read_lock()
        assert elsewhere(lambda: can_write(lock))

    def test_a_writer_keeps_all_others_out(self, lock: Synchronizer) -> None:
        """Until he has ended."""
        assert lock.acquire_write_lock()

        assert not elsewhere(lambda: can_read(lock))
        assert not elsewhere(lambda: can_write(lock))
        lock.release_write_lock()
        assert elsewhere(lambda: can_read(lock))
        assert elsewhere(lambda: can_write(lock))

    def test_acquiring_is_writing(self, lock: Synchronizer) -> None:
        """What says nothing of reading excludes."""
        assert lock.acquire()

        assert not elsewhere(lambda: can_read(lock))
        lock.release()
        assert elsewhere(lambda: can_write(lock))

    def test_another_name_is_another_lock(
        self, lock: Synchronizer, open_synchronizer: OpenSynchronizer
    ) -> None:
        """Nobody waits for what he has nothing to do with."""
        other = open_synchronizer("other")
        lock.acquire()

        assert elsewhere(lambda: can_write(other))
        lock.release()

    @pytest.mark.parametrize("wait", [True, False])
    def test_its_holder_may_take_it_again(self, lock: Synchronizer, wait: bool) -> None:
        """And releases it as often."""
        lock.acquire_write_lock()

        assert lock.acquire_write_lock(wait)

        lock.release_write_lock()

        assert not elsewhere(lambda: can_write(lock))
        lock.release_write_lock()
        assert elsewhere(lambda: can_write(lock))

    @pytest.mark.parametrize("wait", [True, False])
    def test_a_reader_may_read_again(self, lock: Synchronizer, wait: bool) -> None:
        """And ends as often."""
        lock.acquire_read_lock()

        assert lock.acquire_read_lock(wait)

        lock.release_read_lock()

        assert not elsewhere(lambda: can_write(lock))
        lock.release_read_lock()
        assert elsewhere(lambda: can_write(lock))

    @pytest.mark.parametrize("held_by", ["reader", "writer"])
    def test_a_writer_waits_for_the_release(
        self, lock: Synchronizer, held_by: str
    ) -> None:
        """And has it then."""
        events: list[str] = []
        lock.acquire_read_lock() if held_by == "reader" else lock.acquire_write_lock()

        def write() -> None:
            assert lock.acquire_write_lock()
            events.append("written")
            lock.release_write_lock()

        with thread(write):
            time.sleep(0.1)
            events.append("released")
            if held_by == "reader":
                lock.release_read_lock()
            else:
                lock.release_write_lock()

        assert events == ["released", "written"]

    def test_threads_never_write_at_once(
        self, open_synchronizer: OpenSynchronizer
    ) -> None:
        """Whichever object each has, of one name."""
        inside: list[int] = []
        times, locks = 5 * rounds(), [open_synchronizer("name") for _ in range(CROWD)]

        def write(number: int) -> int:
            alone = 0
            for _ in range(times):
                with written(locks[number]):
                    inside.append(1)
                    time.sleep(0)
                    alone += len(inside) == 1
                    inside.pop()
            return alone

        assert at_once(CROWD, write) == [times] * CROWD

    # -- other processes

    @pytest.mark.usefixtures("_among_processes")
    def test_a_reader_here_keeps_writers_elsewhere_out(
        self, lock: Synchronizer, open_synchronizer: OpenSynchronizer
    ) -> None:
        """And lets them read."""
        lock.acquire_read_lock()

        assert succeeds(fork(lambda: can_read(open_synchronizer("name"))))
        assert succeeds(fork(lambda: not can_write(open_synchronizer("name"))))
        lock.release_read_lock()
        assert succeeds(fork(lambda: can_write(open_synchronizer("name"))))

    @pytest.mark.usefixtures("_among_processes")
    def test_a_writer_here_keeps_everybody_elsewhere_out(
        self, lock: Synchronizer, open_synchronizer: OpenSynchronizer
    ) -> None:
        """Until he has ended."""
        lock.acquire_write_lock()

        assert succeeds(fork(lambda: not can_read(open_synchronizer("name"))))
        assert succeeds(fork(lambda: not can_write(open_synchronizer("name"))))
        lock.release_write_lock()
        assert succeeds(fork(lambda: can_write(open_synchronizer("name"))))

    @pytest.mark.usefixtures("_among_processes")
    def test_processes_never_write_at_once(
        self,
        open_synchronizer: OpenSynchronizer,
        tmp_path_factory: pytest.TempPathFactory,
    ) -> None:
        """What each adds to a file is there in the end."""
        counter = tmp_path_factory.mktemp("counter") / "counter"
        counter.write_text("0")
        times = 5 * rounds()

        def write() -> bool:
            lock = open_synchronizer("name")
            for _ in range(times):
                with written(lock):
                    seen = int(counter.read_text())
                    # Long enough for another to come between, if he can.
                    time.sleep(0.001)
                    counter.write_text(str(seen + 1))
            return True

        assert wait_for([fork(write) for _ in range(4)], patience())
        assert counter.read_text() == str(4 * times)

    @pytest.mark.usefixtures("_among_processes")
    def test_a_killed_writer_is_followed(
        self, lock: Synchronizer, open_synchronizer: OpenSynchronizer
    ) -> None:
        """Whoever dies takes no lock with him."""

        def hold(line: Line) -> None:
            open_synchronizer("name").acquire()
            line.say("held")
            time.sleep(PATIENCE)

        with child(hold) as holder:
            assert holder.hear() == "held"
            assert not lock.acquire(wait=False)
            holder.kill()

            assert lock.acquire()

        lock.release()

    @pytest.mark.usefixtures("_among_processes")
    def test_a_forked_child_cannot_release_its_parents_lock(
        self, lock: Synchronizer, open_synchronizer: OpenSynchronizer
    ) -> None:
        """Nor does it hold it."""
        lock.acquire()

        def act() -> bool:
            lock.release()
            return not can_write(open_synchronizer("name"))

        assert succeeds(fork(act))
        assert not elsewhere(lambda: can_write(lock))
        lock.release()


def elsewhere(act: Callable[[], bool]) -> bool:
    """Return what this answers in another thread."""
    answers: list[bool] = []
    with thread(lambda: answers.append(act())):
        pass
    return answers[0]


def can_read(lock: Synchronizer) -> bool:
    """Return whether the lock can be had at once for reading."""
    is_ours = lock.acquire_read_lock(wait=False)
    if is_ours:
        lock.release_read_lock()
    return is_ours


def can_write(lock: Synchronizer) -> bool:
    """Return whether the lock can be had at once for writing."""
    is_ours = lock.acquire_write_lock(wait=False)
    if is_ours:
        lock.release_write_lock()
    return is_ours


@contextmanager
def written(lock: Synchronizer) -> Iterator[None]:
    """Hold the lock for writing."""
    lock.acquire_write_lock()
    try:
        yield
    finally:
        lock.release_write_lock()
