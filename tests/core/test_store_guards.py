"""Stores on disk against other users, full disks and what lies in their way."""

from __future__ import annotations

import os
import stat
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from beaker.cache import Cache
from beaker.exceptions import StoreRefusedError
from beaker.protocols import NamespaceManager
from beaker.testing._processes import fork, succeeds
from beaker.testing._suite import rounds

from .local_stores import KINDS, Open, opener

NOBODY = 65534

needs_root = pytest.mark.skipif(
    os.geteuid() != 0, reason="only root can make files that belong to another user"
)


@pytest.fixture(params=list(KINDS))
def kind(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture
def data(tmp_path: Path) -> Path:
    """A directory in which any user gets where he may."""
    for path in (tmp_path, *tmp_path.parents[:3]):
        path.chmod(0o755)
    directory = tmp_path / "data"
    directory.mkdir(mode=0o700)
    return directory


@pytest.fixture
def open_namespace(kind: str, data: Path) -> Iterator[Open]:
    with opener(kind, data) as open_namespace:
        yield open_namespace


def as_nobody(act: Callable[[], object]) -> bool:
    def child() -> object:
        os.setgroups([])
        os.setgid(NOBODY)
        os.setuid(NOBODY)
        return act()

    return succeeds(fork(child))


def files_below(directory: Path) -> list[Path]:
    return [path for path in directory.rglob("*") if not path.is_dir()]


@pytest.mark.parametrize("purpose", ["cache", "session"])
def test_nobody_else_may_read_what_is_stored(
    open_namespace: Open, data: Path, purpose: str
) -> None:
    before = os.umask(0)
    try:
        store = open_namespace(purpose=purpose)
        store.store("session", b"data", 60)
        lease = store.lease("session")
        lease.acquire()
        modes = {path: stat.S_IMODE(path.stat().st_mode) for path in data.rglob("*")}
        lease.release()
    finally:
        os.umask(before)

    assert len(modes) >= 3
    for path, mode in modes.items():
        assert mode == (0o700 if path.is_dir() else 0o600), path


def test_missing_directories_are_made_for_this_user_only(
    kind: str, tmp_path: Path
) -> None:
    with opener(kind, tmp_path / "not" / "there") as open_namespace:
        open_namespace().store("key", b"data", None)

    assert stat.S_IMODE((tmp_path / "not").stat().st_mode) == 0o700
    assert stat.S_IMODE((tmp_path / "not" / "there").stat().st_mode) == 0o700


@needs_root
def test_a_directory_of_another_user_is_refused(
    open_namespace: Open, data: Path
) -> None:
    os.chown(data, NOBODY, -1)

    with pytest.raises(StoreRefusedError) as refused:
        open_namespace().store("key", b"data", None)

    told = str(refused.value)
    assert f"{data}: it belongs to user 'nobody'" in told
    assert "let it belong to user 'root'" in told
    assert "set the option 'data_dir'" in told
    assert files_below(data / f"container_{open_namespace().place().split()[0]}") == []


@needs_root
@pytest.mark.parametrize("purpose", ["cache", "session"])
def test_what_belongs_to_another_user_is_not_read(
    kind: str, data: Path, purpose: str
) -> None:
    with opener(kind, data) as open_namespace:
        open_namespace(purpose=purpose).store("session", b"data", None)
    for path in files_below(data):
        if path.suffix != ".lock":
            os.chown(path, NOBODY, -1)

    with (
        opener(kind, data) as open_namespace,
        pytest.raises(StoreRefusedError, match="belongs to user 'nobody'"),
    ):
        open_namespace(purpose=purpose).fetch("session")


@pytest.mark.parametrize("purpose", ["cache", "session"])
def test_what_others_may_write_is_not_read(kind: str, data: Path, purpose: str) -> None:
    with opener(kind, data) as open_namespace:
        open_namespace(purpose=purpose).store("session", b"data", None)
    for path in files_below(data):
        path.chmod(0o660)

    with (
        opener(kind, data) as open_namespace,
        pytest.raises(StoreRefusedError, match="others may write to it"),
    ):
        open_namespace(purpose=purpose).fetch("session")


@pytest.mark.parametrize("mode", [0o777, 0o770, 0o720])
def test_a_directory_where_others_may_write_is_refused(
    open_namespace: Open, data: Path, mode: int
) -> None:
    data.chmod(mode)

    with pytest.raises(StoreRefusedError, match=r"others may write to it.*'data_dir'"):
        open_namespace().store("key", b"data", None)


def test_what_a_link_leads_to_is_neither_read_nor_written(
    kind: str, data: Path, tmp_path: Path
) -> None:
    with opener(kind, data) as open_namespace:
        open_namespace().store("key", b"data", None)
    victims = []
    for number, path in enumerate(files_below(data)):
        if path.suffix != ".lock":
            victim = tmp_path / f"victim {number}"
            path.rename(victim)
            path.symlink_to(victim)
            victims.append((victim, victim.read_bytes()))

    with opener(kind, data) as open_namespace:
        with pytest.raises(StoreRefusedError):
            open_namespace().fetch("key")
        refused = attempt(lambda: open_namespace().store("key", b"new", None))

    assert victims
    assert all(victim.read_bytes() == content for victim, content in victims)
    assert refused or kind == "file"


def test_a_pipe_in_the_way_keeps_nobody_waiting(kind: str, data: Path) -> None:
    with opener(kind, data) as open_namespace:
        open_namespace().store("key", b"data", None)
    for path in files_below(data):
        if path.suffix != ".lock":
            path.unlink()
            os.mkfifo(path, 0o600)

    with (
        opener(kind, data) as open_namespace,
        pytest.raises(StoreRefusedError, match="no regular file"),
    ):
        open_namespace().fetch("key")


def test_a_file_in_the_place_of_the_directory_is_told(kind: str, data: Path) -> None:
    (data / "file").touch(mode=0o600)

    with (
        opener(kind, data / "file") as open_namespace,
        pytest.raises(StoreRefusedError, match="directory"),
    ):
        open_namespace().store("key", b"data", None)


@needs_root
def test_a_directory_that_cannot_be_written_is_told(
    open_namespace: Open, data: Path
) -> None:
    data.chmod(0o555)
    os.chown(data, NOBODY, -1)

    def store_as_nobody() -> bool:
        with pytest.raises(StoreRefusedError) as refused:
            open_namespace(lock_dir=f"{data.parent}/locks").store("key", b"1", None)
        told = str(refused.value)
        return "Permission denied" in told and "'data_dir'" in told

    data.parent.chmod(0o777)
    assert as_nobody(store_as_nobody)


@needs_root
def test_another_user_gets_at_nothing(kind: str, data: Path) -> None:
    with opener(kind, data) as open_namespace:
        open_namespace().store("key", b"secret", None)
    data.chmod(0o755)
    inside = list(data.rglob("*"))

    def try_all() -> bool:
        for path in inside:
            with pytest.raises(PermissionError):
                os.close(os.open(path, os.O_RDONLY))
        with pytest.raises(PermissionError):
            (data / "mine").mkdir()
        return True

    assert as_nobody(try_all)


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """A disk of 256 KB."""
    directory = tmp_path / "disk"
    directory.mkdir()
    mount = ["mount", "-t", "tmpfs", "-o", "size=256k,mode=700", "tmpfs"]
    try:
        subprocess.run([*mount, directory], check=True, capture_output=True)  # noqa: S603
    except (OSError, subprocess.CalledProcessError) as e:
        pytest.skip(f"a small disk cannot be mounted here: {e}")
    try:
        yield directory
    finally:
        subprocess.run(["umount", "--lazy", directory], check=True)  # noqa: S603, S607


@pytest.mark.parametrize("kind", ["file", "sqlite"])
def test_a_full_disk_leaves_what_was_there(kind: str, small_disk: Path) -> None:
    with opener(kind, small_disk / "data") as open_namespace:
        store = open_namespace()
        for number in range(rounds()):
            old = b"%d" % number * 10_000
            store.store("key", old, None)
            before = set(files_below(small_disk))

            for operation in (
                lambda: store.store("key", b"x" * 1_000_000, None),
                lambda old=old: store.replace("key", old, b"x" * 1_000_000, None),
                lambda: fill(store, b"x" * 1_000_000),
            ):
                with pytest.raises(StoreRefusedError, match="make room"):
                    operation()

            assert store.fetch("key") == old
            assert set(files_below(small_disk)) <= before | locks(small_disk)
            store.store("key", b"new", None)
            assert store.fetch("key") == b"new"


@pytest.mark.parametrize("kind", ["file", "sqlite"])
def test_on_a_full_disk_functions_answer_and_what_is_cached_is_used(
    kind: str, small_disk: Path
) -> None:
    cache = Cache("namespace", type=kind, data_dir=str(small_disk / "data"))
    for number in range(rounds()):
        cache.put("kept", f"old {number}")

        made = cache.get("large", createfunc=lambda: "x" * 1_000_000)

        assert made == "x" * 1_000_000
        assert cache["kept"] == f"old {number}"
        assert "large" not in cache


def fill(store: NamespaceManager, data: bytes) -> None:
    lease = store.lease("key")
    lease.acquire()
    try:
        store.fill("key", data, None, lease)
    finally:
        lease.release()


def locks(directory: Path) -> set[Path]:
    return set(directory.rglob("*.lock"))


def attempt(operation: Callable[[], object]) -> bool:
    """Return whether an operation is refused."""
    try:
        operation()
    except StoreRefusedError:
        return True
    return False
