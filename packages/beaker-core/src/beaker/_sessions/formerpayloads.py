"""The session payloads of Beaker 1.x, read and written."""

from __future__ import annotations

import binascii
import os
import pickle
from base64 import b64decode, b64encode
from collections.abc import Callable, Collection, Sequence
from functools import partial
from typing import Any

from beaker._sessions.pickleshape import refuse_greedy
from beaker._sessions.plaindata import DECODED_LIMIT, load_plain
from beaker.crypto import generateCryptoKeys, get_nonce_size
from beaker.exceptions import CorruptRecordError, MissingSecretError
from beaker.protocols import CryptoProvider
from beaker.serializers import dump_dictionary
from beaker.util import JsonSerializer, PickleSerializer

__all__ = ["FormerPayloads", "load_bounded_json"]


class FormerPayloads:
    """Base64 of serialized data, which may be encrypted under a key per payload.

    Args:
        encrypt_keys: The first encrypts, all decrypt; none: payloads are plain.
        validate_keys: What 1.x mixed into the key of each payload.
        cipher: What decrypts; None where there is no key.
        nonce_bits: How much chance is in the key of each payload.
        allowed: The classes that untrusted payloads may hold beside plain data.
    """

    __slots__ = (
        "_allowed",
        "_cipher",
        "_encrypt_keys",
        "_nonce_size",
        "_validate_keys",
    )

    def __init__(
        self,
        encrypt_keys: Sequence[bytes] = (),
        validate_keys: Sequence[bytes] = (),
        cipher: CryptoProvider | None = None,
        nonce_bits: int = 128,
        allowed: Collection[str] = (),
    ) -> None:
        self._encrypt_keys, self._validate_keys = encrypt_keys, validate_keys
        self._cipher, self._nonce_size = cipher, get_nonce_size(nonce_bits)
        self._allowed = allowed

    @property
    def kind(self) -> str:
        """What the hook `former_session_met` calls a payload."""
        return "payload" if self._cipher is None else "cipher"

    def encode(self, data: Any, serializer: Any) -> str:
        """Return data as 1.x stored it.

        Raises:
            UnserializableValueError: The serializer does not take them.
            MissingSecretError: It is to be encrypted and there is no validate_key.
        """
        serialized = dump_dictionary(serializer, data)
        if self._cipher is None:
            return b64encode(serialized).decode()
        if not self._validate_keys:
            raise MissingSecretError("validate_key", "encrypt as Beaker 1.x did")
        size, length = self._nonce_size
        nonce = b64encode(os.urandom(size))[:length]
        key = self._key(self._encrypt_keys[0], self._validate_keys[0], nonce)
        return (nonce + b64encode(self._cipher.aesEncrypt(serialized, key))).decode()

    def decode(self, payload: str | bytes, serializer: Any, *, is_trusted: bool) -> Any:
        """Return what was stored.

        Args:
            payload: What `encode` returned, or 1.x stored.
            serializer: What 1.x was told to use.
            is_trusted: Whether nobody but us can have written the payload.

        Raises:
            CorruptRecordError: It is no such payload, or of other keys.
        """
        data = payload.encode() if isinstance(payload, str) else payload
        loads = self._loads(serializer, is_trusted=is_trusted)
        if self._cipher is None:
            return _loaded(_unbased(data), loads)
        length = self._nonce_size[1]
        nonce, encrypted = data[:length], _unbased(data[length:])
        failure = CorruptRecordError("there is no key to decrypt it")
        for secret in self._encrypt_keys:
            for salt in self._validate_keys:
                key = self._key(secret, salt, nonce)
                try:
                    return _loaded(self._decrypted(encrypted, key), loads)
                except CorruptRecordError as e:
                    failure = e
        raise failure

    def _loads(self, serializer: Any, *, is_trusted: bool) -> Callable[[bytes], Any]:
        if isinstance(serializer, PickleSerializer):
            if not is_trusted:
                return partial(load_plain, allowed=self._allowed)
            # What a key that does not fit decrypts is noise, even if it is ours.
            return _unpickled if self._cipher else serializer.loads
        if isinstance(serializer, JsonSerializer):
            return load_bounded_json
        return serializer.loads  # type: ignore[no-any-return]  # what the program brought

    def _decrypted(self, encrypted: bytes, key: bytes) -> bytes:
        try:
            return self._cipher.aesDecrypt(encrypted, key)  # type: ignore[union-attr]  # comes with its keys
        # Each library has its own error for a key that does not fit.
        except Exception as e:
            raise CorruptRecordError(f"it does not decrypt: {e!r}") from e

    def _key(self, secret: bytes, salt: bytes, nonce: bytes) -> bytes:
        length = self._cipher.getKeyLength()  # type: ignore[union-attr]  # comes with its keys
        return generateCryptoKeys(secret, salt + nonce, 1, length)


def _unpickled(data: bytes) -> Any:
    refuse_greedy(data)
    return pickle.loads(data)


def load_bounded_json(data: bytes) -> Any:
    """Return the compressed JSON that 1.x wrote, if it is not absurdly large.

    Raises:
        CorruptRecordError: It is not JSON, or more than a megabyte of it.
    """
    import json
    import zlib

    try:
        unpacker = zlib.decompressobj()
        text = unpacker.decompress(data, DECODED_LIMIT)
        if unpacker.unconsumed_tail:
            raise CorruptRecordError(f"more than {DECODED_LIMIT} bytes of JSON")
        return json.loads(text)
    except (zlib.error, ValueError, RecursionError) as e:
        raise CorruptRecordError(f"compressed JSON: {e}") from e


def _unbased(data: bytes) -> bytes:
    try:
        return b64decode(data, validate=True)
    except (binascii.Error, ValueError) as e:
        raise CorruptRecordError(f"base64: {e}") from e


def _loaded(data: bytes, loads: Callable[[bytes], Any]) -> Any:
    try:
        return loads(data)
    except CorruptRecordError:
        raise
    # A serializer that the program brought may raise anything.
    except Exception as e:
        raise CorruptRecordError(f"{e!r}") from e
