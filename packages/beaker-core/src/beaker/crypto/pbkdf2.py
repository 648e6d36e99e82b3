"""Keys from passwords, by PBKDF2 of PKCS #5."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from typing import Any

__all__ = ["pbkdf2"]


def pbkdf2(
    password: str | bytes,
    salt: str | bytes,
    iterations: int,
    dklen: int = 0,
    digest: Callable[[], Any] | None = None,
) -> bytes:
    """Return a key derived from a password.

    Args:
        password: Text counts as UTF-8.
        salt: Text counts as UTF-8.
        iterations: How many rounds; each makes guessing slower.
        dklen: Length of the key in bytes; 0: as long as the hash.
        digest: A constructor from `hashlib`; None: SHA-256.
    """
    name = (digest or hashlib.sha256)().name
    return hashlib.pbkdf2_hmac(
        name, _bytes(password), _bytes(salt), iterations, dklen or None
    )


def _bytes(value: str | bytes) -> bytes:
    return value.encode() if isinstance(value, str) else value
