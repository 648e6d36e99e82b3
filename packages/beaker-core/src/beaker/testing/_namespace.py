"""The storage contract as one suite: what every store promises, whichever it is."""

from __future__ import annotations

from beaker.testing._abilities import AbilityTests
from beaker.testing._expiry import ExpiryTests
from beaker.testing._fences import FenceTests
from beaker.testing._names import NameTests
from beaker.testing._records import RecordTests
from beaker.testing._sharing import SharingTests
from beaker.testing._strangers import StrangerTests

__all__ = ["NamespaceManagerSuite"]


class NamespaceManagerSuite(
    RecordTests,
    ExpiryTests,
    NameTests,
    FenceTests,
    SharingTests,
    StrangerTests,
    AbilityTests,
):
    """All that a store promises, tested: inherit, and give the fixture `options`.

    ::

        class TestRiak(NamespaceManagerSuite):
            @pytest.fixture
            def options(self, riak_url):
                return {"type": "riak", "url": riak_url}

    Which tests run is told by the abilities that the store's class claims. Give the
    fixture `restart`, too, where a server can be restarted.
    """
