"""AES by the library PyCryptodome."""

from __future__ import annotations

from beaker.exceptions import InvalidCryptoBackendError
from beaker_crypto.aes import TAG, AesCipher

try:
    from Crypto.Cipher import AES
except ModuleNotFoundError as e:
    # A library that is there and lacks a part is another matter.
    if e.name not in ("Crypto", "Crypto.Cipher"):
        raise
    raise InvalidCryptoBackendError(
        "the cipher 'pycryptodome' needs the library of that name, which is not "
        "installed; install it with: pip install 'beaker-crypto[pycryptodome]>=2'"
    ) from e

__all__ = ["PyCryptodome", "cipher"]


class PyCryptodome(AesCipher):
    """Computes with code of its own; its payloads of 1.x are bare CTR."""

    priority = 10

    def aesEncrypt(self, data: bytes, key: bytes) -> bytes:  # noqa: N802 - as 1.x called it
        """Encrypt a payload as Beaker 1.x did with pycrypto and pycryptodome."""
        return self._ctr(key, data)

    def _gcm_encrypted(
        self, key: bytes, nonce: bytes, data: bytes, associated: bytes
    ) -> bytes:
        gcm = AES.new(key, AES.MODE_GCM, nonce=nonce)
        gcm.update(associated)
        encrypted, tag = gcm.encrypt_and_digest(data)
        return encrypted + tag

    def _gcm_decrypted(
        self, key: bytes, nonce: bytes, data: bytes, associated: bytes
    ) -> bytes:
        gcm = AES.new(key, AES.MODE_GCM, nonce=nonce)
        gcm.update(associated)
        return gcm.decrypt_and_verify(data[:-TAG], data[-TAG:])

    def _ctr(self, key: bytes, data: bytes) -> bytes:
        return AES.new(key, AES.MODE_CTR, nonce=b"", initial_value=0).encrypt(data)


#: What the entry point leads to.
cipher = PyCryptodome()
