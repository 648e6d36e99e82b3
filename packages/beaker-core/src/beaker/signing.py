"""Keys derived from the secrets of a configuration, and what is signed with them."""

from __future__ import annotations

import hmac
from collections.abc import Iterable, Sequence
from hashlib import sha256

__all__ = ["Key", "KeyRing", "TextSigner", "derive_key", "former_signature"]

_SIGNATURE = 64
_FORMER_SIGNATURE = 40


def derive_key(secret: bytes, purpose: str) -> bytes:
    """Return 32 bytes that only this secret and this purpose give (HKDF-SHA256)."""
    extracted = hmac.digest(bytes(32), secret, "sha256")
    return hmac.digest(extracted, purpose.encode() + b"\x01", "sha256")


class Key:
    """One derived key.

    Attributes:
        id: 1 to 255; written beside what the key protects, to find it again. Two
            keys of a ring may share one.
        value: 32 secret bytes.
    """

    __slots__ = ("_inner", "_outer", "id", "value")

    def __init__(self, secret: bytes, purpose: str) -> None:
        self.value = derive_key(secret, purpose)
        self.id = 1 + derive_key(secret, f"{purpose} id")[0] % 255
        # HMAC (RFC 2104) with both paddings hashed once: to begin anew each time
        # takes longer than all the rest of a signature.
        padded = self.value.ljust(64, b"\0")
        self._inner = sha256(bytes(byte ^ 0x36 for byte in padded))
        self._outer = sha256(bytes(byte ^ 0x5C for byte in padded))

    def sign(self, data: bytes) -> bytes:
        """Return the 32 bytes of an HMAC-SHA256."""
        inner, outer = self._inner.copy(), self._outer.copy()
        inner.update(data)
        outer.update(inner.digest())
        return outer.digest()


class KeyRing:
    """The keys that several secrets give for one purpose.

    Args:
        secrets: The first one writes, all of them read.
        purpose: What the keys are for; a key for another purpose accepts nothing
            of this one.
    """

    __slots__ = ("_by_id", "first", "keys")

    def __init__(self, secrets: Iterable[bytes], purpose: str) -> None:
        self.keys = tuple(Key(secret, purpose) for secret in secrets)
        self.first = self.keys[0]
        self._by_id: dict[int, list[Key]] = {}
        for key in self.keys:
            self._by_id.setdefault(key.id, []).append(key)

    def with_id(self, id: int) -> Sequence[Key]:
        """Return the keys that may have written this id."""
        return self._by_id.get(id, ())


class TextSigner:
    """Signs short text for a cookie and takes back only what it signed.

    Args:
        secrets: The first one signs, all of them verify.
        purpose: Where the text stands; moved elsewhere it is not accepted.
        reads_former: Whether the signature of Beaker 1.x is accepted too.
    """

    __slots__ = ("_ring", "_secrets", "reads_former")

    def __init__(
        self, secrets: Sequence[bytes], purpose: str, *, reads_former: bool = False
    ) -> None:
        self._secrets, self.reads_former = secrets, reads_former
        self._ring = KeyRing(secrets, purpose)

    def sign(self, text: str) -> str:
        """Return the text with its signature."""
        return f"{text}.{self._ring.first.sign(text.encode()).hex()}"

    @staticmethod
    def is_signed(text: str) -> bool:
        """Return whether text has the form of what `sign` returns."""
        return text[-_SIGNATURE - 1 : -_SIGNATURE] == "."

    def verify(self, signed: str) -> tuple[str, bool] | None:
        """Return the text that was signed, or None if it was not signed by us.

        Returns:
            The text, and whether it was signed as `sign` does it now.
        """
        if not signed.isascii():
            return None
        text, dot, signature = signed.rpartition(".")
        if dot:
            data = text.encode()
            for key in self._ring.keys:
                if hmac.compare_digest(key.sign(data).hex(), signature):
                    return text, key is self._ring.first
        if self.reads_former:
            return self._verify_former(signed)
        return None

    def _verify_former(self, signed: str) -> tuple[str, bool] | None:
        signature, text = signed[:_FORMER_SIGNATURE], signed[_FORMER_SIGNATURE:]
        for secret in self._secrets:
            if hmac.compare_digest(former_signature(secret, text), signature):
                return text, False
        return None


def former_signature(secret: bytes, text: str) -> str:
    """Return the 40 hex digits with which Beaker 1.x signed a cookie's value."""
    return hmac.digest(secret, text.encode(), "sha1").hex()
