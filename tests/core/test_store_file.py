"""The store of plain files: where they are, and what nobody ever sees of them."""

from __future__ import annotations

import os
import shutil
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from beaker._locks.filelock import FileLock
from beaker.backends.file import FileNamespaceManager
from beaker.exceptions import (
    CorruptRecordError,
    MissingCacheParameter,
    StoreRefusedError,
)
from beaker.records import RecordCodec
from beaker.testing._processes import thread

from .local_stores import Open, opener

ID = "0123456789abcdef0123456789abcdef"


@pytest.fixture
def data(tmp_path: Path) -> Path:
    return tmp_path / "data"


@pytest.fixture
def open_namespace(data: Path) -> Iterator[Open]:
    with opener("file", data) as open_namespace:
        yield open_namespace


def session(open_namespace: Open, session_id: str) -> Any:
    return open_namespace(session_id, purpose="session")


def record_files(data: Path) -> list[Path]:
    return [path for path in (data / "container_file").rglob("*") if path.is_file()]


def test_a_session_is_the_file_that_it_was_in_1x(
    open_namespace: Open, data: Path
) -> None:
    session(open_namespace, ID).store("session", b"the very bytes", 60)

    path = data / "container_file" / "0" / "01" / f"{ID}.cache"
    assert record_files(data) == [path]
    assert path.read_bytes() == b"the very bytes"


def test_a_session_file_of_1x_is_read(open_namespace: Open, data: Path) -> None:
    path = data / "container_file" / "0" / "01" / f"{ID}.cache"
    path.parent.mkdir(parents=True, mode=0o755)
    path.write_bytes(b"whatever 1.x wrote")
    path.chmod(0o644)
    os.utime(path, (1234567890, 1234567890))

    found = session(open_namespace, ID).fetch_accessed("session")

    assert found == (b"whatever 1.x wrote", 1234567890.0)


@pytest.mark.parametrize("plain", ["a", "Ab", "a_b-c", ID, "x" * 200])
def test_a_plain_id_names_its_file(
    open_namespace: Open, data: Path, plain: str
) -> None:
    session(open_namespace, plain).store("session", b"data", None)

    path = data / "container_file" / plain[0] / plain[:2] / f"{plain}.cache"
    assert record_files(data) == [path]


@pytest.mark.parametrize(
    "odd", ["a.b", "../a", "a/b", "", "é", "x" * 201, "a~b", "a\n"]
)
def test_an_odd_id_gets_a_name_that_no_plain_id_has(
    open_namespace: Open, data: Path, odd: str
) -> None:
    session(open_namespace, odd).store("session", b"data", None)

    (path,) = record_files(data)
    assert path.parent.parent == data / "container_file" / "~"
    assert path.name.startswith("~")


def test_a_session_has_one_record(open_namespace: Open) -> None:
    store = session(open_namespace, ID)

    with pytest.raises(StoreRefusedError, match="'session', not under 'other'"):
        store.fetch("other")
    with pytest.raises(StoreRefusedError, match="'session', not under 'other'"):
        store.store("other", b"data", None)


def test_the_access_time_of_a_session_is_that_of_its_file(
    open_namespace: Open, data: Path
) -> None:
    store = session(open_namespace, ID)
    store.store("session", b"data", 60)

    store.touch("session", 60, 1234567890.5)

    (path,) = record_files(data)
    assert path.stat().st_mtime == 1234567890.5
    assert path.read_bytes() == b"data"


def test_a_logout_leaves_no_file(open_namespace: Open, data: Path) -> None:
    store = session(open_namespace, ID)
    store.store("session", b"data", 60)
    lease = store.lease("session")
    lease.acquire()

    store.discard("session")

    assert record_files(data) == []
    lease.release()


def test_a_namespace_of_a_cache_is_a_directory_that_says_which(
    open_namespace: Open, data: Path
) -> None:
    store = open_namespace("shop.views:prices")
    store.store_many({"a": b"1", "b": b"2"}, 60)

    (directory,) = (data / "container_file" / "caches").iterdir()
    assert directory.name.startswith("shop_views_prices-")
    shutil.rmtree(directory)

    assert store.fetch("a") is None
    assert store.size() == 0


def test_a_session_id_is_never_taken_for_a_cache(
    open_namespace: Open, data: Path
) -> None:
    open_namespace("name").store("key", b"data", None)
    session(open_namespace, "caches").store("session", b"data", None)

    assert open_namespace("name").size() == 1
    assert (data / "container_file" / "c" / "ca" / "caches.cache").exists()


def test_reading_takes_no_lock(open_namespace: Open) -> None:
    store = open_namespace()
    store.store("key", b"data", None)
    place = store._files.place  # type: ignore[attr-defined]

    with FileLock(place.locks, lock_of(store, "key")):
        assert store.fetch("key") == b"data"
        assert store.fetch_accessed("key")
        assert list(store.keys()) == ["key"]


def lock_of(store: Any, key: str) -> str:
    return f"file {store._layout.path(key)}"


def test_a_writer_waits_for_the_writers_of_its_key_only(open_namespace: Open) -> None:
    store = open_namespace()
    place = store._files.place  # type: ignore[attr-defined]
    done = []

    def write() -> None:
        store.store("key", b"new", None)
        done.append("key")

    lock = FileLock(place.locks, lock_of(store, "key"))
    lock.acquire()
    with thread(write):
        store.store("other", b"data", None)
        assert done == []
        lock.release()

    assert store.fetch("key") == b"new"


@pytest.fixture
def before_replacing(monkeypatch: pytest.MonkeyPatch) -> Callable[..., None]:
    """Let something happen when a new file is written but not yet in its place."""

    def arrange(happen: Callable[[], object]) -> None:
        replace = os.replace

        def replace_later(source: str, target: str) -> None:
            monkeypatch.setattr(os, "replace", replace)
            happen()
            replace(source, target)

        monkeypatch.setattr(os, "replace", replace_later)

    return arrange


