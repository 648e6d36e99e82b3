"""Records of sessions that are damaged, or that another wrote."""

from __future__ import annotations

import pickle
from pathlib import Path
from typing import Any

import pytest

from beaker.exceptions import CorruptRecordError
from beaker.protocols import NamespaceManager
from beaker.session import Session
from beaker.testing._requests import again, contents, raw, stored
from beaker.testing._suite import StoreSuite, needs

__all__ = ["TrustTests"]

Options = dict[str, Any]

SECRET = "a secret of the test, long enough"  # noqa: S105 - it keeps nothing


class TrustTests(StoreSuite):
    """Part of `SessionSuite`."""

    @pytest.fixture
    def session(self, own_options: Options, backend: type[NamespaceManager]) -> Session:
        """A session whose record can be damaged: it is signed, too."""
        if backend.holds_objects:
            pytest.skip(f"{backend.__name__} keeps objects, which cannot be damaged")
        own_options["secret"] = SECRET
        return stored(own_options, user="ann")

    def test_a_damaged_session_is_an_error_and_keeps_its_id(
        self, own_options: Options, session: Session
    ) -> None:
        """What is repaired is found again."""
        whole = raw(session)

        for data in (b"junk", whole[:-1], whole[: len(whole) // 2]):
            session.namespace.store("session", data, None)
            with pytest.raises(CorruptRecordError):
                again(own_options, session.id)
            assert raw(session) == data

        session.namespace.store("session", whole, None)
        assert contents(again(own_options, session.id)) == {"user": "ann"}

    def test_with_invalidate_corrupt_a_damaged_session_is_replaced_by_a_new_one(
        self, own_options: Options, session: Session
    ) -> None:
        """Under another id."""
        session.namespace.store("session", b"junk", None)

        found = again(own_options, session.id, invalidate_corrupt=True)
        found["user"] = "bob"
        found.save()

        assert found.is_new
        assert found.was_invalidated
        assert found.id != session.id
        assert contents(again(own_options, found.id)) == {"user": "bob"}

    def test_nothing_cut_off_or_changed_in_a_signed_session_is_believed(
        self, own_options: Options, session: Session
    ) -> None:
        """No bit of it."""
        whole = raw(session)
        changed = [whole[:length] for length in range(len(whole))]
        for bit in range(8 * len(whole)):
            flipped = bytearray(whole)
            flipped[bit // 8] ^= 1 << bit % 8
            changed.append(bytes(flipped))

        believed = []
        for data in changed:
            session.namespace.store("session", data, None)
            if not _is_refused(own_options, session.id):
                believed.append(data)

        assert believed == []

    def test_a_signed_session_is_not_believed_under_another_id(
        self, own_options: Options, session: Session
    ) -> None:
        """A record is bound to its place."""
        other = stored(own_options, user="eve")

        other.namespace.store("session", raw(session), None)

        assert _is_refused(own_options, other.id)

    @needs("shared_between_hosts")
    @pytest.mark.parametrize("signed", [False, True])
    def test_no_pickle_that_another_put_there_is_executed(
        self, own_options: Options, tmp_path: Path, signed: bool
    ) -> None:
        """Whoever can write in a store that hosts share is no friend."""
        known, executed = stored(own_options, user="ann"), tmp_path / "executed"
        if signed:
            own_options["secret"] = SECRET
        exploit = Exploit(executed)

        for planted in (exploit, {"session": exploit}, {"session": {"user": exploit}}):
            for protocol in range(pickle.HIGHEST_PROTOCOL + 1):
                data = pickle.dumps(planted, protocol)
                known.namespace.store("session", data, None)
                assert _is_refused(own_options, known.id)

        assert not executed.exists()


class Exploit:
    """Writes a file when it is unpickled."""

    def __init__(self, path: Path) -> None:
        self._path = str(path)

    def __reduce__(self) -> tuple[Any, ...]:
        return Path.touch, (Path(self._path),)


def _is_refused(options: Options, id: str) -> bool:
    try:
        found = again(options, id)
    except CorruptRecordError:
        return True
    return found.is_new
