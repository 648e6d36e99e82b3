"""Sessions that live in their cookie."""

from __future__ import annotations

import random
import time
from base64 import urlsafe_b64encode
from typing import Any

import pytest

from beaker._sessions.format import SessionFormat
from beaker._sessions.records import SessionRecords
from beaker.exceptions import (
    BeakerException,
    CorruptRecordError,
    InvalidCryptoBackendError,
    MissingSecretError,
    OversizedCookieError,
    UnsupportedOperationError,
)
from beaker.serializers import serializer_named
from beaker.session import CookieSession, Session
from tests.core.sessions import KEY, Visit, contents, cookie_session, sent, setting

OPTIONS = {"type": "cookie", "validate_key": "v" * 20}


def written(**values: Any) -> CookieSession:
    """Return a session that was saved."""
    session = cookie_session()
    session.update(values)
    session.save()
    return session


def test_what_was_saved_comes_back() -> None:
    visit = Visit(**OPTIONS)

    visit.request(setting(name="Ann", items=[1, 2]))

    assert visit.read(contents) == "{'name': 'Ann', 'items': [1, 2]}"


def test_what_was_not_saved_does_not() -> None:
    visit = Visit(**OPTIONS)
    visit.request(setting(n=1))

    visit.request(lambda session: session.update(n=2))

    assert visit.read(contents) == "{'n': 1}"


def test_a_look_at_a_new_session_sends_no_cookie() -> None:
    assert Visit(**OPTIONS).request(contents).cookie == ""


def test_without_access_times_a_look_sends_none_either() -> None:
    visit = Visit(**OPTIONS, save_accessed_time=False)
    visit.request(setting(n=1))

    assert visit.request(contents).cookie == ""


def test_an_automatic_session_needs_no_save() -> None:
    visit = Visit(**OPTIONS, auto=True)

    visit.request(lambda session: session.update(n=1))

    assert visit.read(contents) == "{'n': 1}"


def test_the_id_stays_until_it_is_regenerated() -> None:
    visit = Visit(**OPTIONS)
    visit.request(setting(n=1))
    first = visit.read(lambda session: session.id)

    assert visit.read(lambda session: session.id) == first
    visit.request(lambda session: session.regenerate_id())
    assert visit.read(lambda session: session.id) != first
    assert visit.read(contents) == "{'n': 1}"


def test_delete_removes_the_cookie() -> None:
    visit = Visit(**OPTIONS)
    visit.request(setting(n=1))

    def act(session: Any) -> None:
        session.delete()
        session["n"] = 2
        session.save()

    assert visit.request(act).cookie.startswith(f"{KEY}=; expires=Thu, 01-Jan-1970")
    assert visit.read(contents) == "{}"


def test_invalidate_begins_anew() -> None:
    visit = Visit(**OPTIONS)
    visit.request(setting(n=1))

    def act(session: Any) -> None:
        session.invalidate()
        session["m"] = 2
        session.save()

    visit.request(act)

    assert visit.read(contents) == "{'m': 2}"


def test_revert_returns_to_what_came() -> None:
    visit = Visit(**OPTIONS)
    visit.request(setting(items=[1]))

    def act(session: Any) -> None:
        session["items"].append(2)
        session.revert()
        session["n"] = 1
        session.save()

    visit.request(act)

    assert visit.read(contents) == "{'items': [1], 'n': 1}"


def test_expire_forgets_the_expires_attribute() -> None:
    session = written(_expires=1)

    session.expire()
    session.expire()

    assert "_expires" not in session


def test_the_session_names_its_key_and_is_a_session() -> None:
    session = written(n=1)

    assert isinstance(session, Session)
    assert session.cookie[session.key].coded_value == sent(session.request)[4:]


def test_a_cookie_session_needs_a_key() -> None:
    with pytest.raises(MissingSecretError, match="No validate_key specified"):
        CookieSession({}, key=KEY)
    with pytest.raises(BeakerException):
        Visit(type="cookie")


def test_encryption_needs_a_cipher() -> None:
    with pytest.raises(InvalidCryptoBackendError, match="surely-not-installed"):
        cookie_session(encrypt_key="e" * 20, crypto_type="surely-not-installed-aes")


def test_no_session_of_a_browser_can_be_locked() -> None:
    with pytest.raises(UnsupportedOperationError, match="lock"):
        written(n=1).lock()


