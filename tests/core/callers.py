"""Callers in threads, and creation functions that wait until they are let go."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from concurrent.futures import Future
from typing import Any

from beaker.testing._processes import PATIENCE
from tests.core.conftest import Calls


class SlowCalls(Calls):
    """A creation function that blocks until it is let go."""

    def __init__(self) -> None:
        super().__init__()
        self.begun, self.may_finish = threading.Event(), threading.Event()

    def __call__(self, *arguments: Any) -> str:
        """Note the call and wait."""
        value = super().__call__(*arguments)
        self.begun.set()
        assert self.may_finish.wait(PATIENCE)
        return value


def ask(function: Callable[..., Any], *args: Any, **kwargs: Any) -> Future[Any]:
    """Call it in a thread that cannot keep a failed test from ending."""
    outcome: Future[Any] = Future()

    def run() -> None:
        try:
            outcome.set_result(function(*args, **kwargs))
        except BaseException as e:  # noqa: BLE001 - told to the test
            outcome.set_exception(e)

    threading.Thread(target=run, daemon=True).start()
    return outcome


def results(futures: list[Future[Any]]) -> list[Any]:
    """What all of them return, in time."""
    return [future.result(PATIENCE) for future in futures]


def eventually(is_so: Callable[[], bool]) -> bool:
    """Return whether it is so, now or in a while."""
    gives_up_at = time.monotonic() + PATIENCE
    while not is_so() and time.monotonic() < gives_up_at:
        time.sleep(0.005)
    return is_so()
