"""Sessions in a store that was written for Beaker 1.x."""

from __future__ import annotations

import pickle
import time
from functools import partial
from typing import Any, ClassVar

import pytest

from beaker.container import NamespaceManager
from beaker.exceptions import CorruptRecordError, ForbiddenClassError
from tests.core.sessions import (
    FORMER_PAYLOAD,
    FORMER_TIME,
    Visit,
    again,
    contents,
    setting,
    stored,
)
from tests.core.test_session_trust import Own

Options = dict[str, Any]


class FormerStore(NamespaceManager):
    """What a plugin for sessions of 1.x was like: no more than a dictionary."""

    kept: ClassVar[dict[tuple[str, str], bytes]] = {}
    given: ClassVar[Options] = {}

    def __init__(self, namespace: str, flavour: str = "plain", **params: Any) -> None:
        super().__init__(namespace)
        self.given.update(params, flavour=flavour)

    def __contains__(self, key: object) -> bool:
        return (self.namespace, key) in self.kept

    def __getitem__(self, key: str) -> Any:
        return pickle.loads(self.kept[self.namespace, key])

    def __setitem__(self, key: str, value: Any) -> None:
        assert isinstance(value, str)
        self.kept[self.namespace, key] = pickle.dumps(value)

    def __delitem__(self, key: str) -> None:
        del self.kept[self.namespace, key]


@pytest.fixture
def options() -> Options:
    """The options that choose it."""
    FormerStore.kept.clear()
    FormerStore.given.clear()
    return {"namespace_class": FormerStore}


def test_what_was_saved_is_there_with_the_next_request(options: Options) -> None:
    visit = Visit(**options)

    visit.request(setting(n=1))

    assert visit.read(contents) == "{'n': 1}"


def test_the_plugin_is_given_every_option_that_is_not_the_sessions(
    options: Options,
) -> None:
    stored({**options, "flavour": "salty", "timeout": 60, "secret": "s", "x": "y"})

    given = FormerStore.given
    assert (given["flavour"], given["x"]) == ("salty", "y")
    assert (given["timeout"], given["digest_filenames"]) == (180, False)
    assert "secret" not in given


def test_requests_of_one_process_merge(options: Options) -> None:
    known = stored(options, a=1).id
    one, other = again(options, known), again(options, known)
    one["b"], other["c"] = 2, 3

    one.save()
    other.save()

    assert contents(again(options, known)) == {"a": 1, "b": 2, "c": 3}


def test_gone_is_gone(options: Options) -> None:
    known = stored(options, user="ann").id
    one, other = again(options, known), again(options, known)

    other.delete()
    one["user"] = "eve"
    one.save()
    one.save(accessed_only=True)

    assert FormerStore.kept == {}


def test_a_regenerated_session_moves(options: Options) -> None:
    session = stored(options, n=1)
    former = session.id

    session.regenerate_id()

    assert [namespace for namespace, _ in FormerStore.kept] == [session.id]
    assert again(options, former).is_new


def test_use_is_written_into_the_record(
    options: Options, monkeypatch: pytest.MonkeyPatch
) -> None:
    now = time.time()
    known = stored(options, n=1).id

    for _ in range(3):
        now += 50
        monkeypatch.setattr(time, "time", partial(float, now))
        session = again({**options, "timeout": 60}, known)
        session.save(accessed_only=True)
        assert contents(session) == {"n": 1}


def test_what_1_wrote_is_read(options: Options) -> None:
    FormerStore.kept["known", "session"] = pickle.dumps(FORMER_PAYLOAD)

    session = again(options, "known")

    assert (session["user"], session.created) == ("ann", FORMER_TIME)
    session["user"] = "bob"
    session.save()
    assert again(options, "known")["user"] == "bob"


def test_unsigned_data_are_plain_there_too(options: Options) -> None:
    session = stored(options, n=1)
    session["own"] = Own()

    with pytest.raises(ForbiddenClassError):
        session.save()
    assert contents(again(options, session.id)) == {"n": 1}
    assert stored({**options, "secret": "s" * 20}, own=Own())


def test_garbage_is_a_typed_error(options: Options) -> None:
    for garbage in (7, ["x"], {"a": 1}, "vksC", "vksC!", "", b"\x00"):
        FormerStore.kept["known", "session"] = pickle.dumps(garbage)
        with pytest.raises(CorruptRecordError):
            again(options, "known")
