"""The store of dbm files, with each dbm module that this Python has."""

from __future__ import annotations

import dbm.dumb
import importlib
import pickle
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from beaker.backends.dbm import DBMNamespaceManager
from beaker.exceptions import InvalidOptionError, StoreRefusedError
from beaker.protocols import NamespaceManager

from .local_stores import Open, opener

ID = "0123456789abcdef0123456789abcdef"


def is_installed(module: str) -> bool:
    try:
        importlib.import_module(module)
    except ImportError:
        return False
    return True


MODULES = [
    name
    for name in ("dbm.dumb", "dbm.gnu", "dbm.ndbm", "dbm.sqlite3")
    if is_installed(name)
]


@pytest.fixture
def data(tmp_path: Path) -> Path:
    return tmp_path / "data"


@pytest.fixture
def open_namespace(data: Path) -> Iterator[Open]:
    with opener("dbm", data) as open_namespace:
        yield open_namespace


@pytest.fixture(params=MODULES)
def store(request: pytest.FixtureRequest, open_namespace: Open) -> NamespaceManager:
    return open_namespace(dbmmodule=request.param)


def dbm_files(data: Path) -> list[Path]:
    return [path for path in (data / "container_dbm").rglob("*") if path.is_file()]


def test_every_module_keeps_records(store: NamespaceManager) -> None:
    store.store_many({"a": b"1", "": b"2", "ä\0": b"3", "\0": b"4"}, 60)
    store.store("a", b"longer than before", None)

    assert store.fetch("a") == b"longer than before"
    assert store.fetch_many(["", "ä\0", "\0"]) == {"": b"2", "ä\0": b"3", "\0": b"4"}
    assert sorted(store.keys()) == ["", "\0", "a", "ä\0"]
    assert store.replace("a", b"longer than before", b"5", None)
    assert store.discard("")
    assert store.fetch("") is None
    assert store.size() == 3


def test_every_module_keeps_leases(store: NamespaceManager) -> None:
    lease, broken = store.lease("key"), store.lease("other")
    lease.acquire()
    broken.acquire()

    store.discard("other")

    assert store.fill("key", b"data", None, lease)
    assert not store.fill("other", b"data", None, broken)
    broken.release()


def test_dropping_leaves_no_file_of_any_module(
    store: NamespaceManager, data: Path
) -> None:
    store.store_many({f"key {number}": b"data" * 100 for number in range(100)}, 60)
    store.discard_many([f"key {number}" for number in range(50)])

    store.drop()

    assert dbm_files(data) == []
    assert store.fetch("key 99") is None


def test_a_logout_leaves_no_file_of_any_module(
    store: NamespaceManager, open_namespace: Open, data: Path
) -> None:
    module = store.settings.own["dbmmodule"]
    session = open_namespace(ID, purpose="session", dbmmodule=module)
    session.store("session", b"data", 60)
    session.touch("session", 60, 1.0)

    assert session.discard("session")

    assert dbm_files(data) == []
    assert not session.discard("session")


def test_a_session_is_where_it_was_in_1x(open_namespace: Open, data: Path) -> None:
    store = open_namespace(ID, purpose="session", dbmmodule=dbm.dumb)
    store.store("session", b"data", None)

    path = data / "container_dbm" / "0" / "01" / f"{ID}.dbm"
    with dbm.dumb.open(str(path), "r") as rows:
        assert rows["session"] == b"data"


def test_a_session_of_1x_is_read(open_namespace: Open, data: Path) -> None:
    path = data / "container_dbm" / "0" / "01" / f"{ID}.dbm"
    path.parent.mkdir(parents=True)
    with dbm.dumb.open(str(path), "c", 0o644) as rows:
        rows["session"] = pickle.dumps("what 1.x wrote")

    store = open_namespace(ID, purpose="session")

    assert store.fetch_accessed("session") == (pickle.dumps("what 1.x wrote"), None)


@pytest.mark.parametrize("module", [dbm.dumb, "dbm.dumb", dbm, None])
def test_the_module_is_chosen_by_itself_or_by_name(
    open_namespace: Open, data: Path, module: Any
) -> None:
    store = open_namespace(dbmmodule=module)

    store.store("key", b"data", None)

    assert store.fetch("key") == b"data"
    if module in {dbm.dumb, "dbm.dumb"}:
        assert {path.suffix for path in dbm_files(data)} >= {".dat", ".dir"}


@pytest.mark.parametrize("module", ["dbm.dumm", "math", object(), ""])
def test_what_is_no_module_is_refused(open_namespace: Open, module: Any) -> None:
    with pytest.raises(InvalidOptionError, match=r"'dbmmodule' takes .*dbm\.dumb"):
        open_namespace(dbmmodule=module)


def test_reading_makes_no_file(open_namespace: Open, data: Path) -> None:
    store = open_namespace()

    store.fetch("key")
    store.discard("key")
    store.touch("key", None, 1.0)
    store.replace("key", b"old", b"new", None)
    store.purge()

    assert not (data / "container_dbm").exists()


def test_damaged_files_are_told_and_can_be_dropped(
    open_namespace: Open, data: Path
) -> None:
    store = open_namespace(dbmmodule="dbm.dumb")
    store.store("key", b"data", None)
    for path in dbm_files(data):
        path.write_bytes(b"\xff(no index\n")

    with pytest.raises(StoreRefusedError, match=r"remove the files .*\.dbm\*"):
        store.fetch("key")
    with pytest.raises(StoreRefusedError, match=r"remove the files .*\.dbm\*"):
        store.store("key", b"data", None)

    store.drop()
    store.store("key", b"new", None)
    assert store.fetch("key") == b"new"


def test_files_of_no_known_kind_are_told(open_namespace: Open) -> None:
    store = open_namespace()
    store.store("key", b"data", None)
    path = Path(store._path)  # type: ignore[attr-defined]
    store.drop()
    path.write_bytes(b"nothing that anybody wrote")
    path.chmod(0o600)

    with pytest.raises(StoreRefusedError, match="no dbm that this Python opens"):
        store.fetch("key")


FIRST_USE = """
import sys, threading
from beaker.backends.dbm import DBMNamespaceManager

gate, failures = threading.Barrier(16), []

def use(number):
    store = DBMNamespaceManager(f"namespace {number}", data_dir=sys.argv[1])
    gate.wait()
    try:
        store.store("key", b"data", None)
        assert store.fetch("key") == b"data"
    except Exception as e:
        failures.append(e)

threads = [threading.Thread(target=use, args=(number,)) for number in range(16)]
for each in threads: each.start()
for each in threads: each.join()
sys.exit(repr(failures) if failures else 0)
"""


def test_many_threads_may_be_the_first_to_use_it(data: Path) -> None:
    done = subprocess.run(  # noqa: S603 - our own code
        [sys.executable, "-c", FIRST_USE, data], capture_output=True, check=False
    )

    assert done.returncode == 0, done.stderr


def test_the_constructor_takes_what_it_took_in_1x(tmp_path: Path) -> None:
    files, locks = str(tmp_path / "files"), str(tmp_path / "locks")

    store = DBMNamespaceManager(ID, dbm.dumb, None, files, locks, False, timeout=120)
    store.store("session", b"data", None)

    assert (tmp_path / "files" / "0" / "01" / f"{ID}.dbm.dat").exists()
    assert sorted(path.name for path in tmp_path.iterdir()) == ["files", "locks"]
