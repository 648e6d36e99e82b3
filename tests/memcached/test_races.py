"""What many processes do to one record at once."""

from __future__ import annotations

from typing import Any

from beaker.testing._processes import fork, kill
from tests.memcached.conftest import OpenNamespace


def test_what_was_put_is_there_whoever_drops_the_namespace_meanwhile(
    open_namespace: OpenNamespace,
) -> None:
    dropper = fork(lambda: drop_for_ever(open_namespace))
    try:
        store = open_namespace()
        outcomes = {stored_and_found(store, n) for n in range(500)}
    finally:
        kill(dropper)

    assert outcomes <= {None, True}
    assert True in outcomes


def drop_for_ever(open_namespace: OpenNamespace) -> None:
    store = open_namespace()
    while True:
        store.drop()


def stored_and_found(store: Any, number: int) -> bool | None:
    data = b"%d" % number
    store.store("key", data, 60)
    found = store.fetch("key")
    return None if found is None else bool(found == data)
