"""The store of one SQLite database: its connections, its file, its statements."""

from __future__ import annotations

import ctypes
import functools
import os
import sqlite3
import stat
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from beaker.backends import _forks, sqlite
from beaker.exceptions import StoreRefusedError
from beaker.testing._processes import fork, kill, succeeds, wait_for

from .callers import eventually
from .local_stores import Open, opener


@pytest.fixture
def data(tmp_path: Path) -> Path:
    return tmp_path / "data"


@pytest.fixture
def file(data: Path) -> Path:
    return data / "beaker.sqlite3"


@pytest.fixture
def open_namespace(data: Path) -> Iterator[Open]:
    with opener("sqlite", data) as open_namespace:
        yield open_namespace


def ask(file: Path, sql: str) -> list[Any]:
    connection = sqlite3.connect(file)
    try:
        return connection.execute(sql).fetchall()
    finally:
        connection.close()


def connection_of(store: Any) -> Any:
    return store._database._here.link.connection


def test_everything_is_in_one_file(open_namespace: Open, data: Path) -> None:
    open_namespace("a").store("key", b"data", None)
    open_namespace("b").store("key", b"data", None)
    open_namespace("c", purpose="session").store("session", b"data", None)

    assert {path.name for path in data.iterdir()} <= {
        "beaker.sqlite3",
        "beaker.sqlite3-shm",
        "beaker.sqlite3-wal",
    }
    assert ask(data / "beaker.sqlite3", "SELECT count(*) FROM records") == [(3,)]
    assert ask(data / "beaker.sqlite3", "PRAGMA journal_mode") == [("wal",)]


def test_closing_leaves_the_file_alone(open_namespace: Open, data: Path) -> None:
    store: Any = open_namespace()
    store.store("key", b"data", None)

    store._database.close()

    assert [path.name for path in data.iterdir()] == ["beaker.sqlite3"]
    assert store.fetch("key") == b"data"


def test_managers_of_one_file_share_connections(open_namespace: Open) -> None:
    first, second = open_namespace("a"), open_namespace("b", purpose="session")
    first.fetch("key")

    assert connection_of(first) is connection_of(second)


def test_each_thread_has_its_connection_and_takes_it_along(
    open_namespace: Open, file: Path
) -> None:
    store = open_namespace()
    mine, theirs, files = opened(store), [], []

    def work() -> None:
        theirs.append(opened(store))
        files.append(open_files(file))

    for _ in range(5):
        thread = threading.Thread(target=work)
        thread.start()
        thread.join()

    assert mine not in theirs
    assert files == [2] * 5
    for connection in theirs:
        with pytest.raises(sqlite3.ProgrammingError, match="closed"):
            connection.execute("SELECT 1")


def test_no_connection_crosses_a_fork(open_namespace: Open, file: Path) -> None:
    store = open_namespace()
    store.store("key", b"data", None)
    assert open_files(file) == 1

    def child() -> bool:
        inherited = open_files(file)
        return inherited == 0 and store.fetch("key") == b"data"

    assert succeeds(fork(child))
    assert store.fetch("key") == b"data"


def test_children_and_parent_write_side_by_side(
    open_namespace: Open, file: Path
) -> None:
    store = open_namespace()
    store.store("before", b"data", None)

    def work(name: str) -> bool:
        for number in range(50):
            store.store(f"{name} {number}", name.encode(), None)
        return True

    children = [fork(functools.partial(work, f"child {n}")) for n in range(8)]
    work("parent")

    assert wait_for(children)
    assert store.size() == 1 + 9 * 50
    assert ask(file, "PRAGMA integrity_check") == [("ok",)]


def test_a_fork_waits_for_the_statement_of_another_thread(
    open_namespace: Open, file: Path
) -> None:
    store: Any = open_namespace()
    store.store("key", b"data", None)
    begun, may_end = threading.Event(), threading.Event()

    def work() -> None:
        store.fetch("key")
        with store._database._here.link.lock:
            begun.set()
            may_end.wait(0.1)

    thread = threading.Thread(target=work)
    thread.start()
    begun.wait()

    assert succeeds(fork(lambda: not open_files(file)))
    thread.join()


