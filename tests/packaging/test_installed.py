"""Each wheel installed alone with the core, by pip, and used."""

from __future__ import annotations

import pytest

from tests.environments import MakeEnvironment

#: What a program does that uses a store, and prints what it was told.
STORE = """
import sys
from importlib.metadata import entry_points
from beaker.plugins import installed_backends
assert {store!r} in set(installed_backends())
assert "{package}" not in sys.modules
from beaker.cache import CacheManager
caches = CacheManager(type={store!r}, url={url!r}, expire=60)

@caches.cache("prices")
def price(country):
    return 10

assert price("pt") == price("pt") == 10
cache = caches.get_cache("prices")
try:
    cache.put("pt", 10)
    print(cache.get("pt"))
except Exception as e:
    print(type(e).__name__, e)
loaded = {{name.partition(".")[0] for name in sys.modules}}
print(*sorted(loaded & {{"google", "pymongo", "pymemcache", "redis", "sqlalchemy"}}))
"""

SESSION = """
from beaker.session import Session
given = {"type": "memory", "encrypt_key": "a long random text", "use_cookies": False}
session = Session({}, id="ann", **given)
session["account"] = "PT50 0002"
session.save()
print(Session({}, id="ann", **given)["account"])
"""

#: A store of each wheel: a URL that leads nowhere but for SQLite's, what is printed
#: first, and the library that is loaded.
STORES = {
    "beaker-memcached": (
        "ext:memcached",
        "127.0.0.1:1",
        "StoreUnavailableError store ext:memcached at 127.0.0.1:1 is unavailable",
        "pymemcache",
    ),
    "beaker-google": (
        "ext:google",
        "datastore://shop?endpoint=http://127.0.0.1:1",
        "StoreUnavailableError store ext:google at datastore://shop?endpoint=http://",
        "google",
    ),
    "beaker-mongodb": (
        "ext:mongodb",
        "mongodb://127.0.0.1:1/shop",
        "StoreUnavailableError store ext:mongodb at mongodb://127.0.0.1:1/shop is",
        "pymongo",
    ),
    "beaker-redis": (
        "ext:redis",
        "redis://127.0.0.1:1/0",
        "StoreUnavailableError store ext:redis at redis://127.0.0.1:1/0 is",
        "redis",
    ),
    "beaker-sqla": ("ext:database", "sqlite://", "10", "sqlalchemy"),
}


@pytest.mark.parametrize("wheel", STORES)
def test_a_wheel_alone_with_the_core_brings_its_store(
    registry: MakeEnvironment, wheel: str
) -> None:
    store, url, first, library = STORES[wheel]
    here = registry("beaker-core>=2", f"{wheel}>=2")
    package = wheel.replace("-", "_")

    said = here.run("-c", STORE.format(store=store, url=url, package=package))

    told, *_, loaded = said.splitlines()
    assert told.startswith(first)
    assert loaded == library


def test_the_ciphers_alone_with_the_core_encrypt(registry: MakeEnvironment) -> None:
    here = registry("beaker-core>=2", "beaker-crypto>=2")

    assert here.run("-c", SESSION) == "PT50 0002"
