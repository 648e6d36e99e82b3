"""What the suites' base promises: it cannot be weakened, and tells what it lacks."""

from __future__ import annotations

import pickle
import re
from collections import Counter
from importlib import import_module
from pathlib import Path
from typing import Any

import pytest

import beaker.testing
from beaker.backends.sqlite import SqliteNamespaceManager
from beaker.testing import Opener, StoreSuite

pytest_plugins = ["pytester"]


def suite_module(*names: str) -> type[StoreSuite]:
    """Return a suite with these tests, as this package would define it."""

    def passes(self: object) -> None:
        assert self

    tests = dict.fromkeys(names, passes)
    return type("Suite", (StoreSuite,), {**tests, "__module__": "beaker.testing._x"})


def test_whatever_asserts_is_rewritten_to_say_what_it_found() -> None:
    silent = set()
    for module in Path(beaker.testing.__file__).parent.glob("_[a-z]*.py"):
        asserts = re.search(r"^ +assert ", module.read_text(), re.MULTILINE)
        loaded = import_module(f"beaker.testing.{module.stem}")
        if asserts and "@pytest_ar" not in vars(loaded):
            silent.add(module.name)

    assert silent == set()


def test_no_suite_gives_a_name_to_what_another_means_by_it() -> None:
    suites = [
        *(beaker.testing.NamespaceManagerSuite, beaker.testing.LeaseSuite),
        *(beaker.testing.OutageSuite, beaker.testing.RegionSuite),
        beaker.testing.SessionSuite,
    ]
    own = {kind for suite in suites for kind in suite.__mro__[:-1]}

    names = Counter(name for kind in own for name in vars(kind) if name[:2] != "__")

    assert [name for name, count in names.items() if count > 1] == []


def test_a_suites_test_cannot_be_redefined() -> None:
    suite = suite_module("test_a", "test_b")

    with pytest.raises(TypeError, match=r"redefines test_b.*another name, or.*xfail"):
        type("TestMine", (suite,), {"test_b": lambda _: None})


@pytest.mark.parametrize("base_first", [True, False])
def test_a_mixin_cannot_redefine_it_either(base_first: bool) -> None:
    suite, mixin = suite_module("test_a"), type("Mixin", (), {"test_a": None})
    bases = (suite, mixin) if base_first else (mixin, suite)

    if base_first:
        assert type("TestMine", bases, {}).test_a is suite.test_a  # type: ignore[attr-defined]  # made above
    else:
        with pytest.raises(TypeError, match="redefines test_a"):
            type("TestMine", bases, {})


@pytest.mark.parametrize(
    "marks",
    [{}, {"reason": "it forgets"}, {"strict": True}, {"reason": "", "strict": True}],
)
def test_a_known_failure_needs_a_reason_and_no_second_try(
    marks: dict[str, Any],
) -> None:
    def test(self: object) -> None:
        assert self

    known = pytest.mark.xfail(**marks)(test)
    with pytest.raises(TypeError, match="redefines test_a"):
        type("TestMine", (suite_module("test_a"),), {"test_a": known})


def test_a_known_failure_is_accepted() -> None:
    @pytest.mark.xfail(reason="it forgets", strict=True)
    def known(self: object) -> None:
        assert self

    suite = suite_module("test_a")
    mine = type("TestMine", (suite,), {"test_a": known, "test_of_my_own": known})

    assert issubclass(type("TestAlsoMine", (mine,), {}), suite)


def test_without_options_a_suite_says_what_to_give(pytester: pytest.Pytester) -> None:
    pytester.makepyfile(
        """
        from beaker.testing import StoreSuite

        class TestMine(StoreSuite):
            def test_it(self, open_namespace):
                open_namespace()
        """
    )

    ran = pytester.runpytest_inprocess("-p", "no:cacheprovider")

    ran.assert_outcomes(errors=1)
    ran.stdout.fnmatch_lines(["*TestMine has no fixture 'options'; give one that*"])


def test_a_store_of_1x_is_told_apart(pytester: pytest.Pytester) -> None:
    pytester.makepyfile(
        """
        import pytest
        from beaker.container import NamespaceManager
        from beaker.testing import StoreSuite

        class Former(NamespaceManager):
            def __getitem__(self, key):
                raise KeyError(key)

        class TestMine(StoreSuite):
            @pytest.fixture
            def options(self):
                return {"type": Former}

            def test_it(self, open_namespace):
                open_namespace()
        """
    )

    ran = pytester.runpytest_inprocess("-p", "no:cacheprovider")

    # What fails in a fixture was an error before pytest 9.
    outcomes = ran.parseoutcomes()
    assert outcomes.get("failed", 0) + outcomes.get("errors", 0) == 1
    ran.stdout.fnmatch_lines(["*Former was written for Beaker 1.x*"])


class TestOpening(StoreSuite):
    @pytest.fixture
    def options(self, tmp_path: Path) -> dict[str, object]:
        return {"type": "sqlite", "data_dir": str(tmp_path), "prefix": "mine"}

    def test_the_class_is_found_by_its_name(
        self, backend: type, open_namespace: Opener
    ) -> None:
        store = open_namespace("name", purpose="session", store_timeout="3")

        assert backend is SqliteNamespaceManager
        assert isinstance(store, SqliteNamespaceManager)
        assert store.namespace == "name"
        assert store.settings.purpose == "session"
        assert store.settings.deadline == 3

    def test_each_manager_is_new_and_all_see_the_same(
        self, open_namespace: Opener
    ) -> None:
        one, other = open_namespace(), open_namespace()

        one.store("key", b"data", None)

        assert one is not other
        assert other.fetch("key") == b"data"

    def test_prefixes_tell_tests_apart(
        self, options: dict[str, object], open_namespace: Opener
    ) -> None:
        alone, more = open_namespace(), open_namespace(prefix="more")

        assert alone.settings.prefix.startswith("minetest-")
        assert len(alone.settings.prefix) > 30
        assert more.settings.prefix == alone.settings.prefix + "more"
        assert Opener(options)().settings.prefix == "mine"

    def test_another_process_opens_the_same(self, open_namespace: Opener) -> None:
        sent = pickle.loads(pickle.dumps(open_namespace))

        sent().store("key", b"data", None)

        assert open_namespace().fetch("key") == b"data"
