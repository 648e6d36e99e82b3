"""Sessions that Beaker 1.x wrote, as its clients left them on the server."""

from __future__ import annotations

import pickle
from base64 import b64encode
from typing import Any
from uuid import uuid4

import pytest

from beaker.session import Session
from beaker_memcached.names import SessionNames
from tests.memcached.conftest import OpenNamespace

#: What 1.14.1 with python-memcached had under ``<id>_session``: text, flags 16.
TEXT = 16

DATA = {"_creation_time": 1.8e9, "_accessed_time": 1.8e9, "user": "admin"}


@pytest.mark.parametrize(
    ("namespace", "name"),
    [
        ("0" * 32, f"{'0' * 32}_session"),
        ("sid.progress.key", "sid.progress.key_session"),
        ("a b", "aÂ·b_session"),
        ("é", "é_session"),
        ("x" * 242, f"{'x' * 242}_session"),
        ("x" * 243, "f2a1adb09feeab32e9655299219b23af78d9aed2"),
        ("x" * 260, "d897621ae90acc9381e6212bd9841397443596ac"),
    ],
)
def test_a_session_is_where_1x_had_it(namespace: str, name: str) -> None:
    assert SessionNames(namespace, "").record("session") == name


def test_with_a_prefix_it_is_elsewhere() -> None:
    # 1.x had none; and no prefix may run into an id.
    assert not SessionNames("c", "ab").record("session").endswith("c_session")


def test_its_payload_is_returned_as_it_was_written(
    open_namespace: OpenNamespace, raw: Any, module: str
) -> None:
    payload, id_ = b64encode(pickle.dumps(DATA, 2)), uuid4().hex
    raw.set(f"{id_}_session", payload, flags=TEXT)
    options = {"purpose": "session", "memcache_module": module, "prefix": ""}

    session = open_namespace(id_, **options)

    assert session.fetch_accessed("session") == (payload, None)


def test_it_is_loaded_and_saved_as_one_of_today(
    memcached_url: str, raw: Any, module: str
) -> None:
    id_ = uuid4().hex
    raw.set(f"{id_}_session", b64encode(pickle.dumps(DATA, 2)), flags=TEXT)

    def opened() -> Session:
        return Session(
            {},
            id_,
            use_cookies=False,
            type="ext:memcached",
            url=memcached_url,
            memcache_module=module,
        )

    session = opened()
    assert session["user"] == "admin"
    session["more"] = 1
    session.save()

    again = opened()
    assert (again["user"], again["more"]) == ("admin", 1)
    again.delete()
    assert opened().is_new
