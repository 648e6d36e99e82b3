"""What many processes do to one record at once."""

from __future__ import annotations

from redis import Redis

from beaker.testing._processes import fork, wait_for
from beaker.testing._sharing import churn
from tests.redis.conftest import OpenNamespace

KEYS = [f"key {number}" for number in range(30)]


def test_clearing_and_storing_leave_nothing_that_is_not_indexed(
    open_namespace: OpenNamespace, raw: Redis, prefix: str
) -> None:
    assert wait_for(fork(lambda: churn(open_namespace(), KEYS, 150)) for _ in range(4))
    open_namespace().drop()

    left = [name for name in raw.scan_iter(f"{prefix}*") if b"}!" not in name]
    assert left == []
