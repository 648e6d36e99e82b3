"""Sessions in an application behind a real server, on each store."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from itertools import product
from typing import Any

import pytest

from beaker.testing import wait_until
from tests.stores.kinds import SERVERS, marks, opened
from tests.web.sites import Site, site
from tests.web.visitor import Answer, Visitor, in_parallel

#: All servers with these, and the others with the one that forks most.
THOROUGH = ("file", "sqlite", "redis")
FORKING = "gunicorn, workers"
KINDS = ["waitress", "gunicorn, threads", FORKING]

VISITORS, REQUESTS = 8, 5


def combinations() -> Iterator[Any]:
    """Return each server with each store that it is tried with."""
    for server, store in product(KINDS, SERVERS):
        if server == FORKING or store in THOROUGH:
            name = f"{server}, {store}"
            yield pytest.param((server, store), marks=marks(store), id=name)


@pytest.fixture(scope="module", params=combinations())
def served(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Site]:
    """The application on one server and one store."""
    server, store = request.param
    directory = tmp_path_factory.mktemp("site")
    (directory / "store").mkdir(mode=0o700)
    raw = opened(store, directory / "store", request.getfixturevalue)
    with site(server, directory / "server", raw.options) as running:
        yield running
    raw.close()


def test_no_visitor_is_taken_for_another_and_no_addition_is_lost(served: Site) -> None:
    names = [f"visitor-{number}" for number in range(VISITORS)]
    visitors = [served.visitor(name) for name in names]
    pages = [f"/add?key=key-{number}" for number in range(REQUESTS)]

    answers = in_parallel(list(product(visitors, pages)))

    assert [answer.status for answer in answers] == [200] * VISITORS * REQUESTS
    assert [answer.body for answer in answers] == [n for n in names for _ in pages]
    kept = [visitor.get("/keys").body for visitor in visitors]
    assert kept == [str(REQUESTS)] * VISITORS
    seen = {answer.process for answer in answers}
    assert len(seen) <= served.processes


def test_each_process_reads_what_was_stored_before_it_was_forked(served: Site) -> None:
    answers: list[Answer] = []

    def all_have_answered() -> bool:
        answers.extend(in_parallel([(served.visitor(), "/preloaded")] * 8))
        return len({answer.process for answer in answers}) == served.processes

    wait_until(all_have_answered, lambda: "some of its processes never answer")

    assert {answer.body for answer in answers} == {"the one who loads"}


def test_a_request_that_ends_after_a_logout_does_not_bring_it_back(
    served: Site,
) -> None:
    visitor = served.visitor("ann")
    old = visitor.cookie
    for name in ("loaded", "go"):
        (served.gate / name).unlink(missing_ok=True)

    with ThreadPoolExecutor(1) as pool:
        slow = pool.submit(Visitor(served.url, old).get, "/slow?key=late")
        wait_until((served.gate / "loaded").exists, lambda: "it does not load")
        out = visitor.get("/logout")
        (served.gate / "go").touch()
        late = slow.result()

    assert (out.status, late.status) == (200, 200)
    assert late.cookie is None
    # Neither what it had, nor what the late one added.
    again = Visitor(served.url, old)
    assert (again.get("/name").body, again.get("/keys").body) == ("nobody", "0")


def test_an_id_that_was_rotated_is_dead_in_every_process(served: Site) -> None:
    visitor = served.visitor("ann")
    old = visitor.cookie

    assert visitor.get("/rotate").body == "ann"

    assert visitor.cookie != old
    thieves = in_parallel([(Visitor(served.url, old), "/name")] * 8)
    assert {answer.body for answer in thieves} == {"nobody"}
    assert visitor.get("/name").body == "ann"
