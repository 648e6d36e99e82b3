"""Stores that are there and refuse: what callers get, and what is told of it."""

from __future__ import annotations

import logging
import os
import resource
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

import beaker.cache
from beaker import refusals
from beaker.backends.memory import MemoryNamespaceManager
from beaker.cache import Cache
from beaker.exceptions import StoreRefusedError
from beaker.hookspecs import hookimpl
from beaker.plugins import register, unregister
from beaker.protocols import Lease
from beaker.testing._processes import fork, succeeds
from tests.core.callers import eventually
from tests.core.conftest import Calls

NOBODY = 65534

pytestmark = pytest.mark.usefixtures("own_registries")


class Lines(logging.Handler):
    """The lines in the log of a store."""

    def __init__(self) -> None:
        super().__init__(logging.WARNING)
        self.lines: list[str] = []
        logging.getLogger("beaker").addHandler(self)

    def emit(self, record: logging.LogRecord) -> None:
        """Keep the line."""
        self.lines.append(record.getMessage())


class Fault:
    """Takes a directory away from its owner, and gives it back."""

    def __init__(self, name: str, directory: Path) -> None:
        self.name, self.directory = name, directory

    def begin(self) -> None:
        """Let it happen."""
        if self.name == "is gone":
            shutil.rmtree(self.directory / "cache")
            self.directory.chmod(0o500)
        elif self.name == "may not be written":
            self._permit(0o500, 0o400)
        elif self.name == "may not be entered":
            self._permit(0, 0)
        else:
            _, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
            resource.setrlimit(resource.RLIMIT_FSIZE, (0, hard))

    def end(self) -> None:
        """Undo it."""
        self._restore(self.directory)
        _, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
        resource.setrlimit(resource.RLIMIT_FSIZE, (hard, hard))

    def _permit(self, directories: int, files: int) -> None:
        for base, _, names in os.walk(self.directory, topdown=False):
            for name in names:
                (Path(base) / name).chmod(files)
            Path(base).chmod(directories)

    def _restore(self, directory: Path) -> None:
        directory.chmod(0o700)
        for path in directory.iterdir():
            if path.is_dir():
                self._restore(path)
            else:
                path.chmod(0o600)


def as_a_user(act: Callable[[], object]) -> bool:
    """Return whether it succeeds in a process that permissions hold for."""

    def child() -> object:
        if os.geteuid() == 0:
            os.setgroups([])
            os.setgid(NOBODY)
            os.setuid(NOBODY)
        return act()

    return succeeds(fork(child))


