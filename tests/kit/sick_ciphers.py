"""Ciphers with one fault each, and the test that catches it."""

# ruff: noqa: ARG002 - a faulty method overlooks what it is given

from __future__ import annotations

import hmac
from typing import NamedTuple

from tests.core.sessions import ToySeal

__all__ = ["SICK_CIPHERS", "SickCipher", "Toy"]


class Toy(ToySeal):
    """Healthy."""


class IgnoresTheAssociated(ToySeal):
    """What is sealed for Ann opens for Bob."""

    def mac(self, key: bytes, sealed: bytes, associated: bytes) -> bytes:
        return super().mac(key, sealed, b"")


class JoinsTheAssociated(ToySeal):
    """One ends where the other begins, wherever that is."""

    def mac(self, key: bytes, sealed: bytes, associated: bytes) -> bytes:
        return hmac.digest(key, sealed + associated, "sha256")


class ProvesNothing(ToySeal):
    """It encrypts, and whoever flips a bit flips one of the plain text."""

    def mac(self, key: bytes, sealed: bytes, associated: bytes) -> bytes:
        return bytes(32)


class IgnoresTheKey(ToySeal):
    """It proves that somebody has sealed it."""

    def mac(self, key: bytes, sealed: bytes, associated: bytes) -> bytes:
        return super().mac(b"", sealed, associated)


class ComparesAPart(ToySeal):
    """What is missing of the proof proves as much."""

    def open(self, key: bytes, data: bytes, associated: bytes) -> bytes:
        for length in range(len(data) - 48, len(data)):
            mac = self.mac(key, data[:length], associated)
            if length > 16 and mac.startswith(data[length:]):
                return self.aesDecrypt(data[16:length], key + data[:16])
        raise ValueError("another key")


class RepeatsItsNonce(ToySeal):
    """Equal sessions look equal."""

    def seal(self, key: bytes, data: bytes, associated: bytes) -> bytes:
        sealed = bytes(16) + self.aesEncrypt(data, key + bytes(16))
        return sealed + self.mac(key, sealed, associated)


class EncryptsNothing(ToySeal):
    """It proves, and anybody can read it."""

    def aesEncrypt(self, data: bytes, key: bytes) -> bytes:  # noqa: N802 - as 1.x called it
        return data


class FillsUpKeys(ToySeal):
    """A short key is as good as a long one."""

    def seal(self, key: bytes, data: bytes, associated: bytes) -> bytes:
        return super().seal(key.ljust(32)[:32], data, associated)

    def open(self, key: bytes, data: bytes, associated: bytes) -> bytes:
        return super().open(key.ljust(32)[:32], data, associated)


class StripsZeros(ToySeal):
    """It takes the end of the data for what fills up a block."""

    def aesDecrypt(self, data: bytes, key: bytes) -> bytes:  # noqa: N802 - likewise
        return super().aesDecrypt(data, key).rstrip(b"\0")


class SickCipher(NamedTuple):
    """A sick cipher, and the test that finds it out."""

    cipher: type[ToySeal]
    caught_by: str


SICK_CIPHERS = [
    SickCipher(IgnoresTheAssociated, "test_no_other_associated_bytes_are_accepted"),
    SickCipher(JoinsTheAssociated, "test_no_byte_moves_between"),
    SickCipher(ProvesNothing, "test_no_changed_byte_is_accepted"),
    SickCipher(IgnoresTheKey, "test_no_other_key_is_accepted"),
    SickCipher(ComparesAPart, "test_nothing_cut_off_or_added_is_accepted"),
    SickCipher(RepeatsItsNonce, "test_the_same_bytes_are_never_sealed_twice"),
    SickCipher(EncryptsNothing, "test_sealed_bytes_show_nothing"),
    SickCipher(EncryptsNothing, "test_what_was_encrypted_as_in_1x_shows_nothing"),
    SickCipher(FillsUpKeys, "test_a_key_of_another_length_is_refused"),
    SickCipher(StripsZeros, "test_what_was_encrypted_as_in_1x_is_decrypted"),
]
