"""What the core says where it is to encrypt and no cipher is installed."""

from __future__ import annotations

import pytest

from tests.packaging.conftest import Python

SESSION = """
from beaker.exceptions import InvalidCryptoBackendError
from beaker.middleware import SessionMiddleware
try:
    SessionMiddleware(None, type="memory", encrypt_key="k", crypto_type={name!r})
except InvalidCryptoBackendError as e:
    print(e)
"""


TOLD = {
    "default": (
        "a key for encryption is set and no cipher is installed; "
        "install one with: pip install 'beaker-crypto>=2'"
    ),
    "cryptography": (
        "cipher 'cryptography' is not installed; "
        "install it with: pip install 'beaker-crypto>=2'"
    ),
    "pycrypto": (
        "cipher 'pycrypto' is not installed; "
        "install it with: pip install 'beaker-crypto[pycryptodome]>=2'"
    ),
    "nss": (
        "cipher 'nss' ended with Beaker 1.x; set crypto_type to 'cryptography' "
        "and install it with: pip install 'beaker-crypto>=2'"
    ),
}


@pytest.mark.parametrize("name", TOLD)
def test_a_key_without_a_cipher_stops_the_program_with_the_command(
    core_alone: Python, name: str
) -> None:
    assert core_alone(SESSION.format(name=name)) == TOLD[name]


@pytest.mark.parametrize("module", ["pycrypto", "pyca_cryptography"])
def test_a_cipher_by_its_old_import_path_is_an_import_error(
    core_alone: Python, module: str
) -> None:
    said = core_alone(
        f"try: import beaker.crypto.{module}\nexcept ImportError as e: print(e)"
    )

    assert "pip install 'beaker-crypto" in said
