"""Which stored bytes are believed, and what may be in those that are not."""

from __future__ import annotations

import datetime as dt
import decimal
import os
import pickle
import random
import uuid
import zoneinfo
from collections import Counter, OrderedDict, defaultdict, deque
from collections.abc import Iterator
from fractions import Fraction
from pathlib import Path
from typing import Any

import pytest

from beaker._sessions.plaindata import DECODED_LIMIT, load_plain
from beaker._sessions.records import SessionRecord, SessionRecords
from beaker.exceptions import (
    CorruptRecordError,
    ForbiddenClassError,
    InvalidOptionError,
    MissingSecretError,
)
from beaker.session import Session
from beaker.signing import KeyRing
from tests.core.sessions import STRONG, SharedMemory, ToySeal, again, contents, stored

Options = dict[str, Any]

PLAIN = {
    "none": None,
    "numbers": [True, 1, 2**80, 1.5, 1 + 2j],
    "text": "ü",
    "bytes": [b"", b"\x00\xff", bytearray(b"a")],
    "sets": [{1, 2}, frozenset({3})],
    "times": [
        dt.datetime(2020, 1, 2, 3, 4, tzinfo=dt.UTC),
        dt.date(2020, 1, 2),
        dt.time(1, 2),
        dt.timedelta(3),
        dt.datetime(2020, 1, 2, tzinfo=zoneinfo.ZoneInfo("UTC")),
    ],
    "exact": [decimal.Decimal("1.50"), Fraction(1, 3)],
    "id": uuid.UUID(int=5),
    "containers": [
        OrderedDict(a=1),
        defaultdict(list, a=[1]),
        Counter("aab"),
        deque([1], 3),
    ],
}


class Own:
    """A class of the program."""

    def __init__(self) -> None:
        self.value = 1

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Own) and self.value == other.value

    __hash__ = None  # type: ignore[assignment]  # a value


class Exploit:
    """Runs a command when it is unpickled."""

    def __reduce__(self) -> Any:
        return os.system, ("touch /tmp/beaker-was-here",)


@pytest.fixture
def shared() -> Iterator[Options]:
    """The options of sessions in a store that others can write."""
    SharedMemory.namespaces.clear()
    yield {"namespace_class": SharedMemory}
    SharedMemory.namespaces.clear()


def put(session: Session, data: bytes) -> None:
    """Write into a session's place as somebody else would."""
    session._stored.store.store("session", data, None)


def kept(session: Session) -> bytes:
    """Return what lies in a session's place."""
    data: bytes = session._stored.store.fetch("session")
    return data


# -- plain data


@pytest.mark.parametrize("protocol", range(2, 6))
@pytest.mark.parametrize("name", PLAIN)
def test_plain_data_are_read(name: str, protocol: int) -> None:
    assert load_plain(pickle.dumps(PLAIN[name], protocol)) == PLAIN[name]


@pytest.mark.parametrize("protocol", range(2, 6))
def test_nothing_runs(protocol: int) -> None:
    with pytest.raises(ForbiddenClassError, match="system"):
        load_plain(pickle.dumps([Exploit()], protocol))


@pytest.mark.parametrize(
    "attack",
    [
        b"cbuiltins\neval\n(V1\ntR.",
        b"c__builtin__\neval\n(V1\ntR.",
        b"cbuiltins\ngetattr\n(cbuiltins\ndict\nV__class__\ntR.",
        b"cbuiltins\nbytearray\n(I10000000000\ntR.",
        b"cbuiltins\nbytes\n(I10000000000\ntR.",
        b"c_codecs\nencode\n(Va\nVzlib\ntR.",
        b"cdatetime\nsys\n.",
        b"cuuid\nos\n.",
    ],
)
def test_no_way_around_is_open(attack: bytes) -> None:
    with pytest.raises(ForbiddenClassError):
        load_plain(b"\x80\x02" + attack)


