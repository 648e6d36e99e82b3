"""A URL that leads nowhere: who says so, when, and what he does not say."""

from __future__ import annotations

from typing import Any, NamedTuple

import pytest

from beaker.cache import Cache
from beaker.exceptions import InvalidOptionError, StoreUnavailableError
from beaker.testing._servers import free_port

#: A name that no server of names knows: RFC 6761 keeps it free.
NOWHERE = "nowhere.invalid"

PASSWORD = "hidden-word"

REMEDY = "check that it runs and that the option 'url' leads to it"


class Kind(NamedTuple):
    """A store, and how its URL is written."""

    store: str
    url: str

    def at(self, address: str) -> str:
        """Return a URL that leads to an address."""
        return self.url.format(login=f"me:{PASSWORD}@", address=address)


KINDS = [
    Kind("ext:redis", "redis://{login}{address}/0"),
    Kind("ext:redis", "redis+sentinel://{login}{address}/mymaster"),
    Kind("ext:rediscluster", "redis://{login}{address}"),
    Kind("ext:memcached", "{address}"),
    Kind("ext:mongodb", "mongodb://{login}{address}/shop"),
    Kind("ext:google", "datastore://shop?endpoint=http://{address}"),
    Kind("ext:database", "postgresql+psycopg://{login}{address}/shop"),
    Kind("ext:database", "mysql+pymysql://{login}{address}/shop"),
]

each_kind = pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.url)


def opened(store: str, url: str, **options: Any) -> Cache:
    return Cache("prices", type=store, url=url, **options)


@each_kind
def test_a_host_that_nobody_knows_is_told_at_the_first_use(
    kind: Kind, caplog: pytest.LogCaptureFixture
) -> None:
    cache = opened(kind.store, kind.at(NOWHERE))

    with pytest.raises(StoreUnavailableError) as raised:
        cache.put("pt", 1)

    told = str(raised.value)
    assert told.startswith(f"store {kind.store} at ")
    assert NOWHERE in told
    assert told.endswith(REMEDY)
    assert PASSWORD not in told + caplog.text


@each_kind
def test_a_port_that_nobody_listens_on_is_told_at_the_first_use(
    kind: Kind, caplog: pytest.LogCaptureFixture
) -> None:
    address = f"127.0.0.1:{free_port()}"
    # Whoever waits for more than the refusal waits for longer than a test may take.
    cache = opened(kind.store, kind.at(address), store_timeout=60)

    with pytest.raises(StoreUnavailableError) as raised:
        cache.put("pt", 1)

    told = str(raised.value)
    assert told.startswith(f"store {kind.store} at ")
    assert address in told
    assert told.endswith(REMEDY)
    assert PASSWORD not in told + caplog.text


@each_kind
def test_a_cached_function_answers_without_its_store(kind: Kind) -> None:
    cache = opened(kind.store, kind.at(NOWHERE))

    assert cache.get("pt", createfunc=lambda: "made") == "made"


@pytest.mark.parametrize("store", sorted({kind.store for kind in KINDS}))
@pytest.mark.parametrize(
    "url", ["http://me:{}@host/0", "me:{}@host:port", "nonsense://host/0"]
)
def test_what_is_no_url_of_its_kind_is_told_with_what_is(store: str, url: str) -> None:
    with pytest.raises(InvalidOptionError) as raised:
        opened(store, url.format(PASSWORD)).put("pt", 1)

    told = f"{raised.value} {raised.value.__cause__} {raised.value.args}"
    assert told.startswith(f"option 'url' of {store} takes ")
    assert PASSWORD not in told
