"""Sessions that a real Beaker 1.14 and we write and read, both ways, in every store.

In ``compat`` 1.14 reads what we write, so that a fleet can be upgraded machine by machine
and back. In ``migrate`` nobody is logged out who came with a session of 1.14.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest

from beaker.session import Session
from tests.conftest import Former

Options = dict[str, Any]

ANN = {"name": "Ann", "cart": [1, 2], "n": 0}

#: The stores of 1.14; where one is on a server, the fixture that starts it.
STORES = {
    "file": None,
    "dbm": None,
    "ext:database-sqlite": None,
    "ext:redis": "redis_url",
    "ext:memcached": "memcached_url",
    "ext:mongodb": "mongodb_url",
    "ext:database-postgres": "postgres_url",
    "ext:database-mariadb": "mariadb_url",
}
MARKERS = {"ext:redis": "redis", "ext:memcached": "memcached", "ext:mongodb": "mongodb"}

#: How 1.14 was told to keep data to itself.
PROTECTIONS: dict[str, Options] = {
    "plain": {},
    "cryptography": {"crypto_type": "cryptography"},
    "pycryptodome": {"crypto_type": "pycryptodome"},
}
KEYS = {
    "encrypt_key": "the key that encrypts",
    "validate_key": "the key that validates",
}


@pytest.fixture(params=STORES)
def store(request: pytest.FixtureRequest, tmp_path: Path) -> Options:
    """The options that choose a store, the same for 1.14 and for us."""
    kind, fixture = request.param, STORES[request.param]
    if fixture is None and "database" not in kind:
        return {"type": kind, "data_dir": str(tmp_path)}
    locks = {"lock_dir": str(tmp_path / "locks")}
    if fixture is None:
        url = f"sqlite:///{tmp_path}/sessions.db"
    else:
        url = request.getfixturevalue(fixture)
    if "database" in kind:
        table = f"beaker_{uuid4().hex}"
        return {"type": "ext:database", "url": url, "table_name": table, **locks}
    if kind == "ext:memcached":
        return {"type": kind, "url": url, "memcache_module": "memcache", **locks}
    return {"type": kind, "url": url}


@pytest.fixture(params=PROTECTIONS)
def protection(request: pytest.FixtureRequest) -> Options:
    """How the data are protected."""
    chosen = PROTECTIONS[request.param]
    return {**KEYS, **chosen} if chosen else {}


@pytest.fixture(params=["pickle", "json"])
def options(
    request: pytest.FixtureRequest, store: Options, protection: Options
) -> Options:
    """The options of sessions, the same for 1.14 and for us."""
    return {**store, **protection, "data_serializer": request.param}


def opened(options: Options, session_id: str, mode: str) -> Session:
    given = {**options, "mode": mode, "use_cookies": False}
    if "data_dir" not in options:
        given["store_timeout"] = 5
    return Session({}, session_id, **given)


def visible(session: Session) -> dict[str, Any]:
    return {name: value for name, value in session.items() if name[0] != "_"}


def test_both_ways(former: Former, options: Options) -> None:
    theirs, ours = uuid4().hex, uuid4().hex

    former("write_record", options=options, id=theirs, data=ANN)
    session = opened(options, theirs, "compat")
    found = visible(session)
    session["n"] = 1
    session.save()
    session = opened(options, ours, "compat")
    session.update(ANN)
    session.save()

    assert found == ANN
    assert former("read_record", options=options, id=theirs) == {**ANN, "n": 1}
    assert former("read_record", options=options, id=ours) == ANN


def test_to_and_fro(former: Former, store: Options) -> None:
    known = uuid4().hex

    session = opened(store, known, "compat")
    session.update(ANN)
    session.save()
    for step in (1, 2):
        former("write_record", options=store, id=known, data={"n": step})
        session = opened(store, known, "compat")
        assert visible(session) == {**ANN, "n": step}
        session["step"] = step
        session.save()
        assert former("read_record", options=store, id=known)["step"] == step
        former("write_record", options=store, id=known, data={"step": 0})
        session = opened(store, known, "compat")
        assert session.pop("step") == 0
        session.save()


def test_the_upgrade_and_the_way_back(former: Former, options: Options) -> None:
    known = uuid4().hex
    former("write_record", options=options, id=known, data=ANN)

    session = opened(options, known, "migrate")
    session["n"] = 1
    session.save()
    upgraded = visible(opened(options, known, "migrate"))
    back = opened(options, known, "compat")
    back["n"] = 2
    back.save()

    assert upgraded == {**ANN, "n": 1}
    assert visible(opened(options, known, "compat")) == {**ANN, "n": 2}
    assert former("read_record", options=options, id=known) == {**ANN, "n": 2}


def test_what_began_under_2_goes_back_too(former: Former, options: Options) -> None:
    known = uuid4().hex
    session = opened(options, known, "migrate")
    session.update(ANN)
    session.save()

    back = opened(options, known, "compat")
    found = visible(back)
    back["n"] = 1
    back.save()

    assert found == ANN
    assert former("read_record", options=options, id=known) == {**ANN, "n": 1}
    back.delete()
    assert opened(options, known, "compat").is_new


def test_a_signed_id_is_known_to_both(former: Former, store: Options) -> None:
    options = {**store, "secret": "the secret that signs", "key": "sid"}

    theirs = former("write_signed", options=options, data=ANN)
    found = visible(Session({"cookie": theirs}, mode="compat", **options))
    request: Options = {"cookie": None}
    session = Session(request, mode="compat", **options)
    session.update(ANN)
    session.save()
    ours = request["cookie_out"].partition(";")[0]

    assert found == ANN
    assert former("read_signed", options=options, cookie=ours) == ANN
