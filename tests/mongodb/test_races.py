"""What many processes do to one record at once."""

from __future__ import annotations

from beaker.testing._processes import fork, wait_for
from beaker.testing._sharing import churn
from tests.mongodb.conftest import OpenNamespace, Raw

KEYS = [f"key {number}" for number in range(30)]


def test_clearing_and_storing_leave_nothing(
    open_namespace: OpenNamespace, raw: Raw
) -> None:
    assert wait_for(fork(lambda: churn(open_namespace(), KEYS, 100)) for _ in range(4))
    store = open_namespace()
    store.drop()

    mine = {"namespace": store._names.namespace}
    assert raw["beaker_cache"].count_documents(mine) == 0
