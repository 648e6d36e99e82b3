"""What our wheels say where the library that they need is not installed."""

from __future__ import annotations

import pytest

from tests.packaging.conftest import Python

PROGRAM = """
from beaker.cache import CacheManager
from beaker.exceptions import InvalidCacheBackendError
caches = CacheManager(type={store!r}, url={url!r})

@caches.cache("prices")
def price(country):
    return 10

print("ready")
try:
    price("pt")
except InvalidCacheBackendError as e:
    print(e)
"""

#: A URL that leads to each store, and the library that it needs.
NEEDS = {
    "ext:redis": ("redis://localhost:1/0", "redis"),
    "ext:rediscluster": ("redis://localhost:1", "redis"),
    "ext:mongodb": ("mongodb://localhost:1/shop", "pymongo"),
    "ext:google": ("datastore://shop", "google"),
    "ext:database": ("sqlite://", "sqlalchemy"),
    "ext:memcached": ("localhost:1", "pymemcache"),
}

#: Those that choose among several libraries, and say so themselves.
SAY_IT_THEMSELVES = {
    "ext:memcached": (
        "ext:memcached needs the client library 'pymemcache', which is not "
        "installed; install it with: pip install pymemcache"
    )
}


@pytest.mark.parametrize("store", NEEDS)
def test_a_missing_library_is_told_at_the_first_use_with_the_command(
    without_libraries: Python, store: str
) -> None:
    url, library = NEEDS[store]

    ready, _, told = without_libraries(PROGRAM.format(store=store, url=url)).partition(
        "\n"
    )

    assert ready == "ready"
    if store in SAY_IT_THEMSELVES:
        assert told == SAY_IT_THEMSELVES[store]
    else:
        assert told.startswith(f"backend {store!r} (beaker_")
        assert f"cannot be loaded: No module named '{library}" in told
        assert "; install what it needs with: pip install 'beaker-" in told


SESSIONS = """
from beaker.exceptions import InvalidCryptoBackendError
from beaker.middleware import SessionMiddleware
try:
    SessionMiddleware(None, type="memory", encrypt_key="k", crypto_type={name!r})
except InvalidCryptoBackendError as e:
    print(e)
"""


@pytest.mark.parametrize(
    ("name", "command"),
    [
        ("default", "pip install 'beaker-crypto>=2'"),
        ("cryptography", "pip install 'beaker-crypto>=2'"),
        ("pycryptodome", "pip install 'beaker-crypto[pycryptodome]>=2'"),
    ],
)
def test_a_cipher_without_its_library_stops_the_program_with_the_command(
    without_libraries: Python, name: str, command: str
) -> None:
    told = without_libraries(SESSIONS.format(name=name))

    assert "not installed" in told or "no cipher is installed" in told
    assert told.endswith((f"it with: {command}", f"one with: {command}"))


def test_all_names_can_be_listed_without_a_library(without_libraries: Python) -> None:
    said = without_libraries(
        "from beaker.plugins import installed_backends\nprint(*installed_backends())"
    )

    assert {"ext:redis", "ext:mongodb", "ext:memcached"} <= set(said.split())
