"""Ciphers by name, and the key derivation of Beaker 1.x."""

from __future__ import annotations

import hashlib
from typing import Any

from beaker.crypto.pbkdf2 import pbkdf2
from beaker.crypto.util import hmac, hmac_sha1, md5, sha1
from beaker.exceptions import InvalidCryptoBackendError
from beaker.plugins import crypto_named
from beaker.protocols import CryptoProvider

__all__ = [
    "CRYPTO_MODULES",
    "DEFAULT_NONCE_BITS",
    "cipher_for_records",
    "cipher_to_import",
    "generateCryptoKeys",
    "get_crypto_module",
    "get_nonce_size",
    "hmac",
    "hmac_sha1",
    "load_default_module",
    "md5",
    "pbkdf2",
    "register_crypto_module",
    "sha1",
]

DEFAULT_NONCE_BITS = 128

#: The ciphers that the program registered, by name; they win over installed ones.
CRYPTO_MODULES: dict[str, Any] = {}


def register_crypto_module(name: str, mod: Any) -> None:
    """Let a cipher be chosen by this name.

    Args:
        name: What ``crypto_type`` says; "default" is what is used without it.
        mod: A module or an object with the functions of `CryptoProvider`; those
            of Beaker 1.x will do.
    """
    CRYPTO_MODULES[name] = mod


def get_crypto_module(name: str) -> Any:
    """Return the cipher of this name.

    Raises:
        InvalidCryptoBackendError: It is not installed; for "default": none is.
    """
    if name in CRYPTO_MODULES:
        return CRYPTO_MODULES[name]
    return load_default_module() if name == "default" else crypto_named(name)


def load_default_module() -> Any:
    """Return the best of the installed ciphers.

    Raises:
        InvalidCryptoBackendError: There is none. Nothing is left unencrypted
            for want of a cipher.
    """
    return crypto_named("default")


def cipher_for_records(name: str) -> CryptoProvider:
    """Return a cipher that encrypts and authenticates, for `encrypt_key`.

    Raises:
        InvalidCryptoBackendError: It is not installed, or does not encrypt.
    """
    cipher = get_crypto_module(name)
    if not getattr(cipher, "has_aes", False):
        message = (
            f"cipher {name!r} does not encrypt and 'encrypt_key' is set; "
            f"install one that does with: pip install 'beaker-crypto>=2'"
        )
        raise InvalidCryptoBackendError(message)
    if hasattr(cipher, "seal"):
        return cipher  # type: ignore[no-any-return]  # what a plugin registered
    from beaker.crypto.encryptthenmac import EncryptThenMac

    return EncryptThenMac(cipher)


def cipher_to_import(name: str) -> CryptoProvider:
    """Return a cipher for a module that stands for it.

    Raises:
        ImportError: It is not installed.
    """
    try:
        return crypto_named(name)
    except InvalidCryptoBackendError as e:
        raise ImportError(str(e)) from e


def generateCryptoKeys(
    master_key: str | bytes, salt: str | bytes, iterations: int, keylen: int
) -> bytes:
    """Return the key with which Beaker 1.x encrypted."""
    return pbkdf2(master_key, salt, iterations, keylen, hashlib.sha1)


def get_nonce_size(number_of_bits: int) -> tuple[int, int]:
    """Return the bytes of a nonce of so many bits, and its characters in base64.

    Raises:
        ValueError: The bits are no multiple of 8.
    """
    if number_of_bits % 8:
        raise ValueError(f"encrypt_nonce_bits takes multiples of 8: {number_of_bits}")
    size = number_of_bits // 8
    return size, ((4 * size // 3) + 3) & ~3
