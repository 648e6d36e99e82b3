"""What a cipher promises, whichever library computes."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from beaker.protocols import CryptoProvider
from beaker.testing._suite import Suite

__all__ = ["CipherSuite"]

KEY = bytes(range(32))
PLACE = b"session of Ann"
PLAIN = b"Ann owes 7 euros"

SIZES = [b"", b"\0", b"Ann", bytes(range(256)), bytes(1 << 20)]


class CipherSuite(Suite):
    """A cipher: a module or an object with the functions of `CryptoProvider`.

    Give the fixture `cipher`; and `other`, where another cipher has to read what
    this one wrote.
    """

    @pytest.fixture
    def cipher(self) -> CryptoProvider:
        """The cipher that is tested."""
        pytest.fail(
            f"{type(self).__name__} has no fixture 'cipher'; give one that returns the "
            f"module or the object that your entry point 'crypto:...' names"
        )

    @pytest.fixture
    def other(self, cipher: CryptoProvider) -> CryptoProvider:
        """What reads what the cipher wrote: itself, unless another is given."""
        return cipher

    def test_it_encrypts(self, cipher: CryptoProvider) -> None:
        """And says how long the key of a 1.x payload is."""
        assert cipher.has_aes
        assert cipher.getKeyLength() > 0

    # -- records of 2.x

    @pytest.mark.parametrize("data", SIZES, ids=len)
    def test_what_was_sealed_is_opened(
        self, cipher: CryptoProvider, other: CryptoProvider, data: bytes
    ) -> None:
        """Nothing at all, and a megabyte."""
        sealed = cipher.seal(KEY, data, PLACE)

        assert other.open(KEY, sealed, PLACE) == data

    def test_sealed_bytes_show_nothing(self, cipher: CryptoProvider) -> None:
        """And have room for what proves them."""
        sealed = cipher.seal(KEY, PLAIN, PLACE)

        parts = [PLAIN[start : start + 4] for start in range(len(PLAIN) - 3)]
        assert [part for part in parts if part in sealed] == []
        assert len(sealed) >= len(PLAIN) + 16

    def test_the_same_bytes_are_never_sealed_twice_alike(
        self, cipher: CryptoProvider
    ) -> None:
        """Or it could be seen that they are the same."""
        sealed = {cipher.seal(KEY, PLAIN, PLACE) for _ in range(1000)}

        assert len(sealed) == 1000

    def test_no_changed_byte_is_accepted(self, cipher: CryptoProvider) -> None:
        """Wherever it is."""
        sealed = cipher.seal(KEY, PLAIN, PLACE)

        accepted = [data for data in flipped(sealed) if accepts(cipher, data)]

        assert accepted == []

    def test_nothing_cut_off_or_added_is_accepted(self, cipher: CryptoProvider) -> None:
        """In front or behind."""
        sealed = cipher.seal(KEY, PLAIN, PLACE)
        wrong = [sealed[:length] for length in range(len(sealed))]
        wrong += [sealed[start:] for start in range(1, len(sealed))]
        wrong += [sealed + b"\0", sealed + sealed]

        accepted = [data for data in wrong if accepts(cipher, data)]

        assert accepted == []

    @pytest.mark.parametrize("data", [b"", PLAIN], ids=len)
    def test_no_other_associated_bytes_are_accepted(
        self, cipher: CryptoProvider, data: bytes
    ) -> None:
        """Though nothing but them is sealed."""
        sealed = cipher.seal(KEY, data, PLACE)
        places = [*flipped(PLACE), b"", PLACE[:-1], PLACE + b"\0"]

        accepted = [place for place in places if accepts(cipher, sealed, place=place)]

        assert accepted == []

    def test_no_byte_moves_between_what_is_sealed_and_what_is_associated(
        self, cipher: CryptoProvider
    ) -> None:
        """Both together are the same bytes then, and still not the same."""
        sealed = cipher.seal(KEY, PLAIN, PLACE)

        accepted = [
            (place, data)
            for place, data in moved(PLACE, sealed)
            if accepts(cipher, data, place=place)
        ]

        assert accepted == []

    def test_no_other_key_is_accepted(self, cipher: CryptoProvider) -> None:
        """However near it is."""
        sealed = cipher.seal(KEY, PLAIN, PLACE)
        keys = [*flipped(KEY), bytes(32)]

        accepted = [key for key in keys if accepts(cipher, sealed, key)]

        assert accepted == []

    @pytest.mark.parametrize("length", [0, 16, 24, 31, 33, 64])
    def test_a_key_of_another_length_is_refused(
        self, cipher: CryptoProvider, length: int
    ) -> None:
        """It is cut to no length and filled up to none."""
        sealed, key = cipher.seal(KEY, PLAIN, PLACE), bytes(length)

        with pytest.raises(ValueError, match=str(length)):
            cipher.seal(key, PLAIN, PLACE)
        with pytest.raises(ValueError, match=str(length)):
            cipher.open(key, sealed, PLACE)

    # -- payloads of 1.x

    @pytest.mark.parametrize("data", SIZES, ids=len)
    def test_what_was_encrypted_as_in_1x_is_decrypted(
        self, cipher: CryptoProvider, other: CryptoProvider, data: bytes
    ) -> None:
        """For what 1.x has left in stores and browsers."""
        key = bytes(range(cipher.getKeyLength()))

        encrypted = cipher.aesEncrypt(data, key)

        assert other.aesDecrypt(encrypted, key) == data

    def test_what_was_encrypted_as_in_1x_shows_nothing(
        self, cipher: CryptoProvider
    ) -> None:
        """As far as that went in 1.x."""
        key = bytes(range(cipher.getKeyLength()))

        encrypted = cipher.aesEncrypt(PLAIN, key)

        parts = [PLAIN[start : start + 4] for start in range(len(PLAIN) - 3)]
        assert [part for part in parts if part in encrypted] == []

    def test_another_key_decrypts_nothing_of_1x(self, cipher: CryptoProvider) -> None:
        """It gives an error or noise."""
        key = bytes(range(cipher.getKeyLength()))
        encrypted = cipher.aesEncrypt(PLAIN, key)

        try:
            decrypted = cipher.aesDecrypt(encrypted, key[::-1])
        except ValueError:
            decrypted = b""

        assert decrypted != PLAIN


def accepts(
    cipher: CryptoProvider, sealed: bytes, key: bytes = KEY, place: bytes = PLACE
) -> bool:
    """Return whether a cipher opens these bytes."""
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


def moved(place: bytes, sealed: bytes) -> Iterator[tuple[bytes, bytes]]:
    """Yield both with one byte that has gone from one into the other."""
    for at in range(len(sealed)):
        byte, rest = sealed[at : at + 1], sealed[:at] + sealed[at + 1 :]
        yield place + byte, rest
        yield byte + place, rest
    for at in range(len(sealed) + 1):
        yield place[:-1], sealed[:at] + place[-1:] + sealed[at:]
        yield place[1:], sealed[:at] + place[:1] + sealed[at:]
