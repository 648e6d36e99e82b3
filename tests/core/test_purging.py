"""Sessions that nobody uses are removed from a whole store."""

from __future__ import annotations

import os
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest

import beaker.cache
from beaker._sessions.settings import settings_of
from beaker.exceptions import InvalidOptionError, UnsupportedOperationError
from beaker.protocols import Purged
from beaker.session import Session, purge_sessions
from tests.core.sessions import again, stored

Options = dict[str, Any]

HOUR = 3600.0


#: Where the stores on servers are: the fixture, the package, and its manager.
SERVERS = {
    "ext:redis": ("redis", "beaker_redis", "RedisNamespaceManager"),
    "ext:rediscluster": (
        "redis_cluster",
        "beaker_redis",
        "RedisClusterNamespaceManager",
    ),
    "ext:mongodb": ("mongodb", "beaker_mongodb", "MongoNamespaceManager"),
    "mariadb": ("mariadb", "beaker_sqla", "DatabaseNamespaceManager"),
    "postgres": ("postgres", "beaker_sqla", "DatabaseNamespaceManager"),
}
LOCAL = ["memory", "file", "dbm", "sqlite"]


@pytest.fixture(
    params=[
        *LOCAL,
        pytest.param("ext:redis", marks=pytest.mark.redis),
        pytest.param("ext:rediscluster", marks=pytest.mark.redis),
        pytest.param("ext:mongodb", marks=pytest.mark.mongodb),
        pytest.param("mariadb", marks=pytest.mark.sqla),
        pytest.param("postgres", marks=pytest.mark.sqla),
    ]
)
def options(request: pytest.FixtureRequest, tmp_path: Path) -> Options:
    """The options of sessions in a store, or a part of one, of this test's own."""
    kind = request.param
    if kind in LOCAL:
        prefix = f"{tmp_path}:" if kind == "memory" else ""
        return {"type": kind, "data_dir": str(tmp_path / "data"), "prefix": prefix}
    name, package, manager = SERVERS[kind]
    wheel = pytest.importorskip(package, reason="this run has the core alone")
    options = {
        "namespace_class": getattr(wheel, manager),
        "url": request.getfixturevalue(f"{name}_url"),
        "store_timeout": 5,
    }
    if package == "beaker_sqla":
        return {**options, "table_name": f"beaker_{uuid4().hex}"}
    return {**options, "prefix": f"[{tmp_path}]*:"}


def aged(options: Options, seconds: float, id: str | None = None) -> str:
    """Return the id of a session that was last used so long ago."""
    session = Session({}, id, use_cookies=False, **options)
    session["n"] = 1
    session.save()
    assert session._stored.store.touch("session", None, time.time() - seconds)
    return session.id


def last(progress: Iterator[Purged]) -> Purged:
    return list(progress)[-1]


def test_what_was_not_used_for_so_long_is_removed_and_nothing_else(
    options: Options,
) -> None:
    old, young = aged(options, 2 * HOUR), aged(options, HOUR / 2)
    new = stored(options, n=1).id

    done = last(purge_sessions(options, HOUR))

    assert done[:2] == (3, 1)
    assert [again(options, one).is_new for one in (old, young, new)] == [
        *(True, False, False)
    ]


def test_odd_ids_are_removed_too(options: Options) -> None:
    ids = ["a.progress.b", "x/", "../escape", "ü" * 300, "a", "\ud800"]
    for one in ids:
        aged(options, 2 * HOUR, one)

    assert last(purge_sessions(options, HOUR))[:2] == (6, 6)
    assert all(again(options, one).is_new for one in ids)


def test_a_dry_run_counts_and_removes_nothing(options: Options) -> None:
    old = aged(options, 2 * HOUR)
    aged(options, 0)

    done = last(purge_sessions(options, HOUR, dry_run=True))

    assert done[:2] == (2, 1)
    assert not again(options, old).is_new
    assert last(purge_sessions(options, HOUR))[:2] == (2, 1)


def test_nothing_is_removed_where_nothing_is(options: Options) -> None:
    assert last(purge_sessions(options, HOUR)) == (0, 0, 0)


