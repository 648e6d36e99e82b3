"""The least that does the work: no library, no lock, no second process."""

from __future__ import annotations

import base64
import hmac
import json
import os
import pickle
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

from opened import MEMCACHED, REDIS, Ask, Opened, Requests, use
from works import TTL
from wsgi import KEY, SECRET, wsgi

__all__ = ["limit_of_caches", "limit_of_sessions"]


def limit_of_caches(store: str, place: Path) -> Opened:
    """Open a cache that is a dictionary, a file for each key, or a bare client."""
    opened: dict[str, Callable[[], Opened]] = {
        "memory": _limit_of_memory,
        "file": partial(_limit_of_file, place),
        "sqlite": partial(_limit_of_sqlite, place),
        "redis": _limit_of_redis,
        "memcached": _limit_of_memcached,
    }
    return opened[store]()


def _limit_of_memory() -> Opened:
    kept: dict[Any, tuple[float, Any]] = {}
    now = time.time

    def get(key: str) -> Any:
        expires, value = kept[key]
        if now() < expires:
            return value
        raise KeyError(key)

    def put(key: str, value: Any) -> None:
        kept[key] = now() + TTL, value

    def create(key: str, make: Callable[[], Any]) -> Any:
        found = kept.get(key)
        if found is None or found[0] <= now():
            found = kept[key] = now() + TTL, make()
        return found[1]

    def decorate(function: Callable[..., Any]) -> Callable[..., Any]:
        def cached(*args: Any) -> Any:
            return create(" ".join(map(str, args)), lambda: function(*args))

        return cached

    return Opened(get, put, create, decorate)


def _limit_of_file(place: Path) -> Opened:
    def get(key: str) -> Any:
        with open(f"{place}/{key}", "rb", 0) as file:
            return pickle.loads(file.read())

    def put(key: str, value: Any) -> None:
        with open(f"{place}/new", "wb", 0) as file:
            file.write(pickle.dumps(value, 5))
        os.replace(f"{place}/new", f"{place}/{key}")

    return Opened(get, put)


def _limit_of_sqlite(place: Path) -> Opened:
    import sqlite3

    base = sqlite3.connect(place / "limit.db", isolation_level=None)
    base.executescript(
        "pragma journal_mode=wal; pragma synchronous=normal;"
        "create table if not exists kept (k text primary key, v blob) without rowid"
    )

    def get(key: str) -> Any:
        row = base.execute("select v from kept where k=?", (key,)).fetchone()
        return pickle.loads(row[0])

    def put(key: str, value: Any) -> None:
        base.execute("replace into kept values (?,?)", (key, pickle.dumps(value, 5)))

    return Opened(get, put)


def _limit_of_redis() -> Opened:
    import redis

    client: Any = redis.Redis.from_url(REDIS)
    return Opened(
        lambda key: pickle.loads(client.get(key)),
        lambda key, value: client.set(key, pickle.dumps(value, 5), ex=TTL),
    )


def _limit_of_memcached() -> Opened:
    from pymemcache.client.base import Client

    client: Any = Client(MEMCACHED)
    # Two keys, as a namespace that can be cleared alone needs a second one.
    return Opened(
        lambda key: pickle.loads(client.get_many([key, "generation"])[key]),
        lambda key, value: client.set(
            key, pickle.dumps(value, 5), expire=TTL, noreply=False
        ),
    )


class _Floor:
    """The least session that is safe: a signature is checked, and a new one made."""

    def __init__(self, store: str, place: Path) -> None:
        self._in_cookie = store == "cookie"
        self._kept = None if self._in_cookie else limit_of_caches(store, place)

    def application(self, act: str, environ: Any, start_response: Any) -> list[bytes]:
        headers = []
        if act not in ("none", "untouched"):
            name, data = (
                (os.urandom(16).hex(), {})
                if act == "seed"
                else self._loaded(environ["HTTP_COOKIE"])
            )
            use(act, data)
            if not act.startswith("read"):
                headers.append(("Set-Cookie", self._saved(name, data)))
        start_response("200 OK", headers)
        return [b"ok"]

    def _loaded(self, cookie: str) -> tuple[str, Any]:
        body = cookie.partition("=")[2].rpartition(".")[0]
        if not hmac.compare_digest(_signed(body.encode()), cookie):
            message = "bad signature"
            raise RuntimeError(message)
        if self._kept is not None:
            return body, self._kept.get(body)
        return "", json.loads(base64.urlsafe_b64decode(body))

    def _saved(self, name: str, data: Any) -> str:
        if self._kept is None:
            return _signed(base64.urlsafe_b64encode(json.dumps(data).encode()))
        self._kept.set(name, data)
        return _signed(name.encode())


def limit_of_sessions(store: str, place: Path) -> Requests:
    """Answer requests with the least session that is safe."""
    floor = _Floor(store, place)

    def ask(act: str) -> Ask:
        return wsgi(partial(floor.application, act))

    return Requests(ask)


def _signed(body: bytes) -> str:
    mac = hmac.digest(SECRET.encode(), body, "sha256")
    return f"{KEY}={body.decode()}.{base64.urlsafe_b64encode(mac).decode()}"
