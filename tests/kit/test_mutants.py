"""Each mutant is caught by the test that its row names, and by no error before it."""

from __future__ import annotations

import pytest

from beaker.testing import _expiry, _leases
from tests.kit.mutants import MUTANTS, Mutant

pytest_plugins = ["pytester"]

#: What a plugin's author writes, with the mutant for his store.
TESTS = """
import pytest
from beaker.testing import {suite}
from tests.kit.mutants import {store}

class TestMutant({suite}):
    @pytest.fixture
    def options(self, tmp_path):
        return {{"type": {store}, "data_dir": str(tmp_path / "data")}}
"""


@pytest.fixture(autouse=True)
def impatience(monkeypatch: pytest.MonkeyPatch) -> None:
    """Give up soon on what never comes."""
    monkeypatch.setattr(_expiry.ExpiryTests, "forgets_within", 3.0)
    monkeypatch.setattr(_leases, "PATIENCE", 4.0)


@pytest.mark.parametrize(
    "mutant",
    MUTANTS,
    ids=lambda mutant: f"{mutant.store.__name__}-{mutant.caught_by}",
)
def test_it_is_caught(mutant: Mutant, pytester: pytest.Pytester) -> None:
    names = {"store": mutant.store.__name__, "suite": mutant.suite.__name__}
    pytester.makepyfile(TESTS.format(**names))

    # Hypothesis would be imported anew each time.
    without = ("-p", "no:cacheprovider", "-p", "no:hypothesispytest")
    ran = pytester.runpytest_inprocess("-k", mutant.caught_by, *without)

    outcomes = ran.parseoutcomes()
    assert outcomes.get("failed")
    assert "errors" not in outcomes