def test_saving_is_use(options: Options) -> None:
    known = aged(options, 2 * HOUR)
    session = again(options, known)
    session["n"] = 2
    session.save()

    assert last(purge_sessions(options, HOUR))[:2] == (1, 0)
    assert again(options, known)["n"] == 2


def test_the_counts_grow_on_the_way(options: Options) -> None:
    for _ in range(30):
        aged(options, 2 * HOUR)

    progress = list(purge_sessions(options, HOUR))

    counts = [each[:2] for each in progress]
    assert counts == sorted(counts)
    assert progress[-1] == (30, 30, 30)


def test_by_default_those_past_their_timeout_are_removed(options: Options) -> None:
    timed = {**options, "timeout": 600}
    old, young = aged(timed, 2 * HOUR), aged(timed, 300)

    assert last(purge_sessions(timed))[:2] == (2, 1)
    assert [again(timed, one).is_new for one in (old, young)] == [True, False]


def test_without_a_timeout_somebody_has_to_say_how_long(options: Options) -> None:
    with pytest.raises(InvalidOptionError, match=r"timeout.*seconds"):
        purge_sessions(options)


def test_a_session_that_is_used_meanwhile_stays(options: Options) -> None:
    if options.get("type") == "memory":
        pytest.skip("there it is one step")
    ids = {aged(options, 2 * HOUR) for _ in range(600)}
    progress = purge_sessions(options, HOUR)

    removed = next(progress).removed
    used = next(one for one in ids if not again(options, one).is_new)
    again(options, used).save(accessed_only=True)
    done = list(progress)[-1]

    assert removed < 600
    assert done.removed == 599
    assert not again(options, used).is_new


def test_caches_are_left_alone(options: Options, own_registries: None) -> None:
    from beaker.cache import Cache

    assert own_registries is None
    given = dict(options)
    if "namespace_class" in given:
        given["type"] = "ours"
        beaker.cache.clsmap["ours"] = given.pop("namespace_class")
    cache = Cache("prices", **given)
    cache.put("session", 1)
    for path in Path(options.get("data_dir", "none")).rglob("*"):
        os.utime(path, (0, 0))

    done = last(purge_sessions(options, 0.0))

    assert done.removed == 0
    assert cache.get("session") == 1


def test_what_dead_processes_left_is_removed(tmp_path: Path) -> None:
    options = {"type": "file", "data_dir": str(tmp_path)}
    known = stored(options, n=1).id
    directory = tmp_path / "container_file" / known[0] / known[:2]
    old, fresh = directory / f"{known}.cache.0.tmp", directory / f"{known}.cache.1.tmp"
    old.touch()
    fresh.touch()
    os.utime(old, (0, 0))

    list(purge_sessions(options, HOUR))

    assert not old.exists()
    assert fresh.exists()
    assert not again(options, known).is_new


def test_links_lead_a_purge_nowhere(tmp_path: Path) -> None:
    elsewhere = tmp_path / "elsewhere"
    options = {"type": "file", "data_dir": str(tmp_path / "data")}
    stored(options, n=1)
    place = tmp_path / "data" / "container_file"
    # The session is under a digit that chance has chosen.
    digit = next(one for one in "ab" if not (place / one).exists())
    victim = elsewhere / f"{digit}b" / f"{digit}bc.cache"
    victim.parent.mkdir(parents=True)
    victim.touch()
    os.utime(victim, (0, 0))
    (place / "x").mkdir()
    (place / digit).symlink_to(elsewhere)
    (place / "x" / "xb").symlink_to(victim.parent)

    list(purge_sessions(options, HOUR))

    assert victim.exists()


def test_a_store_that_cannot_look_says_so() -> None:
    from tests.core.test_session_plugins_of_1 import FormerStore

    with pytest.raises(UnsupportedOperationError, match="unused sessions"):
        list(purge_sessions({"namespace_class": FormerStore}, HOUR))


def test_sessions_in_cookies_cannot_be_removed() -> None:
    with pytest.raises(UnsupportedOperationError, match="cookie"):
        purge_sessions({"type": "cookie", "validate_key": "v" * 20}, HOUR)


def test_the_settings_are_those_of_the_sessions(options: Options) -> None:
    assert settings_of(options).opener.open("").purge_sessions(HOUR, dry_run=True)
