"""What `seal` and `open` promise, whichever library computes."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from beaker.protocols import CryptoProvider

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


def accepts(
    cipher: CryptoProvider, sealed: bytes, key: bytes = KEY, place: bytes = PLACE
) -> bool:
    try:
        cipher.open(key, sealed, place)
    except ValueError:
        return False
    return True


def flipped(data: bytes) -> Iterator[bytes]:
    """Yield the data with one bit of one byte changed, for each byte."""
    for place in range(len(data)):
        changed = bytearray(data)
        changed[place] ^= 1 << place % 8
        yield bytes(changed)


@pytest.mark.parametrize(
    "data", [b"", b"\0", b"Ann", bytes(range(256)), bytes(1 << 20)], ids=len
)
def test_what_one_library_sealed_each_opens(
    cipher: CryptoProvider, other: CryptoProvider, data: bytes
) -> None:
    sealed = cipher.seal(KEY, data, PLACE)

    assert other.open(KEY, sealed, PLACE) == data


def test_it_is_the_published_aes_256_gcm(cipher: CryptoProvider) -> None:
    sealed = PUBLISHED["nonce"] + PUBLISHED["encrypted"] + PUBLISHED["tag"]

    opened = cipher.open(PUBLISHED["key"], sealed, PUBLISHED["associated"])

    assert opened == PUBLISHED["plain"]


def test_sealed_bytes_are_a_nonce_the_encrypted_and_a_tag(
    cipher: CryptoProvider,
) -> None:
    sealed = cipher.seal(KEY, b"Ann owes 7 euros", PLACE)

    assert len(sealed) == 12 + 16 + 16
    assert b"Ann" not in sealed


def test_no_changed_byte_is_accepted(cipher: CryptoProvider) -> None:
    sealed = cipher.seal(KEY, b"Ann owes 7 euros", PLACE)

    accepted = [data for data in flipped(sealed) if accepts(cipher, data)]

    assert accepted == []


def test_no_changed_associated_byte_is_accepted(cipher: CryptoProvider) -> None:
    sealed = cipher.seal(KEY, b"Ann owes 7 euros", PLACE)
    places = [*flipped(PLACE), b"", PLACE[:-1], PLACE + b"\0"]

    accepted = [place for place in places if accepts(cipher, sealed, place=place)]

    assert accepted == []


def test_no_other_key_is_accepted(cipher: CryptoProvider) -> None:
    sealed = cipher.seal(KEY, b"Ann owes 7 euros", PLACE)
    keys = [*flipped(KEY), bytes(32)]

    accepted = [key for key in keys if accepts(cipher, sealed, key)]

    assert accepted == []


def test_nothing_cut_off_or_added_is_accepted(cipher: CryptoProvider) -> None:
    sealed = cipher.seal(KEY, b"Ann owes 7 euros", PLACE)
    wrong = [sealed[:length] for length in range(len(sealed))]
    wrong += [sealed[start:] for start in range(1, len(sealed))]
    wrong += [sealed + b"\0", sealed + sealed]

    accepted = [data for data in wrong if accepts(cipher, data)]

    assert accepted == []


def test_bytes_too_few_to_have_been_sealed_are_counted(cipher: CryptoProvider) -> None:
    with pytest.raises(ValueError, match="27 bytes are too few"):
        cipher.open(KEY, bytes(27), PLACE)


def test_nothing_sealed_is_still_sealed(cipher: CryptoProvider) -> None:
    sealed = cipher.seal(KEY, b"", PLACE)

    assert len(sealed) == 28
    assert not accepts(cipher, sealed, place=b"session of Bob")


@pytest.mark.parametrize("length", [0, 16, 24, 31, 33, 64])
def test_a_key_of_another_length_is_refused_with_both_lengths(
    cipher: CryptoProvider, length: int
) -> None:
    sealed = cipher.seal(KEY, b"Ann", PLACE)
    key = bytes(length)

    with pytest.raises(ValueError, match=f"a key has 32 bytes, not {length}$"):
        cipher.seal(key, b"Ann", PLACE)
    with pytest.raises(ValueError, match=f"a key has 32 bytes, not {length}$"):
        cipher.open(key, sealed, PLACE)


def test_the_same_data_are_never_sealed_with_the_same_nonce(
    cipher: CryptoProvider,
) -> None:
    nonces = {cipher.seal(KEY, b"", PLACE)[:12] for _ in range(10_000)}

    assert len(nonces) == 10_000
