"""Each store or cipher that breaks a promise is caught by the test that its row names."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from beaker.testing import (
    CipherSuite,
    OutageSuite,
    RegionSuite,
    SessionSuite,
    Stoppable,
    StoreSuite,
    _caches,
    _creation,
    _crowd,
    _outages,
    _processes,
    _stampede,
)
from beaker.testing._suite import Suite
from tests.kit.mutants import Mutant
from tests.kit.promise_mutants import PROMISE_MUTANTS
from tests.kit.sick_caches import Stopped
from tests.kit.sick_ciphers import SICK_CIPHERS, SickCipher, Toy

pytest_plugins = ["pytester"]

#: What a plugin's author writes, with the mutant for his store or his cipher.
STORE_TESTS = """
import pytest
from beaker.testing import {suite}
from tests.kit.test_promise_mutants import OnACabinet
from {module} import {name}

class TestMutant(OnACabinet, {suite}):
    kind = {name}
"""
CIPHER_TESTS = """
import pytest
from beaker.testing import {suite}
from {module} import {name}

class TestMutant({suite}):
    @pytest.fixture
    def cipher(self):
        return {name}()
"""


class Room:
    """Where a cabinet stands: to be closed, in the place of a server that is stopped."""

    def __init__(self, directory: Path) -> None:
        directory.mkdir(parents=True, exist_ok=True)
        self._signs = directory / "cabinet.away", directory / "cabinet.silent"

    def kill(self) -> None:
        """Let nobody in."""
        self._signs[0].touch()

    def freeze(self) -> None:
        """Let nobody in, and tell nobody."""
        self._signs[1].touch()

    def thaw(self) -> None:
        """Let everybody in."""
        for sign in self._signs:
            sign.unlink(missing_ok=True)

    start = thaw


class OnACabinet(StoreSuite):
    kind: type[Stopped]

    @pytest.fixture
    def options(self, tmp_path: Path) -> dict[str, Any]:
        return {"type": self.kind, "data_dir": str(tmp_path / "data")}

    @pytest.fixture
    def stoppable(self, options: dict[str, Any]) -> Stoppable:
        room: Any = Room(Path(options["data_dir"]))
        return options, room

    @pytest.fixture
    def footprint(self, own_options: dict[str, Any]) -> Callable[[], int]:
        def count() -> int:
            with self.kind("any", **_for_the_store(own_options)).opened() as drawers:
                return len(drawers.records) + len(drawers.leases)

        return count


class TestHealthyCaches(OnACabinet, RegionSuite):
    kind = Stopped


class TestHealthySessions(OnACabinet, SessionSuite):
    kind = Stopped


class TestHealthyOutages(OnACabinet, OutageSuite):
    kind = Stopped


class TestHealthyCipher(CipherSuite):
    @pytest.fixture
    def cipher(self) -> Toy:
        return Toy()


@pytest.fixture(scope="module")
def gathered_before() -> None:
    """Load what processes need: an inner run forgets the modules that it has loaded."""
    with _crowd.Crowd(max, processes=1, threads=1).gathered():
        pass


@pytest.fixture
def impatience(monkeypatch: pytest.MonkeyPatch) -> None:
    """Give up soon on what never comes."""
    for module in (_caches, _creation, _crowd, _outages, _processes, _stampede):
        monkeypatch.setattr(module, "PATIENCE", 3.0)


@pytest.mark.usefixtures("gathered_before", "impatience")
@pytest.mark.parametrize(
    "mutant", PROMISE_MUTANTS, ids=lambda one: f"{one.store.__name__}-{one.caught_by}"
)
def test_a_store_is_caught(mutant: Mutant, pytester: pytest.Pytester) -> None:
    _is_caught(pytester, STORE_TESTS, mutant.suite, mutant.store, mutant.caught_by)


@pytest.mark.parametrize(
    "mutant", SICK_CIPHERS, ids=lambda one: f"{one.cipher.__name__}-{one.caught_by}"
)
def test_a_cipher_is_caught(mutant: SickCipher, pytester: pytest.Pytester) -> None:
    _is_caught(pytester, CIPHER_TESTS, CipherSuite, mutant.cipher, mutant.caught_by)


def _is_caught(
    pytester: pytest.Pytester, tests: str, suite: type[Suite], kind: type, test: str
) -> None:
    names = {"suite": suite.__name__, "module": kind.__module__, "name": kind.__name__}
    pytester.makepyfile(tests.format(**names))

    # Hypothesis would be imported anew each time.
    without = ("-p", "no:cacheprovider", "-p", "no:hypothesispytest")
    ran = pytester.runpytest_inprocess("-k", test, *without)

    outcomes = ran.parseoutcomes()
    assert outcomes.get("failed")
    assert "errors" not in outcomes


def _for_the_store(options: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in options.items() if name != "type"}