def test_a_child_that_python_was_not_told_of_uses_a_connection_of_its_own(
    open_namespace: Open,
) -> None:
    store = open_namespace()
    store.store("key", b"data", None)
    inherited = connection_of(store)

    # So do servers written in C: Python hears of it in the child, or not at all.
    child = ctypes.CDLL(None).fork()
    if not child:
        status = 1
        try:
            _forks._forks()._after_in_child()
            store.store("child", b"data", None)
            status = int(connection_of(store) is inherited)
        finally:
            os._exit(status)

    assert succeeds(child)
    assert connection_of(store) is inherited
    assert store.fetch("child") == b"data"


def test_killed_writers_leave_the_file_whole(open_namespace: Open, file: Path) -> None:
    def write() -> None:
        store = open_namespace()
        for number in range(1_000_000):
            store.store(f"key {number % 50}", os.urandom(20_000), 60)
            store.discard(f"key {number % 7}")

    for turn in range(5):
        children = [fork(write) for _ in range(3)]
        assert eventually(lambda: open_namespace().size() > 0)
        time.sleep(turn * 0.02)
        for child in children:
            kill(child)

        assert ask(file, "PRAGMA integrity_check") == [("ok",)]
        assert open_namespace().size() > 0


def test_processes_that_begin_at_once_make_one_file(
    open_namespace: Open, file: Path
) -> None:
    def work(number: int) -> bool:
        open_namespace().store(f"key {number}", b"data", None)
        return True

    assert wait_for([fork(functools.partial(work, n)) for n in range(12)])

    assert open_namespace().size() == 12
    assert stat.S_IMODE(file.stat().st_mode) == 0o600


@pytest.mark.parametrize(
    "content", [b"no database " * 1000, b"SQLite format 3\0" * 500]
)
def test_what_is_no_database_is_told_and_left_alone(
    open_namespace: Open, file: Path, content: bytes
) -> None:
    file.parent.mkdir(mode=0o700)
    file.touch(mode=0o600)
    file.write_bytes(content)

    with pytest.raises(StoreRefusedError, match=r"remove .*/beaker\.sqlite3\*"):
        open_namespace().fetch("key")

    assert file.read_bytes() == content


def test_a_database_that_is_repaired_is_used_again(
    open_namespace: Open, file: Path
) -> None:
    store: Any = open_namespace()
    # More than SQLite keeps in memory, and all of it in the one file.
    store.store_many({f"key {n}": b"%d" % n * 10_000 for n in range(100, 400)}, None)
    store._database.close()
    whole = file.read_bytes()
    store.fetch("key 100")
    with file.open("r+b") as damaged:
        damaged.write(b"x" * len(whole))

    with pytest.raises(StoreRefusedError, match="put back a copy"):
        [store.fetch(f"key {n}") for n in range(100, 400)]
    with file.open("r+b") as repaired:
        repaired.write(whole)

    assert store.fetch("key 399") == b"399" * 10_000
    assert store.size() == 300


def test_a_database_that_stays_locked_counts_as_away(
    open_namespace: Open, file: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sqlite, "PATIENCE", 0.05)
    store = open_namespace(store_timeout=0.05)
    store.store("key", b"old", None)
    other = sqlite3.connect(file, isolation_level=None)
    other.execute("BEGIN IMMEDIATE")

    with pytest.raises(store.unavailable, match="locked"):
        store.store("key", b"new", None)

    assert store.fetch("key") == b"old"
    other.execute("ROLLBACK")
    other.close()
    store.store("key", b"new", None)


