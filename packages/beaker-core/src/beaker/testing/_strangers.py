"""Processes that have nothing in common with this one but the options."""

from __future__ import annotations

import os
import pickle
from pathlib import Path
from typing import Any

import pytest

from beaker.testing._observing import is_free
from beaker.testing._processes import answer_of_new_process
from beaker.testing._suite import Opener, StoreSuite, needs

__all__ = ["StrangerTests", "answer", "can_be_sent"]


class StrangerTests(StoreSuite):
    """Part of `NamespaceManagerSuite`."""

    @needs("shared_between_processes")
    def test_a_new_process_finds_what_this_one_stored(
        self, open_namespace: Opener
    ) -> None:
        """Its names are the same there, and its records are no secret of ours."""
        can_be_sent(open_namespace)
        open_namespace("\N{SNOWMAN} name").store("key", b"data", 600)

        found = answer_of_new_process(answer, open_namespace, "\N{SNOWMAN} name")

        assert found == b"data"
        assert open_namespace("\N{SNOWMAN} name").fetch("key") == b"answer"

    @needs("shared_between_hosts")
    def test_a_process_elsewhere_finds_it_too(
        self, open_namespace: Opener, tmp_path: Path
    ) -> None:
        """With another home, other directories for data and for temporary files."""
        elsewhere = tmp_path / "elsewhere"
        elsewhere.mkdir()
        there = Opener({**open_namespace.options, **_places(elsewhere)})
        can_be_sent(there)
        open_namespace().store("key", b"data", 600)
        lease = open_namespace().lease("leased")
        lease.acquire()

        found, was_free = answer_of_new_process(
            answer_and_try, there, cwd=elsewhere, env=_environment(elsewhere)
        )

        assert found == b"data"
        assert open_namespace().fetch("key") == b"answer"
        assert not was_free
        lease.release()


def can_be_sent(opener: Opener) -> None:
    """Skip the test if the options hold what no other process can be given."""
    try:
        pickle.dumps(opener)
    # Whatever an object raises that is bound to its process.
    except Exception as error:  # noqa: BLE001
        pytest.skip(f"these options cannot be given to another process: {error}")


def answer(open_namespace: Opener, name: str = "namespace") -> bytes | None:
    """Return the record that was stored, and store another in its place."""
    store = open_namespace(name)
    found = store.fetch("key")
    store.store("key", b"answer", 600)
    return found


def answer_and_try(open_namespace: Opener) -> tuple[bytes | None, bool]:
    """Return as `answer` does, and whether the lease that is held there is free."""
    return answer(open_namespace), is_free(open_namespace(), "leased")


def _places(elsewhere: Path) -> dict[str, str]:
    return {name: str(elsewhere / name) for name in ("data_dir", "lock_dir")}


def _environment(elsewhere: Path) -> dict[str, Any]:
    homes = dict.fromkeys(("HOME", "TMPDIR", "TEMP", "TMP"), str(elsewhere))
    return {**os.environ, **homes}