def test_no_other_browsers_session_can_be_found() -> None:
    with pytest.raises(UnsupportedOperationError, match="find a session"):
        Visit(**OPTIONS).request(lambda session: session.get_by_id("0" * 32))


# -- what is believed


def test_a_cookie_is_bound_to_its_name_and_key() -> None:
    value = sent(written(n=1).request).partition("=")[2]

    for moved in (
        {"cookie": f"other={value}", "key": "other"},
        {"cookie": f"{KEY}={value}", "validate_key": "another"},
    ):
        with pytest.raises(CorruptRecordError):
            cookie_session(**moved)


def test_no_server_sessions_cookie_is_one() -> None:
    request: dict[str, Any] = {}
    session = Session(request, key=KEY, type="memory", secret="validate" * 4)
    session.save()

    with pytest.raises(CorruptRecordError):
        cookie_session(sent(request))


def test_a_corrupt_cookie_gives_a_new_session_behind_the_middleware() -> None:
    visit = Visit(**OPTIONS)
    visit.request(setting(n=1))

    visit.browser.cookies[KEY] += "x"

    assert visit.read(contents) == "{}"
    visit.request(setting(n=2))
    assert visit.read(contents) == "{'n': 2}"


def test_an_emptied_cookie_is_none() -> None:
    assert cookie_session(f"{KEY}=").is_new


def test_a_seeded_flood_of_mutations_is_refused() -> None:
    chance = random.Random(3)  # noqa: S311 - repeatable
    value = sent(written(user="ann").request).partition("=")[2]
    letters = "ABCxyz019-_.=+/%\"';, \x00ü"

    for _ in range(5000):
        mutated = list(value)
        for _ in range(chance.randrange(1, 4)):
            mutated[chance.randrange(len(mutated))] = chance.choice(letters)
        cookie = "".join(mutated)[: chance.randrange(1, 1 + len(mutated))]
        if cookie != value:
            session = cookie_session(f"{KEY}={cookie}", invalidate_corrupt=True)
            assert session.is_new


def test_a_cookie_under_an_old_key_is_accepted_and_sent_anew() -> None:
    old = written(n=1)

    rotated = cookie_session(
        sent(old.request),
        validate_key=["new", "validate" * 4],
        save_accessed_time=False,
    )
    rotated.save(accessed_only=True)

    assert cookie_session(sent(rotated.request), validate_key="new")["n"] == 1


# -- size


def test_every_cookie_that_fits_is_sent_and_no_other() -> None:
    # Base64 makes 4 characters of 3: names of four lengths fill in the rest.
    outcomes: dict[int, set[bool]] = {}
    for name in ("s", "si", "sid", "sids"):
        session = cookie_session(key=name)
        for length in range(2700, 3100):
            session["text"] = "x" * length
            try:
                session.save()
            except OversizedCookieError as error:
                outcomes.setdefault(error.size, set()).add(False)
            else:
                cookie = sent(session.request)
                outcomes.setdefault(len(cookie) - len("="), set()).add(True)
                assert cookie_session(cookie, key=name)["text"] == "x" * length

    sizes = range(3900, 4201)
    assert [size for size in sizes if outcomes[size] != {size <= 4096}] == []


def test_an_id_of_the_program_that_no_cookie_holds_is_told() -> None:
    session = Session({}, "x" * 4096, key=KEY, type="memory")

    with pytest.raises(OversizedCookieError, match="4099 bytes with its name"):
        session.save()


def test_what_does_not_fit_is_told_with_its_largest_keys() -> None:
    session = cookie_session()
    session["text"], session["n"] = "x" * 3150, 1
    with pytest.raises(OversizedCookieError, match=r"browsers keep 4096.*'text' 31"):
        session.save()


@pytest.mark.parametrize("mode", ["compat", "migrate", "strict"])
@pytest.mark.parametrize("serializer", ["pickle", "json"])
def test_a_record_that_nobody_signed_is_no_session(mode: str, serializer: str) -> None:
    forged = SessionFormat(SessionRecords(), serializer_named(serializer))
    record, _ = forged.write(b"", {"user": "admin"}, time.time(), time.time())
    text = urlsafe_b64encode(record).decode().rstrip("=")

    with pytest.raises(CorruptRecordError):
        cookie_session(
            f"{KEY}={text}",
            mode=mode,
            data_serializer=serializer,
            validate_key="4xQz-0u8Yw_kB7sLmT2e",
        )