def test_the_deadline_of_an_operation_may_be_longer(open_namespace: Open) -> None:
    short, long = open_namespace(), open_namespace(store_timeout=30)

    waits = [
        connection.execute("PRAGMA busy_timeout").fetchone()[0]
        for store in (short, long)
        for connection in [opened(store)]
    ]

    assert waits == [5000, 30000]


def opened(store: Any) -> Any:
    store.fetch("key")
    return connection_of(store)


def test_a_file_that_was_removed_by_hand_is_noticed_by_readers(
    open_namespace: Open, file: Path
) -> None:
    store: Any = open_namespace()
    store.store("key", b"old", None)
    for path in file.parent.iterdir():
        path.unlink()
    store._database._here.link.look_at = time.monotonic()

    assert store.fetch("key") is None
    assert file.exists()


def test_a_file_that_was_exchanged_by_hand_is_noticed_by_writers(
    open_namespace: Open, data: Path, tmp_path: Path
) -> None:
    store: Any = open_namespace()
    store.store("key", b"old", None)
    with opener("sqlite", tmp_path / "other") as open_other:
        open_other().store("other", b"data", None)
    data.rename(tmp_path / "moved")
    (tmp_path / "other").rename(data)

    store.store("key", b"new", None)

    assert set(store.keys()) == {"key", "other"}


def test_several_records_are_stored_all_or_none(open_namespace: Open) -> None:
    store: Any = open_namespace()
    broken: Any = []

    with pytest.raises(sqlite3.Error):
        store.store_many({"a": b"1", "b": broken}, None)

    assert store.fetch("a") is None
    store.store("a", b"2", None)


def test_tokens_that_dead_processes_left_are_purged_after_a_day(
    open_namespace: Open, file: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    store = open_namespace()
    store.store("record", b"data", 60)
    leases = [store.lease("record"), store.lease("absent")]
    for lease in leases:
        lease.acquire()
    now = time.time()

    monkeypatch.setattr(time, "time", lambda: now + 2 * 24 * 3600)

    assert store.purge() == 1
    assert ask(file, "SELECT count(*) FROM records") == [(0,)]
    for lease in leases:
        lease.release()


@pytest.mark.parametrize("name", ["_FETCH", "_FETCH_ACCESSED", "_REPLACE", "_DROP"])
def test_no_statement_reads_more_than_its_namespace(
    open_namespace: Open, name: str
) -> None:
    store = open_namespace()
    connection = opened(store)
    sql = getattr(sqlite, name)

    plan = connection.execute(f"EXPLAIN QUERY PLAN {sql}", ["x"] * sql.count("?"))

    assert "SEARCH records USING PRIMARY KEY (namespace=?" in plan.fetchall()[0][3]


def open_files(file: Path) -> int:
    numbers = os.listdir("/proc/self/fd")
    paths = [f"/proc/self/fd/{number}" for number in numbers]
    targets = [os.readlink(path) for path in paths if os.path.islink(path)]
    return targets.count(str(file))


def test_all_that_open_it_at_once_keep_their_locks(
    tmp_path: Path,
) -> None:
    # What closes a file gives up the locks that other threads have on it, and a
    # process that believes itself the last one removes the log under the others.
    def open_in_each_thread(data: Path) -> bool:
        with opener("sqlite", data) as open_namespace:
            store, failures = open_namespace(), []
            gate = threading.Barrier(16)

            def use(number: int) -> None:
                gate.wait()
                try:
                    store.store(f"{os.getpid()} {number}", b"data", None)
                except Exception as e:  # noqa: BLE001 - told to the test
                    failures.append(e)

            threads = [threading.Thread(target=use, args=(n,)) for n in range(16)]
            for thread in threads:
                thread.start()
            for thread in threads:
                thread.join()
            return not failures

    for attempt in range(4):
        data = tmp_path / f"data {attempt}"
        acts = [functools.partial(open_in_each_thread, data) for _ in range(6)]

        assert wait_for([fork(act) for act in acts])

        with opener("sqlite", data) as open_namespace:
            assert open_namespace().size() == 6 * 16
