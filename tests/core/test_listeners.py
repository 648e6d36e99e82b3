"""Listeners are told what happened, and can neither end nor slow what they hear of."""

from __future__ import annotations

import logging
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pluggy
import pytest

import beaker.cache
from beaker.backends.memory import MemoryNamespaceManager
from beaker.cache import Cache, CacheManager
from beaker.hookspecs import hookimpl
from beaker.plugins import listens, register, tell, unregister
from beaker.testing._clock import Clock
from tests.core.wheels import Wheels

pytestmark = pytest.mark.usefixtures("own_registries")

Listen = Callable[[Any], Any]


@pytest.fixture
def listen() -> Iterator[Listen]:
    """Registers listeners until the test ends."""
    added = []

    def add(listener: Any) -> Any:
        register(listener)
        added.append(listener)
        return listener

    yield add
    for listener in added:
        unregister(listener)


class Reads:
    """Hears how each reading ends."""

    def __init__(self) -> None:
        self.heard: list[tuple[str, str, str]] = []

    @hookimpl
    def value_read(self, namespace: str, key: str, outcome: str) -> None:
        """Note it."""
        self.heard.append((namespace, key, outcome))

    @property
    def outcomes(self) -> list[str]:
        """The outcomes alone."""
        return [outcome for _, _, outcome in self.heard]


def test_a_listener_hears_of_misses_and_hits(listen: Listen) -> None:
    reads, cache = listen(Reads()), Cache("things")

    cache.get("k", createfunc=int)
    cache.get("k", createfunc=int)
    with pytest.raises(KeyError):
        cache.get("l")

    assert reads.heard == [
        ("things", "k", "miss"),
        ("things", "k", "hit"),
        ("things", "l", "miss"),
    ]


def test_a_listener_hears_of_the_calls_of_a_decorated_function(listen: Listen) -> None:
    reads = listen(Reads())

    @CacheManager(type="memory").cache()
    def load(term: str) -> str:
        return term

    load("a")
    load("a")

    assert reads.heard == [
        (load._arg_namespace, "a", "miss"),  # type: ignore[attr-defined]
        (load._arg_namespace, "a", "hit"),  # type: ignore[attr-defined]
    ]


def test_a_listener_hears_who_is_served_an_expired_value(
    listen: Listen, clock: Clock
) -> None:
    reads, cache = listen(Reads()), Cache("things", expire=60)
    cache["k"] = "old"
    clock.advance(61)
    lease = cache.values.store.lease("k")
    lease.acquire()

    assert cache.get("k", createfunc=str) == "old"

    assert reads.outcomes == ["stale"]
    lease.release()


def test_a_listener_hears_that_others_made_what_was_waited_for(listen: Listen) -> None:
    class Late(MemoryNamespaceManager):
        """A store whose first answer comes too early."""

        asked = 0

        def fetch(self, key: str) -> Any:
            self.asked += 1
            return None if self.asked == 1 else super().fetch(key)

    beaker.cache.clsmap["late"] = Late
    Cache("things")["k"] = "theirs"
    reads, cache = listen(Reads()), Cache("things", type="late")

    assert cache.get("k", createfunc=str) == "theirs"

    assert reads.outcomes == ["hit"]


def test_a_listener_hears_how_long_creating_took(listen: Listen) -> None:
    class Creations:
        heard: list[Any] = []  # noqa: RUF012 - gone with the test

        @hookimpl
        def value_created(self, namespace: str, key: str, seconds: float) -> None:
            self.heard.append((namespace, key, seconds))

    creations, cache = listen(Creations()), Cache("things")

    cache.get("k", createfunc=int)
    with pytest.raises(ZeroDivisionError):
        cache.get("l", createfunc=lambda: 1 / 0)
    cache["m"] = 1

    [(namespace, key, seconds)] = creations.heard
    assert (namespace, key) == ("things", "k")
    assert 0 <= seconds < 60


def test_a_listener_hears_once_of_a_record_that_cannot_be_read(
    listen: Listen, tmp_path: Path
) -> None:
    class Rejections:
        heard: list[Any] = []  # noqa: RUF012 - gone with the test

        @hookimpl
        def record_rejected(self, namespace: str, key: str, reason: str) -> None:
            self.heard.append((namespace, key, reason))

    rejections = listen(Rejections())
    cache = Cache("things", type="file", data_dir=str(tmp_path))
    cache.namespace.store("k", b"junk", None)

    cache.get("k", createfunc=int)

    [(namespace, key, reason)] = rejections.heard
    assert (namespace, key) == ("things", "k")
    assert "not a readable record" in reason


