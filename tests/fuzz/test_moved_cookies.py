"""A cookie is believed under its own name and for its own purpose, and nowhere else."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from itertools import product
from typing import Any, NamedTuple

import pytest

from beaker._sessions.cookiecodec import _based
from beaker.backends.memory import MemoryNamespaceManager
from beaker.session import Session
from tests.core.sessions import KEY, SharedMemory
from tests.fuzz.cookies import BY_ID, ENCRYPTED, SIGNED, accepted, issued

Options = dict[str, Any]

NAMES = [KEY, "sid2", "beaker.session.id", "__Host-sid", "SID"]


@pytest.fixture(autouse=True)
def empty_memory() -> Iterator[None]:
    """The sessions of one test alone."""
    MemoryNamespaceManager.namespaces.clear()
    yield
    MemoryNamespaceManager.namespaces.clear()


class Writer(NamedTuple):
    """Who issues a value, and for whom."""

    write: Callable[[Options], str]
    kind: str
    options: Options


def record_of(options: Options) -> str:
    """Return the record of a session in a store, as the text of a cookie."""
    session = Session({}, **{**options, "type": None}, use_cookies=False)
    session["user"] = "ann"
    session.save()
    return _based(session._stored.store.fetch("session"))


def of_user(options: Options) -> str:
    return issued(options, "ann")


IN_BYTES: Options = {**BY_ID, "namespace_class": SharedMemory}

#: What a value is issued for. The secret is the same everywhere.
WRITERS = {
    "id": Writer(of_user, "id", BY_ID),
    "session": Writer(of_user, "session", SIGNED),
    "encrypted": Writer(of_user, "encrypted", ENCRYPTED),
    "record": Writer(record_of, "record", IN_BYTES),
    "encrypted record": Writer(
        record_of, "record", {**ENCRYPTED, **IN_BYTES, "type": None}
    ),
}

#: Beaker 1.x signed a value and nothing else: its cookies know their purpose only.
FORMER = {
    "id of 1.x": Writer(of_user, "id", {**BY_ID, "mode": "compat"}),
    "session of 1.x": Writer(of_user, "session", {**SIGNED, "mode": "compat"}),
}

READERS = {"id": BY_ID, "session": SIGNED, "encrypted": ENCRYPTED}


def is_at_home(kind: str, name: str, reader: str, under: str) -> bool:
    """Return whether a value was issued for this reader, under this name."""
    # What is encrypted now may have been signed only, before there was a key.
    return name == under and (kind, reader) in [
        *(("id", "id"), ("session", "session")),
        *(("encrypted", "encrypted"), ("session", "encrypted")),
    ]


@pytest.mark.parametrize("mode", ["compat", "migrate", "strict"])
@pytest.mark.parametrize("writer", WRITERS)
def test_a_moved_cookie_is_accepted_nowhere_but_at_home(writer: str, mode: str) -> None:
    write, kind, options = WRITERS[writer]

    for name, under, reader in product(NAMES, NAMES, READERS):
        value = write({**options, "key": name})
        reads = {**READERS[reader], "mode": mode}

        at_home = is_at_home(kind, name, reader, under)
        assert accepted(value, reads, under) == at_home, (name, under, reader)


@pytest.mark.parametrize("mode", ["compat", "migrate", "strict"])
@pytest.mark.parametrize("writer", FORMER)
def test_a_cookie_of_1x_serves_its_own_purpose_until_strict(
    writer: str, mode: str
) -> None:
    write, kind, options = FORMER[writer]

    for name, under, reader in product(NAMES, NAMES, READERS):
        value = write({**options, "key": name})
        reads = {**READERS[reader], "mode": mode}

        usable = kind == reader and mode != "strict"
        assert accepted(value, reads, under) == usable, (name, under, reader)


@pytest.mark.parametrize("reader", READERS)
def test_a_secret_of_another_application_opens_nothing(reader: str) -> None:
    options = READERS[reader]
    keys = [name for name in options if name.endswith(("_key", "secret"))]
    value = issued(options, "ann")

    foreign = {
        **options,
        **dict.fromkeys(keys, "the secret of an application of others"),
    }

    assert not accepted(value, foreign)
    assert accepted(value, options)
