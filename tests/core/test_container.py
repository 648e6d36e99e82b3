"""One value, and the names that programs of 1.x find beside it."""

from __future__ import annotations

import pickle
import subprocess
import sys
import threading
import time
from pathlib import Path
from typing import Any

import pytest

from beaker import container
from beaker.backends.memory import MemoryNamespaceManager
from beaker.cache import Cache
from beaker.container import (
    Container,
    ContainerContext,
    FileContainer,
    MemoryContainer,
    Value,
    namespace_classes,
)
from beaker.exceptions import CreationAbortedError
from beaker.testing._clock import Clock
from tests.core.conftest import Calls

pytestmark = pytest.mark.usefixtures("own_registries")


@pytest.fixture
def namespace(store: dict[str, Any]) -> Any:
    """A namespace of each store."""
    return Cache("things", **store).namespace


# -- a value


def test_a_value_that_nobody_made_is_not_there(namespace: Any) -> None:
    value = Value("k", namespace)

    assert not value.has_value()
    assert not value.has_current_value()
    assert not value.can_have_value()
    with pytest.raises(KeyError, match="k"):
        value.get_value()


def test_a_value_that_can_be_made_can_be_had(namespace: Any, calls: Calls) -> None:
    value = Value("k", namespace, createfunc=calls)

    assert (value.can_have_value(), value.has_value()) == (True, False)
    assert (value.get_value(), value.get_value()) == ("value 1", "value 1")


def test_an_expired_value_is_a_value_and_not_a_current_one(
    namespace: Any, clock: Clock
) -> None:
    value = Value("k", namespace, expiretime=60)
    value.set_value("made")

    before = value.has_value(), value.has_current_value(), value.can_have_value()
    clock.advance(60)
    after = value.has_value(), value.has_current_value(), value.can_have_value()

    assert before == (True, True, True)
    assert after == (True, False, False)


def test_a_value_is_set_as_made_at_another_time(namespace: Any, clock: Clock) -> None:
    value = Value("k", namespace, expiretime=60)

    value.set_value("made", storedtime=clock.now - 59)

    assert value.get_value() == "made"
    clock.advance(1)
    assert not value.has_current_value()


def test_a_value_older_than_starttime_is_not_current(
    namespace: Any, clock: Clock
) -> None:
    Value("k", namespace).set_value("made")

    value = Value("k", namespace, starttime=clock.now + 1)

    assert (value.has_value(), value.has_current_value()) == (True, False)
    with pytest.raises(KeyError):
        value.get_value()


def test_a_value_is_cleared_expired_or_not(namespace: Any, clock: Clock) -> None:
    value = Value("k", namespace, expiretime=60)
    value.set_value("made")
    clock.advance(60)

    value.clear_value()
    value.clear_value()

    assert not value.has_value()


def test_a_value_and_a_cache_share_what_is_stored(store: dict[str, Any]) -> None:
    cache = Cache("things", **store)
    cache["k"] = "made"

    value = Value("k", cache.namespace)
    value_found = value.get_value()
    value.set_value("set")

    assert (value_found, cache["k"]) == ("made", "set")


def test_a_key_in_bytes_as_1x_had_it_is_the_same_key(store: dict[str, Any]) -> None:
    cache = Cache("things", **store)
    cache["k"] = 1
    value = Value(b"k", cache.namespace)

    found = value.get_value()
    value.set_value(2)

    assert (found, cache["k"]) == (1, 2)


def test_a_value_tells_its_settings(namespace: Any, calls: Calls) -> None:
    value = Value("k", namespace, calls, 60, 5.0)

    assert (value.key, value.namespace, value.createfunc) == ("k", namespace, calls)
    assert (value.expiretime, value.expire_argument, value.starttime) == (60, 60, 5.0)
    assert value.storedtime == -1


def test_what_subclasses_of_1x_call_answers(namespace: Any, clock: Clock) -> None:
    value = Value("k", namespace, expiretime=60)
    with pytest.raises(KeyError):
        value._get_value()

    value.set_value("made")

    assert value._get_value() == (clock.now, 60, "made")
    assert not value._is_expired(clock.now - 59, 60)
    assert value._is_expired(clock.now - 60, 60)
    assert not value._is_expired(0.0, None)
    assert Value("k", namespace, starttime=5.0)._is_expired(4.0, None)


def test_a_value_is_made_once_by_many_threads(namespace: Any, calls: Calls) -> None:
    found: list[str] = []

    def ask() -> None:
        found.append(Value("k", namespace, createfunc=calls).get_value())

    threads = [threading.Thread(target=ask) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(20)

    assert found == ["value 1"] * 8


# -- the deprecated containers


def test_containers_make_values() -> None:
    namespace = MemoryContainer.create_namespace("things")

    value = MemoryContainer("k", namespace, createfunc=lambda: "made")

    assert isinstance(namespace, MemoryNamespaceManager)
    assert isinstance(value, Value)
    assert value.get_value() == "made"


def test_containers_know_their_managers(tmp_path: Path) -> None:
    namespace = FileContainer.create_namespace("things", data_dir=str(tmp_path))

    assert type(namespace) is container.FileNamespaceManager
    assert namespace_classes[FileContainer] == "FileNamespaceManager"
    assert container.DbmContainer is container.DBMContainer


def test_a_program_may_derive_a_container() -> None:
    class OwnContainer(Container):
        namespace_manager = MemoryNamespaceManager

    namespace = OwnContainer.create_namespace("things")

    assert isinstance(namespace, MemoryNamespaceManager)
    assert namespace_classes[OwnContainer] is MemoryNamespaceManager


def test_a_context_opens_a_namespace_once() -> None:
    context = ContainerContext()

    first = context.get_namespace("things", MemoryContainer)

    assert context.get_namespace("things", MemoryContainer) is first
    assert first.namespace == "things"


# -- the names of the module


@pytest.mark.parametrize("name", container.__all__)
def test_all_that_is_listed_is_there(name: str) -> None:
    assert getattr(container, name) is not None


def test_the_globals_of_1x_are_there() -> None:
    names: Any = container

    assert (names.time, names.pickle) == (time, pickle)
    assert names.util.verify_directory is not None
    assert names.logger.name == "beaker.container"
    names.debug("something to tell %s", "nobody")
    assert names.CreationAbortedError is CreationAbortedError


def test_what_is_not_there_is_told() -> None:
    with pytest.raises(
        AttributeError, match=r"'beaker\.container' has no attribute 'x'"
    ):
        container.x  # noqa: B018


def test_built_in_stores_are_imported_when_they_are_asked_for() -> None:
    code = (
        "import sys, beaker.container as c\n"
        "print('beaker.backends.file' in sys.modules)\n"
        "c.FileNamespaceManager\n"
        "print('beaker.backends.file' in sys.modules, 'sqlite3' in sys.modules)\n"
    )

    said = subprocess.run(  # noqa: S603 - our own program
        [sys.executable, "-c", code], capture_output=True, text=True, check=True
    ).stdout

    assert said == "False\nTrue False\n"