@pytest.mark.parametrize("opcode", [b"r\xff\xff\xff\x7f", b"p2147483647\n"])
def test_no_few_bytes_take_gigabytes(opcode: bytes) -> None:
    with pytest.raises(CorruptRecordError, match="memo of 2147483647"):
        load_plain(b"\x80\x02N" + opcode + b".")


@pytest.mark.parametrize("protocol", [0, 1])
def test_no_pickle_is_read_that_1x_did_not_write(protocol: int) -> None:
    with pytest.raises(CorruptRecordError):
        load_plain(pickle.dumps({}, protocol))


def test_what_is_too_large_is_not_looked_at() -> None:
    with pytest.raises(CorruptRecordError, match="not signed"):
        load_plain(pickle.dumps(b"x" * DECODED_LIMIT))


def test_truncated_data_are_a_typed_error() -> None:
    data = pickle.dumps(PLAIN["containers"])

    for length in range(len(data)):
        with pytest.raises(CorruptRecordError):
            load_plain(data[:length])


def test_a_class_that_was_named_is_read() -> None:
    data = pickle.dumps(Own())

    assert load_plain(data, {f"{__name__}.Own"}) == Own()
    with pytest.raises(ForbiddenClassError, match=r"Own.*secret.*allow"):
        load_plain(data)


# -- in a shared store without a secret


def test_plain_data_need_no_secret(shared: Options) -> None:
    session = stored(shared, **PLAIN)

    assert contents(again(shared, session.id)) == PLAIN


def test_a_class_of_the_program_is_refused_before_it_is_stored(shared: Options) -> None:
    session = stored(shared, n=1)
    session["own"] = Own()

    with pytest.raises(ForbiddenClassError, match="Own"):
        session.save()

    assert contents(again(shared, session.id)) == {"n": 1}


def test_a_class_that_is_named_is_stored(shared: Options) -> None:
    options = {**shared, "allow": f"{__name__}.Own"}
    session = stored(options, own=Own())

    assert again(options, session.id)["own"] == Own()


def test_an_exploit_in_the_store_does_not_run(shared: Options) -> None:
    for options in (shared, {**shared, "data_serializer": "json"}):
        session = stored(options, n=1)
        head = kept(session)[:30]

        for data in (head + pickle.dumps(Exploit()), pickle.dumps(Exploit())):
            put(session, data)
            with pytest.raises(CorruptRecordError):
                again(options, session.id)

    assert not os.path.exists("/tmp/beaker-was-here")  # noqa: S108 - never made


# -- in a shared store with a secret


def test_with_a_secret_any_class_is_stored(shared: Options) -> None:
    options = {**shared, "secret": STRONG}
    session = stored(options, own=Own())

    assert again(options, session.id)["own"] == Own()


@pytest.mark.parametrize("protection", ["secret", "validate_key"])
def test_no_changed_byte_of_a_signed_record_is_accepted(
    shared: Options, protection: str
) -> None:
    options = {**shared, protection: STRONG, "mode": "strict"}
    session = stored(options, n=1)
    data = kept(session)

    for at in range(len(data)):
        put(session, data[:at] + bytes([data[at] ^ 1]) + data[at + 1 :])
        with pytest.raises(CorruptRecordError):
            again(options, session.id)
        put(session, data[:at])
        with pytest.raises(CorruptRecordError):
            again(options, session.id)


def test_a_record_is_believed_in_its_own_place_only(shared: Options) -> None:
    options = {**shared, "secret": STRONG}
    ann, eve = stored(options, user="ann"), stored(options, user="eve")

    put(eve, kept(ann))

    with pytest.raises(CorruptRecordError, match="another place"):
        again(options, eve.id)


def test_an_unsigned_record_is_plain_data_until_strict(shared: Options) -> None:
    session = stored(shared, n=1)
    signed = {**shared, "secret": STRONG}

    assert again(signed, session.id)["n"] == 1
    for refusing in ({"mode": "strict"}, {"legacy_until": "2020-01-01"}):
        with pytest.raises(CorruptRecordError, match="no longer"):
            again({**signed, **refusing}, session.id)


