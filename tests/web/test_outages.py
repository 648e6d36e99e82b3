"""A server's visitors while the store of their sessions is killed, and when it is back."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from beaker.testing import KNOWN, Server, wait_until
from tests.web.sites import site
from tests.web.visitor import Visitor, in_parallel

#: So that it has its records again when it is back.
DURABLE = ("--appendonly", "yes", "--appendfsync", "always")


@pytest.fixture
def redis_server(tmp_path: Path) -> Iterator[Server]:
    """A Redis that forgets nothing."""
    with Server(KNOWN["redis"], tmp_path / "redis", *DURABLE) as server:
        yield server


@pytest.mark.parametrize("kind", ["waitress", "gunicorn, threads", "gunicorn, workers"])
def test_nobody_is_logged_out_by_an_outage(
    redis_server: Server, kind: str, tmp_path: Path
) -> None:
    options = {"type": "ext:redis", "url": redis_server.url}
    with site(kind, tmp_path / "site", options) as running:
        visitor, stranger = running.visitor("ann"), Visitor(running.url)
        cookie = visitor.cookie
        redis_server.kill()

        away = [visitor.get(page) for page in ["/name", "/add?key=a", "/logout"] * 4]
        new = stranger.get("/login?name=eve")
        redis_server.start()

        assert {answer.status for answer in away} == {503}
        assert {answer.cookie for answer in away} == {None}
        assert (new.status, new.cookie) == (503, None)
        back: set[str | None] = set()

        def is_back_for_all() -> bool:
            # Each process finds that out for itself.
            answers = in_parallel([(visitor, "/name")] * 8)
            back.update(one.process for one in answers if one.status == 200)
            return len(back) == running.processes

        wait_until(is_back_for_all, lambda: f"only for {back}")
        answers = [visitor.get("/name") for _ in range(20)]
        assert {answer.body for answer in answers} == {"ann"}
        assert visitor.cookie == cookie
        assert visitor.get("/keys").body == "0"
