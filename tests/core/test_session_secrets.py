"""Which secrets are told to be weak, and names of options that nobody knows."""

from __future__ import annotations

import secrets
import string
import warnings
from random import Random
from typing import Any

import pytest

from beaker._sessions.weakness import weakness
from beaker.exceptions import BeakerWarning, UnknownOptionError, WeakSecretError
from beaker.middleware import SessionMiddleware
from beaker.session import CookieSession, Session, SessionObject
from tests.core.sessions import KEY, STRONG, Application, again, stored

Options = dict[str, Any]

WEAK = [
    "",
    "secret",
    "hunter2",
    "tops3cr3t!",
    "s" * 64,
    "abab" * 16,
    "correct horse battery staple",
    "CorrectHorseBatteryStaple1",
    "correct-horse-battery-staple!",
    "antidisestablishmentarianism",
    "a long random text",
    "A Long Random Text",
    "you-will-never-guess",
]


@pytest.mark.parametrize("secret", WEAK)
def test_a_secret_that_can_be_guessed_is_weak(secret: str) -> None:
    assert weakness(secret.encode())


def test_a_random_one_is_not() -> None:
    chance = Random(7)  # noqa: S311 - to be repeated
    letters = string.ascii_letters + string.digits
    for _ in range(2000):
        for length in (20, 32, 64):
            assert weakness("".join(chance.choices(letters, k=length)).encode()) is None
    for make in (secrets.token_hex, secrets.token_urlsafe, secrets.token_bytes):
        made = make(16)
        assert weakness(made if isinstance(made, bytes) else made.encode()) is None


def test_a_sentence_of_ones_own_is_not() -> None:
    assert weakness(b"my cat sleeps on the third shelf from the door") is None


@pytest.mark.parametrize("option", ["secret", "validate_key"])
def test_a_weak_secret_is_told_by_its_option_and_not_shown(option: str) -> None:
    options: Options = {option: ["hunter2", STRONG], "type": "memory", "timeout": 7000}

    with pytest.warns(BeakerWarning, match=f"'{option}' is weak") as told:
        SessionMiddleware(Application(), options)

    assert len(told) == 1
    assert "hunter2" not in str(told[0].message)
    assert "secrets.token_urlsafe" in str(told[0].message)
    assert told[0].filename == __file__


def test_sessions_tell_it_once() -> None:
    options: Options = {"secret": "hunter2", "type": "memory", "timeout": 7001}

    with pytest.warns(BeakerWarning, match="weak") as told:
        assert [Session({}, **options).is_new for _ in range(3)]

    assert len(told) == 1
    assert told[0].filename == __file__


def test_strict_mode_refuses_it() -> None:
    for several in ("hunter2", [STRONG, "hunter2"]):
        with pytest.raises(WeakSecretError, match="7 characters"):
            Session({}, secret=several, mode="strict", type="memory")


def test_a_strong_one_is_not_mentioned() -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        SessionMiddleware(Application(), secret=STRONG, type="memory", mode="strict")


# -- names that nobody knows


def test_a_slip_is_told_to_whoever_makes_a_session() -> None:
    with pytest.warns(BeakerWarning, match="mean 'httponly'") as told:
        assert [Session({}, type="memory", htponly=True).id for _ in range(3)]

    assert len(told) == 1
    assert told[0].filename == __file__


def test_a_slip_is_told_by_a_session_in_a_cookie() -> None:
    with pytest.warns(BeakerWarning, match="mean 'samesite'"):
        CookieSession({}, key=KEY, validate_key=STRONG, samsite="Lax")


def test_a_slip_is_told_by_what_stands_for_a_session() -> None:
    session = SessionObject({}, type="memory", timout=60)

    with pytest.warns(BeakerWarning, match="mean 'timeout'"):
        session["n"] = 1


def test_a_slip_is_an_error_in_strict_mode() -> None:
    options: Options = {"type": "memory", "secret": STRONG, "mode": "strict"}

    with pytest.raises(UnknownOptionError, match="httponly"):
        Session({}, htponly=True, **options)


def test_an_option_of_the_store_is_no_slip() -> None:
    known = stored({"type": "memory", "max_entries": 1000}, n=1).id

    assert again({"type": "memory", "max_entries": 1000}, known)["n"] == 1


def test_a_class_with_a_constructor_of_its_own_may_take_what_it_likes() -> None:
    class Own(Session):
        def __init__(self, request: Options, **options: Any) -> None:
            self.colour = options["colour"]
            super().__init__(request, **options)

    assert Own({}, type="memory", colour="red").colour == "red"


def test_another_subclass_may_not() -> None:
    class Plain(Session):
        pass

    with pytest.warns(BeakerWarning, match="colour"):
        Plain({}, type="memory", colour="red")
