"""What holds when many processes, threads and users are at one store at once."""

from __future__ import annotations

import functools
import os
import shutil
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from beaker.protocols import NamespaceManager
from beaker.testing._processes import fork, kill, succeeds, thread, wait_for

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


def count_up(store: NamespaceManager, times: int) -> bool:
    for _ in range(times):
        while True:
            seen = store.fetch("counter")
            if store.replace("counter", seen, b"%d" % (int(seen or 0) + 1), None):
                break
    return True


def test_no_update_is_lost_among_processes(open_namespace: Open) -> None:
    children = [fork(lambda: count_up(open_namespace(), 25)) for _ in range(8)]

    assert wait_for(children)

    assert open_namespace().fetch("counter") == b"200"


def test_no_update_is_lost_among_threads(open_namespace: Open) -> None:
    store = open_namespace()
    threads = [threading.Thread(target=count_up, args=(store, 25)) for _ in range(8)]

    for each in threads:
        each.start()
    for each in threads:
        each.join()

    assert store.fetch("counter") == b"200"


def test_a_lease_excludes_other_processes(open_namespace: Open) -> None:
    lease = open_namespace().lease("key")
    lease.acquire()

    assert succeeds(fork(lambda: not open_namespace().lease("key").acquire(wait=False)))
    assert succeeds(fork(lambda: open_namespace().lease("other").acquire(wait=False)))
    lease.release()
    assert succeeds(fork(lambda: open_namespace().lease("key").acquire(wait=False)))


@pytest.mark.parametrize("how", ["store", "discard", "drop"])
def test_another_process_breaks_a_lease(open_namespace: Open, how: str) -> None:
    lease = open_namespace().lease("key")
    lease.acquire()

    def invalidate() -> bool:
        store = open_namespace()
        breaking: dict[str, Callable[[], object]] = {
            "store": lambda: store.store("key", b"new", None),
            "discard": lambda: store.discard("key"),
            "drop": store.drop,
        }
        breaking[how]()
        return True

    assert succeeds(fork(invalidate))

    assert not open_namespace().fill("key", b"stale", None, lease)
    lease.release()


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

    assert mine.acquire(timeout=0.5)
    assert open_namespace().fill("key", b"mine", None, mine)
    mine.release()


def test_a_reader_sees_whole_records_only(open_namespace: Open) -> None:
    records = [bytes([number]) * (100_000 + number) for number in (1, 2, 3)]
    store, ends_at = open_namespace(), time.monotonic() + ROUND
    store.store("key", records[0], None)

    def write() -> bool:
        while time.monotonic() < ends_at:
            for record in records:
                open_namespace().store("key", record, None)
        return True

    children = [fork(write) for _ in range(2)]
    seen = []
    while time.monotonic() < ends_at:
        seen.append(store.fetch("key"))

    assert wait_for(children)
    assert set(seen) <= set(records)


def do_everything(store: NamespaceManager, ends_at: float) -> bool:
    while time.monotonic() < ends_at:
        for key in ("a", "b", "c"):
            store.store(key, key.encode() * 1000, 60)
            assert store.fetch(key) in {None, key.encode() * 1000}
            store.replace(key, key.encode() * 1000, key.encode() * 1000, 60)
            store.touch(key, 60, 1.0)
            store.fetch_accessed(key)
            lease = store.lease(key)
            if lease.acquire(wait=False):
                store.fill(key, key.encode() * 1000, 60, lease)
                lease.release()
            store.keys()
            store.discard(key)
        store.purge()
    return True


def test_dropping_disturbs_nobody(open_namespace: Open) -> None:
    ends_at = time.monotonic() + ROUND
    children = [
        fork(lambda: do_everything(open_namespace(), ends_at)) for _ in range(4)
    ]

    while time.monotonic() < ends_at:
        open_namespace().drop()

    assert wait_for(children)
    open_namespace().drop()
    assert list(open_namespace().keys()) == []


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


def test_a_forked_child_goes_on_where_its_parent_was(open_namespace: Open) -> None:
    store = open_namespace()
    store.store("key", b"data", None)

    def child() -> bool:
        store.store("child", b"child", None)
        return store.fetch("key") == b"data" and os.getpid() > 0

    assert wait_for([fork(child) for _ in range(4)])
    assert store.fetch("child") == b"child"
    assert store.fetch("key") == b"data"


def test_forking_while_threads_work_disturbs_nobody(open_namespace: Open) -> None:
    store, ends_at = open_namespace(), time.monotonic() + ROUND
    failures: list[BaseException] = []

    def work(name: str) -> None:
        try:
            while time.monotonic() < ends_at:
                store.store(name, name.encode(), None)
                assert store.fetch(name) == name.encode()
        except BaseException as e:  # noqa: BLE001 - told to the test
            failures.append(e)

    def child() -> bool:
        store.store("child", b"data", None)
        return store.fetch("child") == b"data"

    with thread(lambda: work("one")), thread(lambda: work("two")):
        while time.monotonic() < ends_at:
            assert succeeds(fork(child))

    assert failures == []


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
