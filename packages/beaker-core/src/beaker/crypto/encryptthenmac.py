"""Authenticated encryption out of a cipher that only encrypts."""

from __future__ import annotations

import hmac
import os
from typing import Protocol

from beaker.signing import derive_key

__all__ = ["EncryptThenMac", "FormerCipher"]

_KEY = 32
_SALT = 16
_MAC = 32


class FormerCipher(Protocol):
    """A cipher with the interface of Beaker 1.x."""

    has_aes: bool

    def getKeyLength(self) -> int:
        """Return the length of a key in bytes."""
        ...

    def aesEncrypt(self, data: bytes, key: bytes) -> bytes:
        """Encrypt."""
        ...

    def aesDecrypt(self, data: bytes, key: bytes) -> bytes:
        """Decrypt."""
        ...


class EncryptThenMac:
    """Gives a provider of the 1.x interface the two methods of 2.x.

    Each record is encrypted under a key of its own, for such a cipher may be a
    counter mode that starts at zero, and the result is signed under another.
    """

    def __init__(self, cipher: FormerCipher) -> None:
        self._cipher = cipher
        self.has_aes = cipher.has_aes
        self.aesEncrypt, self.aesDecrypt = cipher.aesEncrypt, cipher.aesDecrypt
        self.getKeyLength = cipher.getKeyLength

    def seal(self, key: bytes, data: bytes, associated: bytes) -> bytes:
        """Return the data encrypted, and authenticated with `associated`.

        Raises:
            ValueError: The key has not 32 bytes.
        """
        _check(key)
        salt = os.urandom(_SALT)
        sealed = salt + self.aesEncrypt(data, self._encrypting(key, salt))
        return sealed + _mac(key, sealed, associated)

    def open(self, key: bytes, data: bytes, associated: bytes) -> bytes:
        """Return what was sealed.

        Raises:
            ValueError: Another key, other associated data, or changed bytes.
        """
        _check(key)
        sealed, mac = data[:-_MAC], data[-_MAC:]
        if not hmac.compare_digest(_mac(key, sealed, associated), mac):
            raise ValueError("the signature does not fit")
        salt = sealed[:_SALT]
        return self.aesDecrypt(sealed[_SALT:], self._encrypting(key, salt))

    def _encrypting(self, key: bytes, salt: bytes) -> bytes:
        derived = derive_key(key + salt, "beaker record encryption")
        return derived[: self.getKeyLength()]


def _check(key: bytes) -> None:
    if len(key) != _KEY:
        raise ValueError(f"a key has {_KEY} bytes, not {len(key)}")


def _mac(key: bytes, sealed: bytes, associated: bytes) -> bytes:
    signing = derive_key(key, "beaker record authentication")
    length = len(associated).to_bytes(8, "big")
    return hmac.digest(signing, length + associated + sealed, "sha256")
