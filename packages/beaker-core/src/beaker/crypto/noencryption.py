"""The cipher of Beaker 1.x that does nothing; a session with a key refuses it."""

from __future__ import annotations

__all__ = ["aesDecrypt", "aesEncrypt", "getKeyLength", "has_aes"]

has_aes = False


def aesEncrypt(data: bytes, key: bytes) -> bytes:
    """Return the data as they are."""
    del key
    return data


def aesDecrypt(data: bytes, key: bytes) -> bytes:
    """Return the data as they are."""
    del key
    return data


def getKeyLength() -> int:
    """Return the length of a key in bytes."""
    return 32
