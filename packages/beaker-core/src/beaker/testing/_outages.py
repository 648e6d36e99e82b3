"""A server that is away: whoever asks it is told in time, and finds it again."""

from __future__ import annotations

import time
from collections.abc import Callable

import pytest

from beaker.protocols import NamespaceManager
from beaker.testing._processes import PATIENCE
from beaker.testing._servers import wait_until
from beaker.testing._suite import Opener, Stoppable, StoreSuite, rounds

__all__ = ["OutageSuite"]

#: Seconds that an operation may take while the server is frozen.
DEADLINE = 0.3

#: Seconds until a busy machine has told that they are over: less than the least that
#: clients wait by themselves.
LATE = 1.5


class OutageSuite(StoreSuite):
    """What a store does while its server is away: give `options` and `stoppable`."""

    @pytest.mark.parametrize("purpose", ["cache", "session"])
    def test_a_killed_server_is_told_at_once_and_found_again(
        self, stoppable: Stoppable, purpose: str
    ) -> None:
        """By what the class lists; nobody waits for what is known, or tries often."""
        options, server = stoppable
        open_namespace = Opener({**options, "store_timeout": PATIENCE})
        store = open_namespace("id", purpose=purpose)
        store.store("session", b"data", 60)
        server.kill()

        waited = [seconds_until_told(store, act) for act in operations(store)]

        assert max(waited) < PATIENCE / 4
        server.start()
        soon_answers(store)
        assert store.fetch("session") in {None, b"data"}
        store.store("session", b"new", 60)
        assert store.fetch("session") == b"new"

    @pytest.mark.parametrize("is_connected", [True, False])
    def test_a_frozen_server_is_waited_for_until_the_deadline(
        self, stoppable: Stoppable, is_connected: bool
    ) -> None:
        """Of the operation, whatever the client would do by itself."""
        options, server = stoppable
        store = Opener({**options, "store_timeout": DEADLINE})()
        if is_connected:
            soon_answers(store)
        server.freeze()

        waited = seconds_until_told(store, lambda: store.fetch("key"))
        again = seconds_until_told(store, lambda: store.store("key", b"data", 60))

        assert DEADLINE * 0.8 < waited < LATE
        assert again < LATE
        server.thaw()
        soon_answers(store)
        assert store.fetch("key") in {None, b"data"}

    def test_an_answer_that_comes_too_late_is_nobody_elses(
        self, stoppable: Stoppable
    ) -> None:
        """The next question on that connection does not get it."""
        options, server = stoppable
        patient = Opener({**options, "store_timeout": PATIENCE})()
        store = Opener({**options, "store_timeout": DEADLINE})()
        patient.store_many({"one": b"1", "two": b"2"}, 60)
        for _ in range(rounds()):
            soon_answers(store)
            server.freeze()
            seconds_until_told(store, lambda: store.fetch("one"))
            server.thaw()

            assert soon_answers(store, "two") == b"2"


def operations(store: NamespaceManager) -> list[Callable[[], object]]:
    """Return all that a server is asked for, on the key of a session."""
    key = "session"
    return [
        lambda: store.fetch(key),
        lambda: store.fetch_many([key]),
        lambda: store.fetch_accessed(key),
        lambda: store.store(key, b"data", 60),
        lambda: store.replace(key, None, b"data", 60),
        lambda: store.replace(key, b"data", b"new", 60),
        lambda: store.discard(key),
        lambda: store.touch(key, 60, 1.0),
        lambda: store.lease(key).acquire(),
        store.drop,
        store.ping,
    ]


def seconds_until_told(store: NamespaceManager, act: Callable[[], object]) -> float:
    """Return how long it takes until the store says that it is away."""
    began = time.monotonic()
    with pytest.raises(store.unavailable):
        act()
    return time.monotonic() - began


def soon_answers(store: NamespaceManager, key: str = "key") -> bytes | None:
    """Return a record as soon as the server answers."""
    found: list[bytes | None] = []

    def answers() -> bool:
        try:
            found.append(store.fetch(key))
        except store.unavailable:
            return False
        return True

    wait_until(answers, lambda: "the store does not come back")
    return found[0]