def test_a_creation_that_a_drop_overtakes_is_not_stored(
    open_namespace: Open, before_replacing: Callable[..., None]
) -> None:
    store = open_namespace()
    lease = store.lease("key")
    lease.acquire()
    before_replacing(store.drop)

    assert not store.fill("key", b"stale", None, lease)

    assert store.fetch("key") is None
    lease.release()


def test_a_creation_that_a_drop_and_a_store_overtake_is_not_stored(
    open_namespace: Open, before_replacing: Callable[..., None]
) -> None:
    store = open_namespace()
    lease = store.lease("key")
    lease.acquire()

    def drop_and_begin_anew() -> None:
        store.drop()
        store.store("other", b"new", None)

    before_replacing(drop_and_begin_anew)

    assert not store.fill("key", b"stale", None, lease)

    assert list(store.keys()) == ["other"]
    lease.release()


def test_a_replacement_that_a_drop_overtakes_fails(
    open_namespace: Open, before_replacing: Callable[..., None]
) -> None:
    store = open_namespace()
    store.store("key", b"old", None)
    before_replacing(store.drop)

    assert not store.replace("key", b"old", b"new", None)

    assert store.fetch("key") is None


def test_storing_while_the_directory_is_removed_is_no_error(
    open_namespace: Open, data: Path, before_replacing: Callable[..., None]
) -> None:
    store = open_namespace()
    before_replacing(lambda: shutil.rmtree(data))

    store.store("key", b"data", None)

    assert store.fetch("key") is None
    store.store("key", b"data", None)
    assert store.fetch("key") == b"data"


@pytest.mark.parametrize("error", [KeyboardInterrupt, OSError])
def test_a_write_that_fails_leaves_the_old_record_and_nothing_else(
    open_namespace: Open,
    data: Path,
    before_replacing: Callable[..., None],
    error: type[BaseException],
) -> None:
    store = open_namespace()
    store.store("key", b"old", None)

    def fail() -> None:
        raise error

    before_replacing(fail)
    with pytest.raises(error):
        store.store("key", b"new", None)

    assert store.fetch("key") == b"old"
    assert len(record_files(data)) == 1


def test_dropping_leaves_no_files(open_namespace: Open, data: Path) -> None:
    store = open_namespace()
    store.store_many({f"key {number}": b"data" for number in range(100)}, 60)
    lease = store.lease("key 1")
    lease.acquire()

    store.drop()

    assert list((data / "container_file" / "caches").iterdir()) == []
    lease.release()


def test_a_purge_clears_what_dead_processes_left(
    open_namespace: Open, data: Path
) -> None:
    store = open_namespace()
    store.store("key", b"data", None)
    (record,) = record_files(data)
    old, new = [
        [record.with_name(f"{age}.tmp"), record.with_name(f"{age}.lease")]
        for age in ("old", "new")
    ]
    for path in (*old, *new):
        path.touch()
    for path in old:
        os.utime(path, (0, time.time() - 2 * 24 * 3600))
    half_dropped = record.parent.with_name("name.0123.dropped")
    half_dropped.mkdir()
    (half_dropped / "record").touch()

    assert store.purge() == 0

    assert set(record_files(data)) == {record, *new}
    assert not half_dropped.exists()


def test_a_damaged_file_is_no_readable_record_and_harms_no_other(
    open_namespace: Open, data: Path
) -> None:
    store, codec = open_namespace(), RecordCodec()
    whole = codec.encode("value", 60, 1234567890.0)
    store.store("key", whole, 60)
    (path,) = record_files(data)
    content = path.read_bytes()
    store.store("other", whole, 60)

    for length in range(len(content)):
        path.write_bytes(content[:length])
        found = store.fetch("key")
        assert found is not None
        with pytest.raises(CorruptRecordError):
            codec.decode(found)
        assert set(store.keys()) <= {"key", "other"}
        assert store.fetch("other") == whole

    store.store("key", whole, 60)
    assert store.fetch("key") == whole
    assert set(store.keys()) == {"key", "other"}


def test_a_record_that_was_stored_at_this_very_moment_is_not_purged(
    open_namespace: Open, monkeypatch: pytest.MonkeyPatch
) -> None:
    store = open_namespace()
    store.store("key", b"old", 60)
    now = time.time()
    monkeypatch.setattr(time, "time", lambda: now + 3600)
    layout: Any = store._layout  # type: ignore[attr-defined]
    listed = list(layout.entries())
    store.store("key", b"new", 60)
    monkeypatch.setattr(layout, "entries", lambda: iter(listed))

    assert store.purge() == 0

    assert store.fetch("key") == b"new"


def test_the_constructor_takes_what_it_took_in_1x(tmp_path: Path) -> None:
    files, locks = str(tmp_path / "files"), str(tmp_path / "locks")

    store = FileNamespaceManager(ID, None, files, locks, False, timeout=120)
    store.store("session", b"data", None)

    assert (tmp_path / "files" / "0" / "01" / f"{ID}.cache").read_bytes() == b"data"
    assert sorted(path.name for path in tmp_path.iterdir()) == ["files", "locks"]


def test_a_directory_for_files_alone_leaves_none_for_locks(tmp_path: Path) -> None:
    with pytest.raises(MissingCacheParameter, match="'lock_dir'"):
        FileNamespaceManager("namespace", file_dir=str(tmp_path))


def test_a_relative_directory_stays_where_it_was(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    store = FileNamespaceManager("namespace", data_dir="data")
    store.store("key", b"data", None)

    monkeypatch.chdir("/")

    assert store.fetch("key") == b"data"