def test_a_listener_names_the_arguments_it_wants(listen: Listen) -> None:
    class Frugal:
        heard: list[Any] = []  # noqa: RUF012 - gone with the test

        @hookimpl
        def value_read(self, outcome: str) -> None:
            self.heard.append(outcome)

    frugal = listen(Frugal())

    Cache("things").get("k", createfunc=int)

    assert frugal.heard == ["miss"]


def test_a_listener_that_raises_is_logged_once_and_keeps_it_from_nobody(
    listen: Listen, caplog: pytest.LogCaptureFixture
) -> None:
    class Broken:
        @hookimpl
        def value_read(self) -> None:
            raise ZeroDivisionError("my own fault")

    before, _, after = listen(Reads()), listen(Broken()), listen(Reads())
    cache = Cache("things")

    assert cache.get("k", createfunc=lambda: "made") == "made"
    assert cache.get("k") == "made"

    assert before.outcomes == after.outcomes == ["miss", "hit"]
    [record] = [record for record in caplog.records if record.name == "beaker.plugins"]
    assert record.levelno == logging.ERROR
    assert record.getMessage().endswith("Broken failed in value_read; told once")
    assert record.exc_info is not None
    assert isinstance(record.exc_info[1], ZeroDivisionError)


def test_two_listeners_of_one_class_are_two(listen: Listen) -> None:
    one, other = listen(Reads()), listen(Reads())

    Cache("things").get("k", createfunc=int)

    assert one.outcomes == other.outcomes == ["miss"]
    with pytest.raises(ValueError, match="already registered"):
        register(one)


def test_a_misspelt_hook_is_refused(listen: Listen) -> None:
    class Misspelt:
        @hookimpl
        def value_raed(self) -> None: ...

    with pytest.raises(pluggy.PluginValidationError, match="value_raed"):
        register(Misspelt())

    reads = listen(Reads())
    Cache("things").get("k", createfunc=int)
    assert reads.outcomes == ["miss"]


def test_a_listener_with_a_wrong_argument_is_refused_whole(listen: Listen) -> None:
    class Wrong(Reads):
        @hookimpl
        def store_back(self, shop: str) -> None: ...

        @hookimpl
        def zero(self) -> None: ...

    wrong = Wrong()
    with pytest.raises(pluggy.PluginValidationError, match="shop"):
        register(wrong)

    reads = listen(Reads())
    Cache("things").get("k", createfunc=int)
    assert (wrong.heard, reads.outcomes) == ([], ["miss"])


def test_a_listener_that_is_registered_twice_stays_registered_once(
    listen: Listen,
) -> None:
    reads = listen(Reads())

    with pytest.raises(ValueError, match="already registered"):
        register(reads)

    Cache("things").get("k", createfunc=int)
    assert reads.outcomes == ["miss"]


def test_what_is_heard_is_known_before_it_happens() -> None:
    before = set(listens)
    reads = Reads()

    register(reads)
    during = set(listens)
    unregister(reads)

    assert (before, during, set(listens)) == (set(), {"value_read"}, set())
    Cache("things").get("k", createfunc=int)
    assert reads.heard == []


def test_telling_what_nobody_hears_does_nothing() -> None:
    tell("value_read", nonsense=True)


# -- listeners that are installed

LISTENER = """
from beaker.cache import CacheManager
from beaker.hookspecs import hookimpl

# Opening caches when imported is what applications do.
manager = CacheManager(type="memory")

@hookimpl
def value_read(outcome):
    print(outcome)
"""

PROGRAM = """
import sys
from beaker.cache import CacheManager
assert "installed_listener" not in sys.modules
cache = CacheManager(type="memory").get_cache("things")
assert "installed_listener" in sys.modules
CacheManager(type="memory")
cache.get("k", createfunc=int)
cache.get("k", createfunc=int)
"""


def _run(wheel: Path) -> subprocess.CompletedProcess[str]:
    code = f"import sys; sys.path.insert(0, {str(wheel)!r})\n{PROGRAM}"
    return subprocess.run(  # noqa: S603 - our own program
        [sys.executable, "-c", code],
        capture_output=True,
        text=True,
        check=False,
        timeout=30,
    )


def _install(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, code: str) -> Path:
    return Wheels(tmp_path, monkeypatch).install(
        "installed-listener",
        points={"beaker.plugins": {"listener": "installed_listener"}},
        modules={"installed_listener": code},
    )


def test_an_installed_listener_is_loaded_with_the_first_manager(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    ended = _run(_install(tmp_path, monkeypatch, LISTENER))

    assert (ended.stdout, ended.stderr) == ("miss\nhit\n", "")


def test_an_installed_listener_with_a_misspelt_hook_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    misspelt = LISTENER.replace("value_read", "value_raed")

    ended = _run(_install(tmp_path, monkeypatch, misspelt))

    assert ended.returncode == 1
    assert "PluginValidationError: unknown hook 'value_raed'" in ended.stderr
