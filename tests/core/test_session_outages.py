"""Sessions while their store is away."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from beaker.exceptions import StoreUnavailableError
from beaker.protocols import Lease, NamespaceManager
from beaker.session import Session
from tests.core.sessions import KEY, Visit, contents, setting

Options = dict[str, Any]


class Switchable(NamespaceManager):
    """A store of one process that can be taken away."""

    shared_between_hosts = True
    expires_natively = True
    is_away: bool
    kept: Options

    def _check(self) -> None:
        if type(self).is_away:
            raise OSError("connection refused")

    def fetch(self, key: str) -> bytes | None:
        """Return what is kept."""
        self._check()
        return self.kept.get(self.namespace + key)

    def store(self, key: str, data: bytes, ttl: float | None) -> None:
        """Keep."""
        del ttl
        self._check()
        self.kept[self.namespace + key] = data

    def discard(self, key: str) -> bool:
        """Remove."""
        self._check()
        return self.kept.pop(self.namespace + key, None) is not None

    def replace(
        self, key: str, expected: bytes | None, data: bytes, ttl: float | None
    ) -> bool:
        """Compare and set."""
        if self.fetch(key) != expected:
            return False
        self.store(key, data, ttl)
        return True

    def lease(self, key: str) -> Lease:
        """Refuse: not needed here."""
        raise NotImplementedError(key)


@pytest.fixture
def server() -> Iterator[type[Switchable]]:
    """A store of this test's own, which is there."""

    class Ours(Switchable):
        is_away = False
        kept: Options = {}  # noqa: RUF012 - shared by all, as a server is

    yield Ours
    Ours.is_away = False


@pytest.fixture
def away(server: type[Switchable]) -> Visit:
    """A visit with a session in a store that has gone away."""
    visit = Visit(namespace_class=server)
    visit.request(setting(user="ann"))
    server.is_away = True
    return visit


def test_an_unreachable_store_is_answered_503_and_costs_no_session(
    away: Visit,
) -> None:
    before = dict(away.browser.cookies)

    responses = [away.request(act) for act in (contents, setting(user="eve"))]

    for response in responses:
        assert response.status == "503 Service Unavailable"
        assert response.all("Retry-After") == ["1"]
        assert response.cookie == ""
    assert away.browser.cookies == before


def test_an_unreachable_store_is_never_a_new_session(
    away: Visit, server: type[Switchable]
) -> None:
    cookie = f"{KEY}={away.browser.cookies[KEY]}"

    with pytest.raises(StoreUnavailableError, match="connection refused"):
        Session(
            {"cookie": cookie},
            invalidate_corrupt=True,
            key=KEY,
            namespace_class=server,
        )


def test_requests_without_a_session_do_not_notice(away: Visit) -> None:
    assert away.request(lambda _session: "fine").body == "fine"
