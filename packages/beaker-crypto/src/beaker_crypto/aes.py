"""What Beaker writes with AES, whichever library computes it."""

from __future__ import annotations

import os
from abc import ABC, abstractmethod
from typing import ClassVar

__all__ = ["NONCE", "TAG", "AesCipher"]

#: How many bytes GCM puts before and behind what it encrypts.
NONCE, TAG = 12, 16

_KEY = 32


class AesCipher(ABC):
    """A cipher for sessions, on three operations of a library.

    Both libraries read whatever either of them wrote, today or for Beaker 1.x.

    Attributes:
        has_aes: That it encrypts.
        priority: The highest of those installed is what "default" means.
    """

    has_aes: bool = True
    priority: ClassVar[int]

    def getKeyLength(self) -> int:  # noqa: N802 - as 1.x called it
        """Return the length of a key in bytes."""
        return _KEY

    @abstractmethod
    def aesEncrypt(self, data: bytes, key: bytes) -> bytes:  # noqa: N802 - likewise
        """Encrypt a payload as Beaker 1.x did with this library.

        Raises:
            ValueError: The key has not the length of a key.
        """

    def aesDecrypt(self, data: bytes, key: bytes) -> bytes:  # noqa: N802 - likewise
        """Decrypt a payload of Beaker 1.x, whichever library wrote it.

        Nothing in it says which. The bytes of GCM prove themselves; all others count
        as CTR, so what was changed, or is of another key, comes out as noise.

        Raises:
            ValueError: The key has not the length of a key.
        """
        if len(data) >= NONCE + TAG:
            nonce, tagged = data[:NONCE], data[NONCE:]
            try:
                return self._gcm_decrypted(key, nonce, tagged[TAG:] + tagged[:TAG], b"")
            except ValueError:
                pass
        return self._ctr(key, data)

    def seal(self, key: bytes, data: bytes, associated: bytes) -> bytes:
        """Encrypt and authenticate `data`, and authenticate `associated` with it.

        Args:
            key: 32 bytes.
            data: The plain bytes.
            associated: What the sealed bytes are bound to; needed to open them.

        Returns:
            A nonce of 12 random bytes, the encrypted bytes, a tag of 16 bytes.

        Raises:
            ValueError: The key has another length.
        """
        _check(key)
        nonce = os.urandom(NONCE)
        return nonce + self._gcm_encrypted(key, nonce, data, associated)

    def open(self, key: bytes, data: bytes, associated: bytes) -> bytes:
        """Return what was sealed.

        Raises:
            ValueError: Another key, other associated data, or changed bytes.
        """
        _check(key)
        if len(data) < NONCE + TAG:
            raise ValueError(f"{len(data)} bytes are too few to have been sealed")
        return self._gcm_decrypted(key, data[:NONCE], data[NONCE:], associated)

    @abstractmethod
    def _gcm_encrypted(
        self, key: bytes, nonce: bytes, data: bytes, associated: bytes
    ) -> bytes:
        """Return the encrypted bytes, and behind them the tag."""

    @abstractmethod
    def _gcm_decrypted(
        self, key: bytes, nonce: bytes, data: bytes, associated: bytes
    ) -> bytes:
        """Return the plain bytes; raise ValueError if the tag does not fit."""

    @abstractmethod
    def _ctr(self, key: bytes, data: bytes) -> bytes:
        """Encrypt or decrypt, with a counter of 128 bits that begins at zero."""


def _check(key: bytes) -> None:
    if len(key) != _KEY:
        raise ValueError(f"a key has {_KEY} bytes, not {len(key)}")
