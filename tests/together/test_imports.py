"""Where all our wheels are installed, a program imports only what it asks for."""

from __future__ import annotations

import pytest

from tests.packaging.conftest import run

#: What each store needs: packages of ours, and libraries.
NEEDS = {
    "ext:redis": {"beaker_redis", "redis"},
    "ext:memcached": {"beaker_memcached", "pymemcache"},
    "ext:mongodb": {"beaker_mongodb", "bson", "pymongo"},
    "ext:google": {"beaker_google", "google", "requests"},
    "ext:database": {"beaker_sqla", "sqlalchemy"},
}

URLS = {
    "ext:redis": "redis://127.0.0.1:1/0",
    "ext:memcached": "127.0.0.1:1",
    "ext:mongodb": "mongodb://127.0.0.1:1/shop",
    "ext:google": "datastore://shop?endpoint=http://127.0.0.1:1",
    "ext:database": "sqlite://",
}

# Not cryptography: some clients import it themselves, for TLS.
ALL = {"beaker_crypto", *set().union(*NEEDS.values())}

PROGRAM = """
import sys
from beaker.middleware import CacheMiddleware, SessionMiddleware
app = SessionMiddleware(None, {{"session.type": {store!r}, "session.url": {url!r}}})
app = CacheMiddleware(app, {{"cache.type": {store!r}, "cache.url": {url!r}}})
app.cache_manager.get_cache("prices").get("pt", createfunc=lambda: 10)
print(*{{name.partition(".")[0] for name in sys.modules}})
"""


@pytest.mark.parametrize("store", NEEDS)
def test_a_program_that_names_one_store_imports_no_other(store: str) -> None:
    said = run(PROGRAM.format(store=store, url=URLS[store]))

    assert set(said.split()) & ALL == NEEDS[store]
