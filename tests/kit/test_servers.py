"""The ports of servers that tests start side by side."""

from __future__ import annotations

import random

import pytest

from beaker.testing._servers import claimed_port, free_port


class _Owner:
    """Stands for a server."""


def test_a_port_that_was_claimed_is_given_to_nobody_else(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    owner = _Owner()
    claimed, other = claimed_port(owner), free_port()
    ports = iter([claimed, other])
    monkeypatch.setattr(random, "randrange", lambda *_: next(ports))

    assert free_port() == other


def test_a_port_is_free_again_without_its_owner(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    owner = _Owner()
    claimed = claimed_port(owner)
    del owner
    monkeypatch.setattr(random, "randrange", lambda *_: claimed)

    assert free_port() == claimed
