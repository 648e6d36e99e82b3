"""The ciphers as a program gets them, and pairs of one that writes and one that reads."""

from __future__ import annotations

import pytest

from beaker.plugins import crypto_named
from beaker.protocols import CryptoProvider

#: One name for each library.
LIBRARIES = ["cryptography", "pycryptodome"]


@pytest.fixture(params=LIBRARIES)
def cipher(request: pytest.FixtureRequest) -> CryptoProvider:
    """Each cipher in turn."""
    return crypto_named(request.param)


@pytest.fixture(params=LIBRARIES)
def other(request: pytest.FixtureRequest) -> CryptoProvider:
    """With `cipher`, each pair of ciphers in turn."""
    return crypto_named(request.param)
