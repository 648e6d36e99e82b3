"""Each mutant is caught by the test that its row names, and by no error before it."""

from __future__ import annotations

import pytest

from beaker.testing import _expiry, _holders
from tests.kit.mutants import MUTANTS, Mutant
from tests.kit.sick_locks import SICK_LOCKS, SickLock

pytest_plugins = ["pytester"]

#: What a plugin's author writes, with the mutant for his store.
TESTS = """
import pytest
from beaker.testing import {suite}
from {module} import {store}

class TestMutant({suite}):
    @pytest.fixture
    def options(self, tmp_path):
        return {{"type": {store}, "data_dir": str(tmp_path / "data")}}
"""


@pytest.fixture(autouse=True)
def impatience(monkeypatch: pytest.MonkeyPatch) -> None:
    """Give up soon on what never comes."""
    monkeypatch.setattr(_expiry.ExpiryTests, "forgets_within", 3.0)
    monkeypatch.setattr(_holders, "PATIENCE", 4.0)


@pytest.mark.parametrize(
    "mutant",
    MUTANTS,
    ids=lambda mutant: f"{mutant.store.__name__}-{mutant.caught_by}",
)
def test_it_is_caught(mutant: Mutant, pytester: pytest.Pytester) -> None:
    store, suite = mutant.store.__name__, mutant.suite.__name__
    module = mutant.store.__module__
    pytester.makepyfile(TESTS.format(store=store, suite=suite, module=module))

    # Hypothesis would be imported anew each time.
    without = ("-p", "no:cacheprovider", "-p", "no:hypothesispytest")
    ran = pytester.runpytest_inprocess("-k", mutant.caught_by, *without)

    outcomes = ran.parseoutcomes()
    assert outcomes.get("failed")
    assert "errors" not in outcomes


#: The same for who offers a lock.
TESTS_OF_A_LOCK = """
import functools
import pytest
from beaker.testing import SynchronizerSuite
from tests.kit.sick_locks import {lock}

class TestMutant(SynchronizerSuite):
    @pytest.fixture
    def open_synchronizer(self, tmp_path):
        return functools.partial({lock}, tmp_path)
"""


@pytest.mark.parametrize(
    "lock", SICK_LOCKS, ids=lambda lock: f"{lock.open.__name__}-{lock.caught_by}"
)
def test_a_sick_lock_is_caught(lock: SickLock, pytester: pytest.Pytester) -> None:
    pytester.makepyfile(TESTS_OF_A_LOCK.format(lock=lock.open.__name__))

    ran = pytester.runpytest_inprocess("-k", lock.caught_by, "-p", "no:cacheprovider")

    outcomes = ran.parseoutcomes()
    assert outcomes.get("failed")
    assert "errors" not in outcomes
