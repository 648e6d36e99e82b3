"""Payloads of Beaker 1.x, which do not say what encrypted them, are read and written.

What Beaker 1.14 wrote is kept here; where there is one it is asked, too.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from beaker.plugins import crypto_named
from beaker.protocols import CryptoProvider
from beaker.session import CookieSession, Session
from tests.conftest import Former
from tests.crypto.conftest import LIBRARIES

KEY = bytes(range(32))
DATA = {
    "empty": b"",
    "short": b"Ann owes 7 euros",
    "long": bytes(range(77)),
}

# By Beaker 1.14.1: each of DATA under KEY.
ENCRYPTED = {
    ("cryptography", "empty"): (
        "fa0d90e756fb2cc776cdc286d7be99606bd09fe7c59473647de2c628"
    ),
    ("cryptography", "short"): (
        "8c0317a5de90672c47956289e8edad5e461c8bc4692de799316d5f06e2285b89"
        "8f655064581c216294128b3d"
    ),
    ("cryptography", "long"): (
        "dbd8fc28255a60dc66544b9eed54c2fe116ccaa3eef43c80203ba769a1a0680c"
        "c10f4c1b8dd0d79ea2dc55f3ee9fcec455e57a328e58463cdac39e688fe8d99f"
        "4a08188124f54852375362a78b8b9546ae6c88e25d8d1061625d85c6cc7f84f3"
        "1b63e27a56f090608a"
    ),
    ("pycryptodome", "empty"): "",
    ("pycryptodome", "short"): "b3fe6e96453efaa389c4ba0fa85c18f3",
    ("pycryptodome", "long"): (
        "f29102b52e4c99d7a1fa9061d123798fe04c64bd5eac89f2beef812a54df2822"
        "2e9d97fd9109a59a2081831e3401bfb6e27264601cb45618b8a789b8f9c26369"
        "0e1ea4ff6eb7fe417b8a3bbe8d"
    ),
}

COOKIE = {
    "key": "s",
    "encrypt_key": "the key that encrypts",
    "validate_key": "the key that validates",
}
ANN = {"name": "Ann", "cart": [1, 2]}

# By Beaker 1.14.1: ANN in a session that is a COOKIE.
COOKIES = {
    ("cryptography", "pickle"): (
        "s=83e372b01c2cdfcd2dfa34725272261e00258943Mz/g0qki53tGVt54Yj9RJw==2o+LKv+gZGHY"
        "6STjwG5Exm/dBc1F2BmX5hN3G9fL4bYo3Q1B2gkGMFV7BlwlYrOJH+qkFvqLsjeqeq+2qxkO6qtvzZhJ"
        "MBebxjX7Jr/W0UXhT/j2k7443IHflSOSf4VJBO6AIDDHXjG9u+U6DAL+DTvACYHJK0REUNIf6PM6iil/"
        "7kkWqYvSpLU1UfkNtPpgIsFyBrQOszUQwd0JrK3LPSGsNsp3Hj9F/VWvoOze28xt0AP8nCCBr1pT++yd"
        "QzunNKXS+OYq7+7PNDW0u16uwY4FmmIW3dvAlHk7xOs="
    ),
    ("cryptography", "json"): (
        "s=705ad73b6af3ae8d1695143435239fe28aa59719hySAzAc3peXzU0ixwMhyng==/pZLfGxAQS/n"
        "w7Mt+HYczn6KY0hJUOHAhu3932iHaDoMZw2xyrRLm7Z8Rc7B5PL5/gs7ifIexlmmGLzOnFb3FwIE9o3U"
        "qRV+Jj8Pu4CRUprPChL1VbU4hBFhvhdeoabCKT5EJ8gq4jOFU8/LgOUx9oZbkARJ1GH696qziWp1M5tc"
        "On3fhpjZxaqeMQhF92pm9QiJ7x1AZVdVsV++NxN9GXZabA=="
    ),
    ("pycryptodome", "pickle"): (
        "s=6702a1691b7bf2e2fa6eb773ceabfef73a53a770Qgdj08tfAf3mnfZBrqBnMQ==BGQNmXkIE9as"
        "TYCggBaN/akLJ74jhxMz7eAXy0iAc/3iWfxfhIQp4GoqsiMGHVT0qYtSnYBLjZh85i9OocUBfLX4RH+O"
        "VvjKxzfdDoIj9wHPYOdnLQo1HMEUwicEF/UHMLpjhe5JWKnpnjfmX05iYRShY3tIy8UJdF+aGiy62Yhs"
        "auIreFQ6+8yXo2tDuovrlNJt/D8nG9l85uRqimwN/+lnU5bMHGlmFL9WsMRdzptOZsJxSClX5C36O5NU"
        "C/KGdg=="
    ),
    ("pycryptodome", "json"): (
        "s=83ac4b0a14d7aa7ee9b9108c732ab0ede38557dckZ34cuuHjebTGenbz5x3VQ==pT7I7XjnilpZ"
        "U0hRaTIzbXL+0Gvb++cKzMYEUCpDLd1uGec5GHIDLIhEEosWJY16j5/82kI/kFRLNCcAtlf03FgZ6VIX"
        "S1wxTWSiHSHXU/TiDi75x34J+YYtzEtS33L+alZb9CofjSmcvFf5jV5srwL/H8tNfizC+XE46iaA32gV"
        "s0i9hAoHUA=="
    ),
}

of_each_library = pytest.mark.parametrize("library", LIBRARIES)
in_each_format = pytest.mark.parametrize("serializer", ["pickle", "json"])


def visible(session: Session) -> dict[str, Any]:
    return {name: value for name, value in session.items() if name[0] != "_"}


@pytest.mark.parametrize(
    ("library", "data"), ENCRYPTED, ids=["-".join(pair) for pair in ENCRYPTED]
)
def test_each_cipher_reads_what_1_x_encrypted_with_either_library(
    cipher: CryptoProvider, library: str, data: str
) -> None:
    encrypted = bytes.fromhex(ENCRYPTED[library, data])

    assert cipher.aesDecrypt(encrypted, KEY) == DATA[data]


@pytest.mark.parametrize("data", DATA)
def test_each_cipher_reads_what_either_encrypts(
    cipher: CryptoProvider, other: CryptoProvider, data: str
) -> None:
    encrypted = cipher.aesEncrypt(DATA[data], KEY)

    assert other.aesDecrypt(encrypted, KEY) == DATA[data]


@pytest.mark.parametrize("name", ["pycrypto", "pycryptodome"])
@pytest.mark.parametrize("data", DATA)
def test_pycryptodome_encrypts_to_the_bytes_of_1_x(name: str, data: str) -> None:
    encrypted = crypto_named(name).aesEncrypt(DATA[data], KEY)

    assert encrypted.hex() == ENCRYPTED["pycryptodome", data]


def test_cryptography_encrypts_as_1_14_did_with_a_nonce_and_a_tag_in_front() -> None:
    cipher = crypto_named("cryptography")

    nonce, tag, encrypted = split(cipher.aesEncrypt(b"Ann", KEY))

    assert (len(nonce), len(tag), len(encrypted)) == (12, 16, 3)
    # The formats share their operation, but what is sealed has its tag behind.
    assert cipher.open(KEY, nonce + encrypted + tag, b"") == b"Ann"


def split(payload: bytes) -> tuple[bytes, bytes, bytes]:
    return payload[:12], payload[12:28], payload[28:]


def test_cryptography_encrypts_each_payload_with_a_nonce_of_its_own() -> None:
    cipher = crypto_named("cryptography")

    nonces = {split(cipher.aesEncrypt(b"Ann", KEY))[0] for _ in range(1000)}

    assert len(nonces) == 1000


def test_a_payload_under_another_key_is_noise(
    cipher: CryptoProvider, other: CryptoProvider
) -> None:
    encrypted = cipher.aesEncrypt(b"Ann owes 7 euros", KEY)

    assert b"Ann" not in other.aesDecrypt(encrypted, bytes(32))


@pytest.mark.parametrize("length", [0, 31, 33])
def test_what_is_no_key_is_refused(cipher: CryptoProvider, length: int) -> None:
    with pytest.raises(ValueError, match=r"(?i)key"):
        cipher.aesEncrypt(b"Ann", bytes(length))
    with pytest.raises(ValueError, match=r"(?i)key"):
        cipher.aesDecrypt(bytes(40), bytes(length))


@pytest.mark.parametrize("reader", LIBRARIES)
@pytest.mark.parametrize(
    ("library", "serializer"), COOKIES, ids=["-".join(pair) for pair in COOKIES]
)
def test_a_session_in_a_cookie_of_1_x_goes_on(
    reader: str, library: str, serializer: str
) -> None:
    request = {"cookie": COOKIES[library, serializer]}

    session = CookieSession(
        request, crypto_type=reader, data_serializer=serializer, **COOKIE
    )

    assert visible(session) == ANN


@of_each_library
@pytest.mark.parametrize("data", DATA)
def test_1_14_and_we_decrypt_each_others_payloads(
    former: Former, cipher: CryptoProvider, library: str, data: str
) -> None:
    key, plain = KEY.hex(), DATA[data]

    theirs = former("encrypt", cipher=library, key=key, data=plain.hex())
    ours = crypto_named(library).aesEncrypt(plain, KEY)

    assert cipher.aesDecrypt(bytes.fromhex(theirs), KEY) == plain
    assert former("decrypt", cipher=library, key=key, data=ours.hex()) == plain.hex()


@of_each_library
@in_each_format
def test_1_14_and_we_read_each_others_cookies(
    former: Former, library: str, serializer: str
) -> None:
    options = {**COOKIE, "crypto_type": library, "data_serializer": serializer}

    theirs = former("write_cookie", options=options, data=ANN)
    request: dict[str, Any] = {"cookie": theirs}
    session = CookieSession(request, mode="compat", **options)
    found = visible(session)
    session["cart"] = [3]
    session.save()
    ours = request["cookie_out"].partition(";")[0]

    assert found == ANN
    assert former("read_cookie", options=options, cookie=ours) == {**ANN, "cart": [3]}


@of_each_library
@in_each_format
def test_1_14_and_we_read_each_others_records(
    former: Former, library: str, serializer: str, tmp_path: Path
) -> None:
    one = "0123456789abcdef" * 2
    options: dict[str, Any] = {
        **{name: value for name, value in COOKIE.items() if name != "key"},
        "type": "file",
        "data_dir": str(tmp_path),
        "crypto_type": library,
        "data_serializer": serializer,
    }

    former("write_record", options=options, id=one, data=ANN)
    session = Session({}, id=one, use_cookies=False, mode="compat", **options)
    found = visible(session)
    session["cart"] = [3]
    session.save()

    assert found == ANN
    assert former("read_record", options=options, id=one) == {**ANN, "cart": [3]}