@pytest.fixture(params=["file", "sqlite", "dbm"])
def kind(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """A store on disk, whose modules are loaded while we may read them."""
    warm = Cache("warm", type=request.param, data_dir=str(tmp_path / "warm"))
    warm.get("k", createfunc=Calls())
    return str(request.param)


@pytest.fixture
def directory(tmp_path: Path) -> Path:
    """A directory that belongs to whom `as_a_user` runs as."""
    for path in (tmp_path, *tmp_path.parents[:3]):
        path.chmod(0o755)
    own = tmp_path / "own"
    own.mkdir(mode=0o700)
    if os.geteuid() == 0:
        os.chown(own, NOBODY, NOBODY)
    return own


@pytest.mark.parametrize(
    "fault", ["may not be written", "may not be entered", "is gone"]
)
def test_a_store_that_may_not_be_written_is_told_once_and_used_again(
    kind: str, fault: str, directory: Path
) -> None:
    def use() -> bool:
        log, calls, happens = Lines(), Calls(), Fault(fault, directory)
        cache = Cache("things", type=kind, data_dir=str(directory / "cache"))
        cache.put("kept", "old")

        happens.begin()
        # At once, for SQLite looks from time to time whether its file is still the one.
        kept = cache.get("kept", createfunc=lambda: "made")
        first = cache.get("new", createfunc=calls), len(log.lines)
        more = [cache.get("new", createfunc=calls) for _ in range(20)]
        told = log.lines.copy()
        happens.end()
        again = [cache.get("again", createfunc=calls) for _ in range(3)]

        assert first[0] == "value 1"
        assert more == [f"value {number}" for number in range(2, 22)]
        # Of dbm a reader needs a lock; open files of SQLite stay readable.
        served = {"file": fault == "may not be written", "dbm": False}
        assert kept == "old" if served.get(kind, fault != "is gone") else kept
        # The directory of the locks may stand in the way, and that of the data.
        assert 1 <= len(told) <= 3
        assert len(told) - first[1] <= 1
        assert again == ["value 22"] * 3
        assert [line for line in log.lines if "no longer" in line] == log.lines[-1:]
        return True

    assert as_a_user(use)


def test_on_a_full_disk_what_is_kept_is_served_and_the_rest_is_made(
    kind: str, directory: Path
) -> None:
    def use() -> bool:
        log, calls, happens = Lines(), Calls(), Fault("is full", directory)
        cache = Cache("things", type=kind, data_dir=str(directory / "cache"))
        cache.put("kept", "old")

        def ask() -> Any:
            return cache.get("k", createfunc=calls)

        happens.begin()
        kept = cache.get("kept", createfunc=calls)
        made = [cache.get("new", createfunc=calls) for _ in range(20)]
        told = len(log.lines)
        happens.end()

        assert kept == "old"
        assert made == [f"value {number}" for number in range(1, 21)]
        assert 1 <= told <= 2
        # SQLite tells of the limit as of a broken disk: it is asked every 0.5 s.
        assert eventually(lambda: ask() == ask())
        leftovers = {path.suffix for path in directory.rglob("*") if path.is_file()}
        assert not leftovers & {".tmp", ".new"}
        return True

    assert as_a_user(use)


# -- what is told, by a store whose refusals a test chooses


class Choosy(MemoryNamespaceManager):
    """Refuses to keep what is called large."""

    unavailable = (ConnectionError,)

    def fill(self, key: str, data: Any, ttl: float | None, lease: Lease) -> bool:
        """Keep what is small."""
        if data.value == "large":
            raise StoreRefusedError("choosy", f"{key} is too large", "store less")
        return super().fill(key, data, ttl, lease)


@pytest.fixture
def choosy() -> Cache:
    """A cache in such a store."""
    # A class of this test's own: what was told of another's is not told again.
    beaker.cache.clsmap["choosy"] = type("Choosy", (Choosy,), {})
    return Cache("things", type="choosy")


def test_a_refusal_now_and_then_does_not_fill_the_log(
    choosy: Cache, caplog: pytest.LogCaptureFixture
) -> None:
    for number in range(20):
        choosy.get(f"large {number}", createfunc=lambda: "large")
        choosy.get(f"small {number}", createfunc=lambda: "small")

    lines = [record.getMessage() for record in caplog.records if record.levelno > 20]
    assert len(lines) == 2
    assert lines[0].startswith("store choosy refused: large 0 is too large; store less")
    assert lines[1].endswith("refuses no longer")


def test_a_refusal_is_told_again_after_a_minute(
    choosy: Cache, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    now = [1000.0]
    monkeypatch.setattr(refusals, "monotonic", lambda: now[0])
    for _ in range(3):
        choosy.get("large", createfunc=lambda: "large")
        choosy.get(f"small {now}", createfunc=lambda: "small")
        now[0] += 61

    lines = [record.getMessage() for record in caplog.records if record.levelno > 20]
    assert len(lines) == 6


def test_a_listener_is_told_of_a_refusal_once(choosy: Cache) -> None:
    told: list[tuple[str, str]] = []

    class Listener:
        @hookimpl
        def store_refused(self, store: str, error: Exception) -> None:
            """Note it."""
            told.append((store, str(error)))

    listener = Listener()
    register(listener)
    for _ in range(5):
        choosy.get("k", createfunc=lambda: "large")
    unregister(listener)

    assert told == [("memory", "store choosy refused: k is too large; store less")]