def test_what_was_signed_under_an_old_secret_is_signed_anew(shared: Options) -> None:
    session = stored({**shared, "secret": "old"}, n=1)

    rotated = again({**shared, "secret": ["new", "old"]}, session.id)
    rotated.save(accessed_only=True)

    assert again({**shared, "secret": "new"}, session.id)["n"] == 1


def test_a_session_of_another_secret_is_not_lost(shared: Options) -> None:
    session = stored({**shared, "secret": "right"}, n=1)
    wrong = {**shared, "secret": "wrong"}

    replaced = again({**wrong, "invalidate_corrupt": True}, session.id)
    replaced["n"] = 2
    replaced.save()

    assert replaced.id != session.id
    assert again({**shared, "secret": "right"}, session.id)["n"] == 1


def test_a_seeded_flood_of_mutations_is_refused(shared: Options) -> None:
    chance = random.Random(11)  # noqa: S311 - repeatable
    for options in (shared, {**shared, "secret": STRONG}):
        session = stored(options, user="ann", roles=["reader"])
        data = kept(session)
        for _ in range(1000):
            mutated = bytearray(data)
            mutated[chance.randrange(3, len(data))] = chance.randrange(256)
            put(session, bytes(mutated[: chance.randrange(1, len(data) + 1)]))
            try:
                again(options, session.id)
            except CorruptRecordError:
                continue


# -- strict


def test_strict_mode_demands_a_secret() -> None:
    with pytest.raises(MissingSecretError, match="No secret specified"):
        Session({}, type="memory", mode="strict")


@pytest.mark.parametrize("mode", ["strickt", "", 3])
def test_a_mode_that_there_is_not_is_told(mode: object) -> None:
    with pytest.raises(InvalidOptionError, match="mode"):
        Session({}, type="memory", mode=mode)


# -- the seal itself

RECORD = SessionRecord(1.0, 2.0, 0, b"data", is_authentic=True, is_current=True)


def sealers() -> dict[str, SessionRecords]:
    """Return what protects records, in each of the ways there are."""
    signing = KeyRing([b"a"], "session record")
    encrypting = KeyRing([b"b"], "encrypted session record")
    return {
        "signed": SessionRecords(signing),
        "encrypted": SessionRecords(signing, encrypting, ToySeal()),
    }


@pytest.mark.parametrize("way", ["signed", "encrypted"])
def test_a_sealed_record_is_read_in_its_place(way: str) -> None:
    sealer = sealers()[way]

    assert sealer.decode(b"here", sealer.encode(b"here", RECORD)) == RECORD
    with pytest.raises(CorruptRecordError):
        sealer.decode(b"there", sealer.encode(b"here", RECORD))


def test_no_place_runs_into_what_follows_it() -> None:
    sealer = sealers()["signed"]
    data = sealer.encode(b"ab", RECORD)

    with pytest.raises(CorruptRecordError):
        sealer.decode(b"a", b"b" + data)


def test_what_was_only_signed_is_read_and_then_encrypted() -> None:
    ways = sealers()

    found = ways["encrypted"].decode(b"here", ways["signed"].encode(b"here", RECORD))

    assert found == RECORD._replace(is_current=False)


def test_what_was_encrypted_is_not_read_without_the_key() -> None:
    ways = sealers()

    with pytest.raises(CorruptRecordError, match="no key"):
        ways["signed"].decode(b"here", ways["encrypted"].encode(b"here", RECORD))


def test_a_signed_session_without_its_secret_tells_what_is_missing(
    tmp_path: Path,
) -> None:
    options: Options = {"type": "file", "data_dir": str(tmp_path)}
    session = Session({}, "known", use_cookies=False, secret="s", **options)
    session["n"] = 1
    session.save()

    with pytest.raises(CorruptRecordError, match="signed, and no key for that is set"):
        Session({}, "known", use_cookies=False, **options)
