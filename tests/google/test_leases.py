"""What a lease leaves behind on the entity that it is on."""

from __future__ import annotations

from google.cloud import datastore

from tests.google.conftest import OpenNamespace


def test_a_lease_that_was_given_back_leaves_a_record_as_it_was(
    open_namespace: OpenNamespace, client: datastore.Client
) -> None:
    store = open_namespace()
    for key, ttl in (("mortal", 60), ("eternal", None)):
        store.store(key, b"data", ttl)
        entity = client.key("beaker_cache", store._names.name(key))
        before = client.get(entity)
        lease = store.lease(key)
        lease.acquire()
        assert lease.found == b"data"
        lease.release()

        assert client.get(entity) == before


def test_a_lease_that_was_given_back_leaves_nothing_where_nothing_was(
    open_namespace: OpenNamespace, client: datastore.Client
) -> None:
    store = open_namespace()
    lease = store.lease("key")
    lease.acquire()
    lease.release()

    assert client.get(client.key("beaker_cache", store._names.name("key"))) is None
