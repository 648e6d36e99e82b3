"""Abilities: one that is claimed works, and one that is not refuses and says so."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from typing import Any

import pytest

from beaker.exceptions import UnsupportedOperationError
from beaker.protocols import ABILITIES, API_VERSION, NamespaceManager
from beaker.testing._processes import answer_of_new_process
from beaker.testing._strangers import answer, can_be_sent
from beaker.testing._suite import Opener, StoreSuite, needs

__all__ = ["AbilityTests", "Restart"]

#: The options that lead to a server of the test's own, and what ends and starts it.
Restart = tuple[Mapping[str, Any], Callable[[], object]]

#: Seconds after which a session is unused, in the test of their removal.
UNUSED = 2.0


class AbilityTests(StoreSuite):
    """Part of `NamespaceManagerSuite`; the others test what these claim."""

    @pytest.fixture
    def restart(self) -> Restart:
        """Return options that lead to a server of this test, and what restarts it.

        Give it where a store is `durable` and has a server that a test can start.
        """
        pytest.skip("there is no fixture 'restart' that ends and starts the server")

    def test_each_ability_is_claimed_or_not(
        self, backend: type[NamespaceManager]
    ) -> None:
        """Yes or no, on the class, and the greater includes the less."""
        claims = {name: getattr(backend, name) for name in ABILITIES}

        assert set(map(type, claims.values())) == {bool}, claims
        assert claims["shared_between_processes"] or not claims["shared_between_hosts"]

    def test_it_is_written_for_a_contract_that_this_core_has(
        self, backend: type[NamespaceManager]
    ) -> None:
        """A core that is older than a plugin refuses it."""
        assert 2 <= backend.api <= API_VERSION

    @pytest.mark.parametrize("ask", ["keys", "size", "purge"])
    def test_what_it_cannot_list_it_refuses_to(
        self, store: NamespaceManager, ask: str
    ) -> None:
        """An empty answer would be a lie."""
        store.store("key", b"data", 60)

        if store.enumerable:
            answers = {"keys": ["key"], "size": 1, "purge": 0}
            found = getattr(store, ask)()
            assert (found if ask != "keys" else list(found)) == answers[ask]
        else:
            with pytest.raises(UnsupportedOperationError, match="'enumerable'"):
                list(getattr(store, ask)())

    def test_what_it_cannot_update_atomically_it_refuses_or_updates(
        self, store: NamespaceManager
    ) -> None:
        """Alone, a store compares and sets, or says that it cannot."""
        one, two, refusal = b"one", b"two", ""
        store.store("key", one, 60)

        try:
            was_stored = store.replace("key", one, two, 60)
        except UnsupportedOperationError as error:
            was_stored, refusal = False, str(error)

        assert store.fetch("key") == (two if was_stored else one)
        if not was_stored:
            assert not store.updates_atomically
            assert "'updates_atomically'" in refusal

    def test_sessions_that_nobody_uses_are_removed_or_the_store_refuses_to(
        self, open_namespace: Opener
    ) -> None:
        """Whichever session it is asked through; those in use stay."""
        names = ("unused", "used", "asked")
        unused, used, asked = (open_namespace(n, purpose="session") for n in names)
        if not asked.enumerable:
            with pytest.raises(UnsupportedOperationError, match="'enumerable'"):
                list(asked.purge_sessions(UNUSED))
            return
        for session in (unused, used):
            # As the core does: some stores look into what they are given.
            session.set_value("session", "data", 3600)
        time.sleep(1.5 * UNUSED)
        used.touch("session", 3600, time.time())

        *_, counted = asked.purge_sessions(UNUSED, dry_run=True)
        before = "session" in unused
        *_, purged = asked.purge_sessions(UNUSED)

        assert before
        assert unused.fetch("session") is None
        assert used["session"] == "data"
        assert counted.removed == purged.removed >= 1
        assert purged.examined >= 2

    def test_it_tells_the_ids_of_its_sessions_or_refuses_to(
        self, open_namespace: Opener
    ) -> None:
        """Whichever session it is asked through; some names tell no id."""
        known, asked = (open_namespace(n * 32, purpose="session") for n in "ab")
        if not asked.enumerable:
            with pytest.raises(UnsupportedOperationError, match="'enumerable'"):
                list(asked.session_ids())
            return
        known.set_value("session", "data", 60)

        told = list(asked.session_ids())
        assert told == [] or known.namespace in told

    @needs("durable", "shared_between_processes")
    def test_what_is_durable_outlives_who_stored_it(
        self, open_namespace: Opener
    ) -> None:
        """A program ends, and the next one finds what it has stored."""
        can_be_sent(open_namespace)

        answer_of_new_process(answer, open_namespace)

        assert open_namespace().fetch("key") == b"answer"

    @needs("durable")
    def test_what_is_durable_outlives_a_restart_of_its_server(
        self, restart: Restart
    ) -> None:
        """And whoever was connected goes on after a while."""
        options, restart_server = restart
        store = Opener(options)()
        store.store_many({"key": b"data", "other": b"other"}, None)
        session = Opener(options)("id", purpose="session")
        session.store("session", b"session", 3600)

        restart_server()

        again = Opener({**options, "store_timeout": 10})
        assert again().fetch_many(["key", "other"]) == {
            "key": b"data",
            "other": b"other",
        }
        assert again("id", purpose="session").fetch("session") == b"session"
