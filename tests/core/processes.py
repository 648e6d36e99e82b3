"""Other processes for tests: forked children, and programs to be killed."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
import time
import traceback
import warnings
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager

#: Seconds after which a test gives up on another process or thread.
PATIENCE = 20.0


def fork(act: Callable[[], object]) -> int:
    """Run this in a forked child, and return the child's process id at once.

    The child's exit status is 0 if it answered something true, 1 if not, 2 if it
    raised.
    """
    with warnings.catch_warnings():
        # That other threads do not survive a fork is what is being tested.
        warnings.simplefilter("ignore", DeprecationWarning)
        child = os.fork()
    if child:
        return child
    status = 2
    try:
        status = 0 if act() else 1
    except BaseException:  # noqa: BLE001 - a child must never return into pytest
        traceback.print_exc()
    finally:
        os._exit(status)


def succeeds(child: int) -> bool:
    """Return whether a child ends with status 0, in time."""
    gives_up_at = time.monotonic() + PATIENCE
    while time.monotonic() < gives_up_at:
        ended, status = os.waitpid(child, os.WNOHANG)
        if ended:
            return status == 0
        time.sleep(0.002)
    kill(child)
    return False


def wait_for(children: Iterable[int]) -> bool:
    """Return whether all children end with status 0, in time."""
    return all([succeeds(child) for child in children])  # noqa: C419 - wait for all


def kill(child: int) -> None:
    """Kill a child as if the machine's memory had run out."""
    os.kill(child, signal.SIGKILL)
    os.waitpid(child, 0)


@contextmanager
def program(code: str, *arguments: str) -> Iterator[subprocess.Popen[str]]:
    """Run Python code that prints "ready", and is killed in the end."""
    with subprocess.Popen(  # noqa: S603 - a test's own code
        [sys.executable, "-c", code, *arguments],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    ) as process:
        try:
            assert process.stdout is not None
            assert process.stdout.readline() == "ready\n"
            yield process
        finally:
            process.kill()


@contextmanager
def thread(act: Callable[[], object]) -> Iterator[threading.Thread]:
    """Run this in a thread that has to end with the block."""
    running = threading.Thread(target=act, daemon=True)
    running.start()
    yield running
    running.join(PATIENCE)
    assert not running.is_alive()


@contextmanager
def interrupted(after: float, error: type[BaseException] | None) -> Iterator[None]:
    """Send a signal to the main thread; its handler raises this error, if any."""

    def handle(_number: int, _frame: object) -> None:
        if error is not None:
            raise error

    before = signal.signal(signal.SIGALRM, handle)
    signal.setitimer(signal.ITIMER_REAL, after)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, before)
