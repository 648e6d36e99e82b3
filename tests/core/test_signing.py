"""What is signed is accepted in its own place only, under any of our secrets."""

from __future__ import annotations

import hashlib
import hmac
import random

import pytest

from beaker.signing import Key, KeyRing, TextSigner, derive_key, former_signature
from tests.core.sessions import FORMER_ID, FORMER_ID_COOKIE

ID = "0123456789abcdef" * 2


def signer(*secrets: bytes, purpose: str = "ids", former: bool = False) -> TextSigner:
    return TextSigner(secrets or (b"secret",), purpose, reads_former=former)


def test_a_key_signs_by_hmac_sha256() -> None:
    key = Key(b"secret", "records")

    assert key.sign(b"data") == hmac.digest(key.value, b"data", "sha256")


def test_a_derived_key_is_that_of_rfc_5869() -> None:
    # HKDF-SHA256 without salt, in its two steps.
    extracted = hmac.new(bytes(32), b"secret", hashlib.sha256).digest()
    expanded = hmac.new(extracted, b"records\x01", hashlib.sha256).digest()

    assert derive_key(b"secret", "records") == expanded


def test_what_was_signed_is_read_back() -> None:
    assert signer().verify(signer().sign(ID)) == (ID, True)


@pytest.mark.parametrize("text", ["", "a.b.c", "x" * 500])
def test_any_ascii_text_can_be_signed(text: str) -> None:
    assert signer().verify(signer().sign(text)) == (text, True)


def test_a_signature_for_one_purpose_is_none_for_another() -> None:
    signed = signer(purpose="session id in cookie a").sign(ID)

    assert signer(purpose="session id in cookie b").verify(signed) is None


def test_every_secret_of_the_list_verifies_and_the_first_signs() -> None:
    old, new = signer(b"old"), signer(b"new", b"old")

    assert new.verify(old.sign(ID)) == (ID, False)
    assert new.verify(new.sign(ID)) == (ID, True)
    assert old.verify(new.sign(ID)) is None


def test_no_change_of_one_character_is_accepted() -> None:
    ours = signer(former=True)
    signed = ours.sign(ID)

    for at, character in enumerate(signed):
        other = "0" if character != "0" else "1"
        assert ours.verify(signed[:at] + other + signed[at + 1 :]) is None
        assert ours.verify(signed[:at]) is None


def test_a_seeded_flood_of_mutations_is_refused_without_an_error() -> None:
    chance, ours = random.Random(7), signer(former=True)  # noqa: S311 - repeatable
    signed = ours.sign(ID)

    for _ in range(20_000):
        mutated = list(signed)
        for _ in range(chance.randrange(1, 4)):
            mutated[chance.randrange(len(mutated))] = chr(chance.randrange(1, 0x250))
        if "".join(mutated) != signed:
            assert ours.verify("".join(mutated)) is None


def test_the_signature_of_beaker_1_is_read_where_that_is_wanted() -> None:
    former = former_signature(b"secret", ID) + ID

    assert signer(former=True).verify(former) == (ID, False)
    assert signer(former=False).verify(former) is None


def test_the_signature_of_beaker_1_is_the_one_it_sent() -> None:
    assert former_signature(b"s" * 20, FORMER_ID) + FORMER_ID == FORMER_ID_COOKIE


def test_keys_are_found_by_the_id_that_stands_beside_what_they_protect() -> None:
    ring = KeyRing([b"new", b"old"], "records")

    assert ring.with_id(ring.keys[1].id) == [ring.keys[1]]
    assert all(1 <= key.id <= 255 for key in ring.keys)
