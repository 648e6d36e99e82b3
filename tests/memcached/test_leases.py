"""What a creation lock leaves on the server, and what it lets stand."""

from __future__ import annotations

import time
from typing import Any

import pytest

from tests.memcached.conftest import OpenNamespace


def test_taking_a_lease_keeps_the_stale_record_and_its_end(
    open_namespace: OpenNamespace,
) -> None:
    store = open_namespace()
    store.store("key", b"stale", 1.0)
    lease = store.lease("key")

    assert lease.acquire()
    assert store.fetch("key") == b"stale"
    lease.release()
    time.sleep(3.1)

    assert store.fetch("key") is None


def test_a_released_lease_leaves_nothing_behind(
    open_namespace: OpenNamespace, raw: Any
) -> None:
    store = open_namespace()
    lease: Any = store.lease("key")
    lease.acquire()
    assert len(raw.get_many(lease._names)) == 3

    lease.release()

    assert raw.get_many(lease._names) == {
        lease._generation_name: raw.get(lease._generation_name)
    }


@pytest.mark.parametrize("is_renewed", [False, True])
def test_who_fills_frees_the_lease_at_once(
    open_namespace: OpenNamespace, is_renewed: bool
) -> None:
    store = open_namespace()
    lease: Any = store.lease("key")
    lease.acquire()
    if is_renewed:
        assert lease.renew()

    assert store.fill("key", b"data", 60, lease)

    following = open_namespace().lease("key")
    assert following.acquire(wait=False)
    following.release()
