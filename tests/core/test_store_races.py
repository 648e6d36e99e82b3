"""Killed holders and writers, and files that are removed while all are at work."""

from __future__ import annotations

import functools
import os
import select
import shutil
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from beaker.protocols import NamespaceManager
from beaker.testing._processes import PATIENCE, fork, kill, succeeds, wait_for
from beaker.testing._sharing import do_everything

from .local_stores import KINDS, Open, opener

#: Seconds for which a race goes on.
ROUND = 0.6


@pytest.fixture(params=list(KINDS))
def kind(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture
def open_namespace(kind: str, tmp_path: Path) -> Iterator[Open]:
    with opener(kind, tmp_path / "data") as open_namespace:
        yield open_namespace


def test_a_killed_holder_is_replaced_at_once(
    open_namespace: Open, tmp_path: Path
) -> None:
    ready = tmp_path / "ready"

    def hold() -> None:
        open_namespace().lease("key").acquire()
        ready.touch()
        time.sleep(60)

    child = fork(hold)
    while not ready.exists():
        time.sleep(0.002)
    mine = open_namespace().lease("key")
    assert not mine.acquire(wait=False)

    kill(child)

    assert mine.acquire(wait=False)
    assert open_namespace().fill("key", b"mine", None, mine)
    mine.release()


@pytest.mark.parametrize("kind", ["file"])
def test_removing_the_directory_by_hand_disturbs_nobody(
    open_namespace: Open, tmp_path: Path
) -> None:
    ends_at = time.monotonic() + ROUND
    children = [
        fork(lambda: do_everything(open_namespace(), ends_at)) for _ in range(4)
    ]

    while time.monotonic() < ends_at:
        shutil.rmtree(tmp_path / "data", ignore_errors=True)

    assert wait_for(children)


def test_what_was_removed_by_hand_is_gone(open_namespace: Open, tmp_path: Path) -> None:
    store = open_namespace()
    store.store("key", b"old", None)
    lease = store.lease("key")
    lease.acquire()

    shutil.rmtree(tmp_path / "data")

    assert not store.fill("key", b"stale", None, lease)
    lease.release()
    assert open_namespace().fetch("key") is None
    store.store("key", b"new", None)
    assert succeeds(fork(lambda: open_namespace().fetch("key") == b"new"))


def acknowledging(store: NamespaceManager, report: int) -> None:
    number = 0
    while True:
        store.store(f"key {number}", b"%d" % number * 2000, None)
        os.write(report, b"%d\n" % number)
        number += 1


@pytest.mark.parametrize("kind", ["file", "sqlite"])
def test_what_was_stored_survives_the_killing_of_its_writer(
    open_namespace: Open,
) -> None:
    for turn in range(5):
        reading, report = os.pipe()
        store = open_namespace(f"turn {turn}")
        write = functools.partial(acknowledging, store, report)
        children = [fork(write) for _ in range(2)]
        # A busy machine may take its time until the first is stored.
        assert select.select([reading], [], [], PATIENCE)[0]
        time.sleep(0.05 + turn * 0.013)

        for child in children:
            kill(child)
        os.close(report)
        with open(reading, encoding="ascii") as acknowledged:
            numbers = {int(line) for line in acknowledged}

        assert numbers
        for number in numbers:
            assert store.fetch(f"key {number}") == b"%d" % number * 2000
        assert all(store.fetch(key) is not None for key in store.keys())  # noqa: SIM118
        store.store("key 0", b"after", None)
        assert store.fetch("key 0") == b"after"
