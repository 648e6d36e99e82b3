"""What still comes from Beaker 1.x is told, so that its end can be set."""

from __future__ import annotations

import pickle
from collections.abc import Iterator
from typing import Any

import pytest

from beaker.crypto import CRYPTO_MODULES, register_crypto_module
from beaker.exceptions import CorruptRecordError
from beaker.hookspecs import hookimpl
from beaker.listeners import register, unregister
from beaker.session import CookieSession, Session
from tests.core.sessions import (
    FORMER_COOKIE,
    FORMER_ID,
    FORMER_ID_COOKIE,
    FORMER_PAYLOAD,
    KEY,
    STRONG,
    SharedMemory,
    ToySeal,
    again,
    signed_anew,
    stored,
)
from tests.core.test_session_subclasses import TextSession
from tests.core.test_session_trust import put

Options = dict[str, Any]
Met = list[tuple[str, str | None]]


@pytest.fixture
def met() -> Iterator[Met]:
    """The kinds and ids that were told of."""
    told: Met = []

    class Counter:
        @hookimpl
        def former_session_met(self, kind: str, session_id: str | None) -> None:
            told.append((kind, session_id))

    counter = Counter()
    register(counter)
    yield told
    unregister(counter)


@pytest.fixture
def shared() -> Options:
    """The options of sessions in a store that others can write."""
    SharedMemory.namespaces.clear()
    return {"namespace_class": SharedMemory, "secret": STRONG, "prefix": "counts:"}


def test_a_session_that_1_wrote_counts(met: Met, shared: Options) -> None:
    put(
        Session({}, FORMER_ID, use_cookies=False, **shared),
        pickle.dumps(FORMER_PAYLOAD),
    )

    session = again(shared, FORMER_ID)

    assert met == [("payload", FORMER_ID)]
    session["n"] = 1
    session.save()
    again(shared, FORMER_ID)
    assert len(met) == 1


def test_one_that_it_encrypted_counts_as_such(met: Met, shared: Options) -> None:
    register_crypto_module("toy", ToySeal())
    try:
        keys = {"encrypt_key": "e" * 20, "validate_key": "v" * 20, "crypto_type": "toy"}
        known = stored({**shared, **keys, "mode": "compat"}, n=1).id

        again({**shared, **keys}, known)
    finally:
        del CRYPTO_MODULES["toy"]

    assert met == [("cipher", known)]


def test_an_id_that_1_signed_counts(met: Met, shared: Options) -> None:
    Session({"cookie": f"{KEY}={signed_anew(FORMER_ID_COOKIE)}"}, key=KEY, **shared)

    assert met == [("cookie", FORMER_ID)]


def test_a_cookie_session_of_1_counts(met: Met) -> None:
    cookie = {"cookie": f"{KEY}={FORMER_COOKIE}"}

    CookieSession(cookie, key=KEY, validate_key="v" * 20)

    assert met == [("cookie", None)]


def test_a_record_from_before_there_was_a_secret_counts(
    met: Met, shared: Options
) -> None:
    known = stored({**shared, "secret": None}, n=1).id

    again(shared, known)

    assert met == [("unsigned", known)]


def test_what_is_of_today_does_not_count(met: Met, shared: Options) -> None:
    request: Options = {}
    session = Session(request, key=KEY, **shared)
    session["n"] = 1
    session.save()
    Session({"cookie": request["cookie_out"].partition(";")[0]}, key=KEY, **shared)
    of_subclass = TextSession({}, use_cookies=False, **shared)
    of_subclass["n"] = 1
    of_subclass.save()
    TextSession({}, of_subclass.id, use_cookies=False, **shared)
    Session({"cookie": f"{KEY}={'f' * 40}{FORMER_ID}"}, key=KEY, **shared)

    assert met == []


def test_once_nothing_counts_strict_loses_nobody(met: Met, shared: Options) -> None:
    former = pickle.dumps(FORMER_PAYLOAD)
    put(Session({}, FORMER_ID, use_cookies=False, **shared), former)
    with pytest.raises(CorruptRecordError):
        again({**shared, "mode": "strict"}, FORMER_ID)

    session = again(shared, FORMER_ID)
    session["n"] = 2
    session.save()
    met.clear()
    again(shared, FORMER_ID)

    assert met == []
    assert again({**shared, "mode": "strict"}, FORMER_ID)["n"] == 2
