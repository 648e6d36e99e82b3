"""No two different argument lists share a key, and no two records a name."""

from __future__ import annotations

from collections.abc import Callable
from random import Random
from typing import Any

import pytest

from beaker.backends._places import Place, digest
from beaker.backends._rows import record_row
from beaker.keys import FunctionKeys
from beaker.protocols import StoreOptions
from beaker_memcached.names import CacheNames, SessionNames
from beaker_mongodb.names import Names as MongoNames
from beaker_redis.names import Names as RedisNames
from beaker_sqla.names import digest_of, session_name, space_of
from tests.core.calls import FUNCTIONS, Call, meaning_of, text_of, typed_text_of
from tests.fuzz.effort import efforts

#: What keys are built with, what equals a default, and what looks like another value.
TEXTS = [*" \\:-#/?a1", "a b", "\\b:1", "b:1", "\\-", "\\#", "\\\\", "None", ""]
VALUES = [*TEXTS, 0, 1, 2, 3, None, 1.0, True, b"a", ["a", " "], ("a",)]
KEYWORDS = [*"abckl", "r", "o", "a/", "?a", "a:a", "b:x", "", " ", "-", "\\b"]

#: What the joints between the parts of a name are made of.
JOINTS = [*":_/.#@{}~!\0 ä2sl", "\ud800", "session", "beaker_cache:", "1:", "x" * 300]


def a_call(chance: Random, function: Callable[..., Any]) -> Call:
    """Return arguments that a function may take; most differ little from others."""
    args = chance.choices(VALUES, k=chance.randrange(5))
    names = chance.choices(KEYWORDS, k=chance.choice((0, 0, 1, 2)))
    missing = function.__code__.co_argcount - len(args)
    if missing > 0 and chance.random() < 0.5:
        names += function.__code__.co_varnames[len(args) :][:missing]
    return args, {name: chance.choice(VALUES) for name in names}


@pytest.mark.parametrize("typed", [False, True])
@pytest.mark.parametrize("function", FUNCTIONS)
@efforts(500, 100_000)
def test_calls_share_a_key_exactly_if_they_mean_the_same(
    function: Callable[..., Any], typed: bool, rounds: int
) -> None:
    chance = Random(rounds)  # noqa: S311  # to be repeated, not secret
    key_of = FunctionKeys(function, ["tag"], typed=typed).maker("", 10_000)
    counts_by = typed_text_of if typed else text_of
    # Each call is compared with all calls before it, both ways, at once.
    meanings: dict[str, str] = {}
    texts: dict[str, str] = {}
    valid = 0

    while valid < rounds:
        call = args, kwargs = a_call(chance, function)
        meaning = repr(meaning_of(function, call, counts_by))
        if meaning != "None":
            valid += 1
            key = key_of(tuple(args), kwargs)
            assert meanings.setdefault(key, meaning) == meaning, call
            assert texts.setdefault(meaning, key) == key, call


def in_files(namespace: str, key: str) -> Any:
    place = Place("file", StoreOptions(data_dir="/data"))
    return place.of_cache(namespace), digest(key)


def session_file(namespace: str, key: str) -> Any:
    return Place("file", StoreOptions(data_dir="/data")).of_session(namespace), key


def in_dbm(namespace: str, key: str) -> Any:
    return namespace, record_row(key)


def in_redis(namespace: str, key: str) -> Any:
    return RedisNames(namespace, "", "cache").record(key)


def session_in_redis(namespace: str, key: str) -> Any:
    return RedisNames(namespace, "", "session").record("session"), key


def in_memcached(namespace: str, key: str) -> Any:
    return CacheNames(namespace, "").record(key)


def session_in_memcached(namespace: str, key: str) -> Any:
    return SessionNames(namespace, "").record("session"), key


def in_mongodb(namespace: str, key: str) -> Any:
    return MongoNames(namespace, "", "cache").id(key)


def session_in_mongodb(namespace: str, key: str) -> Any:
    return MongoNames(namespace, "", "session").id("session"), key


def in_sql(namespace: str, key: str) -> Any:
    return space_of(namespace, ""), digest_of(key)


def session_in_sql(namespace: str, key: str) -> Any:
    # Databases that know no case are the strictest.
    return session_name(namespace, "", is_caseless=True).lower(), key


NAMINGS = [
    *(in_files, session_file, in_dbm, in_redis, session_in_redis, in_memcached),
    *(session_in_memcached, in_mongodb, session_in_mongodb, in_sql, session_in_sql),
]


@pytest.mark.parametrize("naming", NAMINGS)
@efforts(500, 100_000)
def test_no_two_records_share_a_name(
    naming: Callable[[str, str], Any], rounds: int
) -> None:
    chance = Random(rounds)  # noqa: S311  # to be repeated, not secret
    met: dict[Any, tuple[str, str]] = {}

    for _ in range(rounds):
        namespace, key = (
            "".join(chance.choices(JOINTS, k=chance.randrange(4))) for _ in range(2)
        )
        name = naming(namespace, key)
        assert met.setdefault(name, (namespace, key)) == (namespace, key)
