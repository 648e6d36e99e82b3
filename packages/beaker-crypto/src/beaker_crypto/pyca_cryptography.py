"""AES by the library cryptography."""

from __future__ import annotations

import os

from beaker.exceptions import InvalidCryptoBackendError
from beaker_crypto.aes import NONCE, TAG, AesCipher

try:
    from cryptography.exceptions import InvalidTag
    from cryptography.hazmat.primitives.ciphers import Cipher
    from cryptography.hazmat.primitives.ciphers.aead import AESGCM
    from cryptography.hazmat.primitives.ciphers.algorithms import AES
    from cryptography.hazmat.primitives.ciphers.modes import CTR
except ModuleNotFoundError as e:
    # A library that is there and lacks a part is another matter.
    if e.name != "cryptography":
        raise
    raise InvalidCryptoBackendError(
        "the cipher 'cryptography' needs the library of that name, which is not "
        "installed; install it with: pip install 'beaker-crypto>=2'"
    ) from e

__all__ = ["PycaCryptography", "cipher"]


class PycaCryptography(AesCipher):
    """Computes with OpenSSL; its payloads of 1.x are nonce, tag, GCM."""

    priority = 20

    def aesEncrypt(self, data: bytes, key: bytes) -> bytes:  # noqa: N802 - as 1.x called it
        """Encrypt a payload as Beaker 1.14 did by default."""
        nonce = os.urandom(NONCE)
        encrypted = self._gcm_encrypted(key, nonce, data, b"")
        return nonce + encrypted[-TAG:] + encrypted[:-TAG]

    def _gcm_encrypted(
        self, key: bytes, nonce: bytes, data: bytes, associated: bytes
    ) -> bytes:
        return AESGCM(key).encrypt(nonce, data, associated)

    def _gcm_decrypted(
        self, key: bytes, nonce: bytes, data: bytes, associated: bytes
    ) -> bytes:
        try:
            return AESGCM(key).decrypt(nonce, data, associated)
        except InvalidTag as e:
            raise ValueError("another key, other associated data or bytes") from e

    def _ctr(self, key: bytes, data: bytes) -> bytes:
        return Cipher(AES(key), CTR(bytes(16))).encryptor().update(data)


#: What the entry point leads to.
cipher = PycaCryptography()
