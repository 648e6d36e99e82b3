"""What a creation lock lets stand in a document."""

from __future__ import annotations

from tests.mongodb.conftest import OpenNamespace, Raw


def test_a_lease_that_was_given_back_leaves_a_record_as_it_was(
    open_namespace: OpenNamespace, raw: Raw
) -> None:
    store = open_namespace()
    for key, ttl in (("mortal", 60), ("eternal", None)):
        store.store(key, b"data", ttl)
        before = raw["beaker_cache"].find_one({"_id": store._names.id(key)})
        lease = store.lease(key)
        lease.acquire()
        assert lease.found == b"data"
        lease.release()

        assert raw["beaker_cache"].find_one({"_id": store._names.id(key)}) == before
