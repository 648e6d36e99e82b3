"""What all suites share: their guard, the one fixture, and what a store claims."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping
from typing import Any, TypeVar
from uuid import uuid4

import pytest

from beaker.legacy import is_legacy
from beaker.plugins import Backends, backend_named
from beaker.protocols import NamespaceManager
from beaker.stores import StoreOpener
from beaker.testing._processes import PATIENCE
from beaker.testing._servers import Server

__all__ = [
    "Opener",
    "Stoppable",
    "StoreSuite",
    "Suite",
    "needs",
    "patience",
    "reads",
    "rounds",
]

#: The options that lead to a server of the test's own, and that server.
Stoppable = tuple[Mapping[str, Any], Server]

F = TypeVar("F", bound=Callable[..., object])


def rounds() -> int:
    """Return how often a test repeats what a race decides; ``BEAKER_TEST_ROUNDS``."""
    return int(os.environ.get("BEAKER_TEST_ROUNDS", "3"))


def reads() -> int:
    """Return how many reads all children of a fork share; ``BEAKER_TEST_READS``."""
    return int(os.environ.get("BEAKER_TEST_READS", "4000"))


def patience() -> float:
    """Return the seconds to wait for children whose work grows with the counts."""
    return PATIENCE * max(1.0, rounds() / 3, reads() / 4000)


def needs(*abilities: str) -> Callable[[F], F]:
    """Mark a test that only a store can pass which claims these abilities.

    ``fork`` is one of the system's abilities.
    """

    def mark(test: F) -> F:
        vars(test)["needs"] = abilities
        return test

    return mark


class Suite:
    """Tests that a plugin's author inherits and cannot weaken by accident.

    A test of a suite may be redefined only to say that it is known to fail::

        @pytest.mark.xfail(reason="riak forgets when it likes", strict=True)
        def test_a_record_is_there_before_its_ttl(self, store, ttl):
            super().test_a_record_is_there_before_its_ttl(store, ttl)
    """

    def __init_subclass__(cls, **keywords: Any) -> None:
        super().__init_subclass__(**keywords)
        for name, promised in cls._promises().items():
            given = getattr(cls, name)
            if given is promised:
                continue
            if not _is_known_to_fail(given):
                raise TypeError(
                    f"{cls.__qualname__} redefines {name}, and the suite would prove "
                    f"less than it says; give your own test another name, or mark "
                    f"this one with pytest.mark.xfail(reason=..., strict=True)"
                )
            vars(given).setdefault("needs", getattr(promised, "needs", ()))

    @classmethod
    def _promises(cls) -> dict[str, object]:
        """Return the tests that are inherited from this package, by name."""
        return {
            name: value
            for kind in cls.__mro__
            if kind.__module__.startswith("beaker.testing.")
            for name, value in vars(kind).items()
            if name.startswith("test")
        }


class StoreSuite(Suite):
    """Tests of a store: inherit from a suite, and give the fixture `options`."""

    @pytest.fixture
    def options(self) -> Mapping[str, Any]:
        """Return what a user configures to use the store, without ``cache.``.

        ``type`` is the name of its entry point, or its class.
        """
        pytest.fail(
            f"{type(self).__name__} has no fixture 'options'; give one that returns "
            f"what a user configures, such as {{'type': 'ext:redis', 'url': redis_url}}"
        )

    @pytest.fixture
    def stoppable(self) -> Stoppable:
        """Return options that lead to a server of this test, and that server.

        It is frozen and killed. With a short ``store_timeout``, for it is waited for.
        """
        pytest.skip("there is no fixture 'stoppable' that takes the store away")

    @pytest.fixture
    def own_options(self, options: Mapping[str, Any]) -> dict[str, Any]:
        """`options` with a prefix that keeps this test apart from all others."""
        prefix = f"{options.get('prefix') or ''}test-{uuid4().hex}:"
        return {**options, "prefix": prefix}

    @pytest.fixture
    def backend(self, options: Mapping[str, Any]) -> type[NamespaceManager]:
        """The store's class."""
        return Opener(options).backend

    @pytest.fixture
    def open_namespace(self, own_options: Mapping[str, Any]) -> Opener:
        """Opens namespaces of the store that are this test's own."""
        return Opener(own_options)

    @pytest.fixture(autouse=True)
    def _only_what_is_claimed(
        self, request: pytest.FixtureRequest, backend: type[NamespaceManager]
    ) -> None:
        for ability in getattr(request.function, "needs", ()):
            if ability == "fork":
                if not hasattr(os, "fork"):
                    pytest.skip("this system cannot fork")
            elif not getattr(backend, ability):
                pytest.skip(f"{backend.__name__} does not claim {ability!r}")


class Opener:
    """Opens namespaces of one store as the core does, each with a new manager.

    Args:
        options: As the fixture `options` gives them.

    Attributes:
        options: As given. An opener can be sent to another process if they can.
    """

    def __init__(self, options: Mapping[str, Any]) -> None:
        self.options = dict(options)

    @property
    def backend(self) -> type[NamespaceManager]:
        """The store's class."""
        found = backend_named(self.options["type"], Backends())
        if is_legacy(found):
            pytest.fail(
                f"{found.__name__} was written for Beaker 1.x: it has no 'fetch', and "
                f"so none of what this suite is about"
            )
        return found

    def __call__(
        self, namespace: str = "namespace", *, purpose: str = "cache", **more: Any
    ) -> NamespaceManager:
        """Return a new manager of this namespace.

        Args:
            namespace: Its name.
            purpose: "cache" or "session".
            more: Options beside those of the fixture. ``prefix`` is added to what
                keeps this test apart.
        """
        given = {**self.options, **more}
        given["prefix"] = f"{self.options.get('prefix', '')}{more.get('prefix', '')}"
        del given["type"]
        return StoreOpener(self.backend, given, purpose).open(namespace).manager


def _is_known_to_fail(test: object) -> bool:
    marks = getattr(test, "pytestmark", [])
    return any(
        mark.name == "xfail"
        and mark.kwargs.get("reason")
        and mark.kwargs.get("strict") is True
        for mark in marks
    )
