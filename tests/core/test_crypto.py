"""Ciphers by name, and the key derivation of Beaker 1.x."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from typing import Any

import pytest

import beaker.crypto
from beaker.crypto import (
    CRYPTO_MODULES,
    DEFAULT_NONCE_BITS,
    cipher_for_records,
    cipher_to_import,
    generateCryptoKeys,
    get_crypto_module,
    get_nonce_size,
    noencryption,
    register_crypto_module,
)
from beaker.crypto.encryptthenmac import EncryptThenMac
from beaker.crypto.pbkdf2 import pbkdf2
from beaker.exceptions import (
    CorruptRecordError,
    InvalidCryptoBackendError,
    InvalidOptionError,
    MissingSecretError,
)
from beaker.protocols import CryptoProvider
from beaker.session import Session
from beaker.testing import CipherSuite
from tests.core.sessions import (
    ToyCipher,
    ToySeal,
    again,
    contents,
    cookie_session,
    sent,
    stored,
)

Options = dict[str, Any]
KEY = b"k" * 32


@pytest.fixture(autouse=True)
def toys() -> Iterator[None]:
    """Ciphers that the program registers: of the interface of 1.x and of 2.x."""
    register_crypto_module("former", ToyCipher())
    register_crypto_module("toy", ToySeal())
    yield
    CRYPTO_MODULES.clear()


# -- the functions of 1.x


#: The second vector of RFC 6070.
RFC_6070 = "ea6c014dc72d6f8ccd1ed92ace1d41f0d8de8957"


def test_pbkdf2_uses_sha256_unless_told_otherwise() -> None:
    by_hand = hashlib.pbkdf2_hmac("sha256", b"password", b"salt", 2)

    assert pbkdf2("password", b"salt", 2) == by_hand
    assert pbkdf2(b"password", "salt", 2, 20, hashlib.sha1).hex() == RFC_6070


def test_the_keys_of_1_are_derived_with_sha1() -> None:
    assert generateCryptoKeys("password", "salt", 2, 20).hex() == RFC_6070


@pytest.mark.parametrize(("bits", "size"), [(128, (16, 24)), (48, (6, 8)), (8, (1, 4))])
def test_a_nonce_has_its_size_in_bytes_and_base64(
    bits: int, size: tuple[int, int]
) -> None:
    assert get_nonce_size(bits) == size
    assert DEFAULT_NONCE_BITS == 128


def test_a_nonce_has_whole_bytes() -> None:
    with pytest.raises(ValueError, match="multiples of 8"):
        get_nonce_size(47)


def test_the_hashes_of_1_have_their_names() -> None:
    assert beaker.crypto.sha1(b"").hexdigest().startswith("da39a3ee5e6b4b0d3255")
    assert beaker.crypto.md5(b"").hexdigest() == "d41d8cd98f00b204e9800998ecf8427e"
    made = beaker.crypto.hmac.new(b"k", b"a", beaker.crypto.hmac_sha1)
    assert len(made.hexdigest()) == 40


def test_no_encryption_says_so() -> None:
    assert not noencryption.has_aes
    assert noencryption.getKeyLength() == 32
    data = noencryption.aesEncrypt(b"data", KEY)
    assert noencryption.aesDecrypt(data, KEY) == b"data"


# -- which cipher


def test_what_the_program_registered_is_found_by_its_name() -> None:
    mine = ToySeal()
    register_crypto_module("default", mine)

    assert get_crypto_module("default") is mine
    assert cipher_for_records("default") is mine


def test_a_cipher_that_there_is_not_is_told() -> None:
    with pytest.raises(InvalidCryptoBackendError, match="rot13"):
        get_crypto_module("rot13")


@pytest.mark.parametrize("crypto_type", ["rot13", "nothing"])
def test_nothing_is_left_unencrypted_for_want_of_a_cipher(crypto_type: str) -> None:
    register_crypto_module("nothing", noencryption)
    options: Options = {"encrypt_key": "e" * 20, "crypto_type": crypto_type}

    with pytest.raises(InvalidCryptoBackendError):
        Session({}, type="memory", **options)
    with pytest.raises(InvalidCryptoBackendError):
        cookie_session(**options)


def test_a_cipher_that_does_nothing_is_refused_with_a_remedy() -> None:
    register_crypto_module("nothing", noencryption)

    with pytest.raises(InvalidCryptoBackendError, match="pip install 'beaker-crypto"):
        cipher_for_records("nothing")


def test_a_module_cannot_be_imported_without_its_cipher() -> None:
    with pytest.raises(ImportError, match="rot13"):
        cipher_to_import("rot13")


# -- a cipher of 1.x seals records too


class TestSealingByACipherOf1x(CipherSuite):
    @pytest.fixture
    def cipher(self) -> CryptoProvider:
        return EncryptThenMac(ToyCipher())


# -- encrypted sessions


@pytest.mark.parametrize("crypto_type", ["former", "toy"])
@pytest.mark.parametrize("serializer", ["pickle", "json"])
def test_a_stored_session_is_encrypted(
    store: Options, crypto_type: str, serializer: str
) -> None:
    options = {
        **store,
        "encrypt_key": "e" * 20,
        "crypto_type": crypto_type,
        "data_serializer": serializer,
    }
    session = stored(options, word="plainly visible")
    kept = session._stored.store.fetch("session")

    assert b"plainly" not in getattr(kept, "value", kept)
    assert contents(again(options, session.id)) == {"word": "plainly visible"}
    with pytest.raises(CorruptRecordError):
        again({**options, "encrypt_key": "another"}, session.id)


@pytest.mark.parametrize("crypto_type", ["former", "toy"])
def test_a_cookie_is_encrypted(crypto_type: str) -> None:
    options = {"encrypt_key": "e" * 20, "crypto_type": crypto_type}
    session = cookie_session(**options)
    session["word"] = "plainly visible"
    session.save()

    cookie = sent(session.request)
    assert cookie_session(cookie, **options)["word"] == "plainly visible"
    for other in ({}, {**options, "encrypt_key": "another"}):
        with pytest.raises(CorruptRecordError):
            cookie_session(cookie, **other)


def test_keys_of_encryption_rotate(store: Options) -> None:
    options = {**store, "crypto_type": "toy"}
    session = stored({**options, "encrypt_key": "old"}, n=1)

    rotated = again({**options, "encrypt_key": ["new", "old"]}, session.id)
    rotated.save(accessed_only=True)

    assert again({**options, "encrypt_key": "new"}, session.id)["n"] == 1


def test_an_encrypted_session_of_1_is_read_and_written(store: Options) -> None:
    options = {
        **store,
        "encrypt_key": ["e" * 20, "older"],
        "validate_key": "v" * 20,
        "crypto_type": "former",
    }
    older = {**options, "encrypt_key": "older", "mode": "compat"}
    session = stored(older, n=1)

    assert contents(again(options, session.id)) == {"n": 1}
    assert contents(again(older, session.id)) == {"n": 1}


def test_to_encrypt_as_1_did_a_validate_key_is_needed() -> None:
    with pytest.raises(MissingSecretError, match="validate_key"):
        stored(
            {
                "type": "memory",
                "encrypt_key": "e",
                "crypto_type": "former",
                "mode": "compat",
            },
            n=1,
        )


@pytest.mark.parametrize("bits", [0, 8, 40, 49])
def test_a_nonce_that_could_be_tried_out_is_refused(bits: int) -> None:
    with pytest.raises(InvalidOptionError, match="encrypt_nonce_bits"):
        Session({}, type="memory", encrypt_nonce_bits=bits)
