"""Sessions while their store is away."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import pytest

from beaker.exceptions import StoreUnavailableError
from beaker.middleware import SessionMiddleware
from beaker.protocols import Lease, NamespaceManager
from beaker.session import Session
from beaker.testing._requests import by_cookie, stored
from beaker.testing._suite import rounds
from tests.core.callers import eventually
from tests.core.served import EACH, LASTING, Served, serving
from tests.core.sessions import KEY, Browser, Visit, contents, setting

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


def test_an_application_that_yields_is_answered_503_too(
    server: type[Switchable],
) -> None:
    def application(environ: Options, start_response: Any) -> Iterator[bytes]:
        setting(user="ann")(environ["beaker.session"])
        start_response("200 OK", [])
        yield b"fine"

    browser = Browser(SessionMiddleware(application, namespace_class=server))
    server.is_away = True

    response = browser.get()

    assert response.status == "503 Service Unavailable"
    assert "try again" in response.body
    assert response.cookie == ""


def test_an_answer_that_has_begun_ends_with_the_error(
    server: type[Switchable],
) -> None:
    def application(environ: Options, start_response: Any) -> Iterator[bytes]:
        start_response("200 OK", [])
        yield b"begun"
        server.is_away = True
        contents(environ["beaker.session"])

    browser = Browser(SessionMiddleware(application, namespace_class=server))

    with pytest.raises(StoreUnavailableError, match="connection refused"):
        browser.get(HTTP_COOKIE=f"beaker.session.id={'0' * 32}")


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


# -- real servers


@pytest.fixture(scope="module", params=EACH)
def served(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Served]:
    """A server that a test takes away and gives back, and the options of sessions."""
    with serving(request.param, tmp_path_factory.mktemp("sessions")) as started:
        yield started


def test_a_frozen_server_is_an_error_and_costs_nobody_his_session(
    served: Served,
) -> None:
    server, options = served

    for _ in range(rounds()):
        visit_while_it_is_away(options, server.freeze, server.thaw)


@pytest.mark.parametrize("served", LASTING, indirect=True)
def test_a_killed_server_is_an_error_and_costs_nobody_his_session(
    served: Served,
) -> None:
    server, options = served

    for _ in range(rounds()):
        visit_while_it_is_away(options, server.kill, server.start)


def visit_while_it_is_away(
    options: Options, take: Callable[[], object], give: Callable[[], object]
) -> None:
    """Let somebody with a session come before, meanwhile and afterwards."""
    known = stored(options, user="ann").id
    held = by_cookie(options, known)

    take()
    for invalidate in (False, True):
        with pytest.raises(StoreUnavailableError):
            by_cookie(options, known, invalidate_corrupt=invalidate)
    held["user"] = "eve"
    with pytest.raises(StoreUnavailableError):
        held.save()
    give()
    told: list[str] = []

    def is_back() -> bool:
        told.append(visitor(options, known))
        return told[-1] != "away"

    assert eventually(is_back)
    assert set(told) <= {"away", "ann"}
    assert "cookie_out" not in held.request


@pytest.mark.parametrize("served", LASTING, indirect=True)
def test_a_restart_of_the_server_logs_nobody_out(served: Served) -> None:
    server, options = served
    known = stored(options, user="ann").id

    for number in range(rounds()):
        (server.kill if number % 2 else server.stop)()
        server.start()

        assert visitor(options, known) == "ann"


def visitor(options: Options, id: str) -> str:
    """Return who it is whose cookie says this id, or what else is to be told."""
    try:
        session = by_cookie(options, id, invalidate_corrupt=True)
    except StoreUnavailableError:
        return "away"
    return str(session["user"]) if session.id == id else "somebody new"
