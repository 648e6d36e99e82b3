"""What many processes do to one record at once."""

from __future__ import annotations

from google.cloud import datastore

from beaker.testing._processes import fork, wait_for
from beaker.testing._sharing import churn
from tests.google.conftest import OpenNamespace

KEYS = [f"key {number}" for number in range(30)]


def test_clearing_and_storing_leave_nothing(
    open_namespace: OpenNamespace, client: datastore.Client
) -> None:
    assert wait_for(fork(lambda: churn(open_namespace(), KEYS, 40)) for _ in range(4))
    store = open_namespace()
    store.drop()

    names = [store._names.name(key) for key in KEYS]
    assert client.get_multi([client.key("beaker_cache", name) for name in names]) == []
