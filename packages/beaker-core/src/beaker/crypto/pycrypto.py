"""The cipher of PyCryptodome, under the import path of Beaker 1.x."""

# ruff: noqa: N816  # the names of 1.x
from __future__ import annotations

from beaker.crypto import cipher_to_import

__all__ = ["aesDecrypt", "aesEncrypt", "getKeyLength", "has_aes"]

_cipher = cipher_to_import("pycryptodome")
aesDecrypt = _cipher.aesDecrypt
aesEncrypt = _cipher.aesEncrypt
getKeyLength = _cipher.getKeyLength
has_aes = _cipher.has_aes
