"""What both libraries promise, each alone, and each for what the other wrote."""

from __future__ import annotations

import pytest

from beaker.plugins import crypto_named
from beaker.protocols import CryptoProvider
from beaker.testing import CipherSuite
from tests.crypto.conftest import LIBRARIES

KEY = bytes(range(32))
PLACE = b"session of Ann"

# Test case 16 of "The Galois/Counter Mode of Operation" by McGrew and Viega.
PUBLISHED = {
    "key": bytes.fromhex("feffe9928665731c6d6a8f9467308308" * 2),
    "nonce": bytes.fromhex("cafebabefacedbaddecaf888"),
    "associated": bytes.fromhex("feedfacedeadbeeffeedfacedeadbeefabaddad2"),
    "plain": bytes.fromhex(
        "d9313225f88406e5a55909c5aff5269a86a7a9531534f7da2e4c303d8a318a72"
        "1c3c0c95956809532fcf0e2449a6b525b16aedf5aa0de657ba637b39"
    ),
    "encrypted": bytes.fromhex(
        "522dc1f099567d07f47f37a32a84427d643a8cdcbfe5c0c97598a2bd2555d1aa"
        "8cb08e48590dbb3da7b08b1056828838c5f61e6393ba7a0abcc9f662"
    ),
    "tag": bytes.fromhex("76fc6ece0f4e1768cddf8853bb2d551b"),
}


class TestEachLibrary(CipherSuite):
    @pytest.fixture(params=LIBRARIES)
    def cipher(self, request: pytest.FixtureRequest) -> CryptoProvider:
        return crypto_named(request.param)

    @pytest.fixture(params=LIBRARIES)
    def other(self, request: pytest.FixtureRequest) -> CryptoProvider:
        return crypto_named(request.param)


def test_it_is_the_published_aes_256_gcm(cipher: CryptoProvider) -> None:
    sealed = PUBLISHED["nonce"] + PUBLISHED["encrypted"] + PUBLISHED["tag"]

    opened = cipher.open(PUBLISHED["key"], sealed, PUBLISHED["associated"])

    assert opened == PUBLISHED["plain"]


def test_sealed_bytes_are_a_nonce_the_encrypted_and_a_tag(
    cipher: CryptoProvider,
) -> None:
    assert len(cipher.seal(KEY, b"Ann owes 7 euros", PLACE)) == 12 + 16 + 16


def test_bytes_too_few_to_have_been_sealed_are_counted(cipher: CryptoProvider) -> None:
    with pytest.raises(ValueError, match="27 bytes are too few"):
        cipher.open(KEY, bytes(27), PLACE)


def test_a_key_of_another_length_is_refused_with_both_lengths(
    cipher: CryptoProvider,
) -> None:
    with pytest.raises(ValueError, match=r"a key has 32 bytes, not 31$"):
        cipher.seal(bytes(31), b"Ann", PLACE)


def test_no_nonce_comes_twice(cipher: CryptoProvider) -> None:
    nonces = {cipher.seal(KEY, b"", PLACE)[:12] for _ in range(10_000)}

    assert len(nonces) == 10_000
