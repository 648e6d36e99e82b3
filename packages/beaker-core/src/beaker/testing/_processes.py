"""Other processes for tests: forked children, new programs, and their ends."""

from __future__ import annotations

import functools
import os
import pickle
import select
import signal
import socket
import subprocess
import sys
import threading
import time
import traceback
import warnings
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from typing import Any, TypeVar

import pytest

__all__ = [
    "PATIENCE",
    "Line",
    "answer_of_new_process",
    "at_once",
    "child",
    "fork",
    "fork_together",
    "interrupted",
    "kill",
    "program",
    "succeeds",
    "thread",
    "wait_for",
]

T = TypeVar("T")

#: Seconds after which a test gives up on another process or thread.
PATIENCE = 20.0

#: Answers the call that is sent to it; what is printed meanwhile goes elsewhere.
_ANSWERING = """
import pickle, sys
answers, sys.stdout = sys.stdout.buffer, sys.stderr
sys.path[:] = pickle.load(sys.stdin.buffer)
act, arguments = pickle.load(sys.stdin.buffer)
answers.write(pickle.dumps(act(*arguments)))
"""


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


def fork_together(count: int, act: Callable[[], object]) -> list[int]:
    """Fork as `fork` does, so many children that begin together."""
    ready, go = os.pipe()

    def wait_and_act() -> object:
        os.close(go)
        # Nobody writes: what ends the wait is that the parent closes its end.
        os.read(ready, 1)
        return act()

    children = [fork(wait_and_act) for _ in range(count)]
    os.close(ready)
    os.close(go)
    return children


def succeeds(child: int, patience: float = PATIENCE) -> bool:
    """Return whether a child ends with status 0, within so many seconds."""
    gives_up_at = time.monotonic() + patience
    while time.monotonic() < gives_up_at:
        ended, status = os.waitpid(child, os.WNOHANG)
        if ended:
            return status == 0
        time.sleep(0.002)
    kill(child)
    return False


def wait_for(children: Iterable[int], patience: float = PATIENCE) -> bool:
    """Return whether all children end with status 0, each within so many seconds."""
    return all([succeeds(child, patience) for child in children])  # noqa: C419 - wait for all


def kill(child: int) -> None:
    """Kill a child as if the machine's memory had run out."""
    os.kill(child, signal.SIGKILL)
    os.waitpid(child, 0)


class Line:
    """One end of a line between two processes; words are text without line ends."""

    def __init__(self, end: socket.socket) -> None:
        self._end, self._heard = end, b""

    def say(self, word: str) -> None:
        """Send a word."""
        self._end.sendall(word.encode() + b"\n")

    def hear(self) -> str:
        """Return the next word, and fail the test if none comes in time."""
        gives_up_at = time.monotonic() + PATIENCE
        while b"\n" not in self._heard:
            left = max(0.0, gives_up_at - time.monotonic())
            if not select.select([self._end], [], [], left)[0]:
                pytest.fail(f"the other process said nothing for {PATIENCE} seconds")
            more = self._end.recv(4096)
            if not more:
                pytest.fail("the other process has ended without a word")
            self._heard += more
        word, _, self._heard = self._heard.partition(b"\n")
        return word.decode()


class Child(Line):
    """A forked child, and our end of the line to it."""

    def __init__(self, end: socket.socket, process: int) -> None:
        super().__init__(end)
        self._process = process

    def freeze(self) -> None:
        """Stop it, and return once it stands still."""
        os.kill(self._process, signal.SIGSTOP)
        os.waitid(os.P_PID, self._process, os.WSTOPPED)

    def thaw(self) -> None:
        """Let it go on."""
        os.kill(self._process, signal.SIGCONT)

    def kill(self) -> None:
        """Kill it, if it still lives."""
        if self._process:
            kill(self._process)
            self._process = 0


@contextmanager
def child(act: Callable[[Line], object]) -> Iterator[Child]:
    """Run this in a forked child, with a line to us, until the block ends."""
    mine, theirs = socket.socketpair()

    def act_there() -> object:
        # Our end there would keep the line open after our own end.
        mine.close()
        return act(Line(theirs))

    with mine, theirs:
        forked = Child(mine, fork(act_there))
        theirs.close()
        try:
            yield forked
        finally:
            forked.kill()


def answer_of_new_process(
    act: Callable[..., T], *arguments: object, **surroundings: Any
) -> T:
    """Return what a function answers in a new process that inherits nothing.

    Args:
        act: A function of a module.
        arguments: Its arguments, which can be pickled.
        surroundings: ``cwd`` and ``env`` of the process.
    """
    call = pickle.dumps(sys.path) + pickle.dumps((act, arguments))
    ran = subprocess.run(  # noqa: S603 - a test's own code
        [sys.executable, "-c", _ANSWERING],
        input=call,
        capture_output=True,
        timeout=3 * PATIENCE,
        check=False,
        **surroundings,
    )
    if ran.returncode:
        pytest.fail(f"the new process failed:\n{ran.stderr.decode()}")
    return pickle.loads(ran.stdout)  # type: ignore[no-any-return]  # what `act` returned


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


def at_once(count: int, act: Callable[[int], T]) -> list[T]:
    """Run this in so many threads that begin together; return what each answered.

    Raises:
        BaseException: What one of them raised.
    """
    begin = threading.Barrier(count)
    answers: dict[int, T] = {}
    errors: list[BaseException] = []

    def run(number: int) -> None:
        try:
            begin.wait(PATIENCE)
            answers[number] = act(number)
        except BaseException as error:  # noqa: BLE001 - raised in the test
            errors.append(error)

    threads = [
        threading.Thread(target=functools.partial(run, number), daemon=True)
        for number in range(count)
    ]
    for each in threads:
        each.start()
    for each in threads:
        each.join(3 * PATIENCE)
    if errors:
        raise errors[0]
    assert len(answers) == count, "a thread did not end in time"
    return [answers[number] for number in range(count)]


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
