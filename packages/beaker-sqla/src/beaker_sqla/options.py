"""The options of these stores, and what they take."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import sqlalchemy as sa

from beaker.exceptions import InvalidOptionError
from beaker.protocols import Coercer, boolean, text

__all__ = ["ENGINE_OPTIONS", "a_table", "an_engine", "engine_options", "some_options"]


def an_engine(name: str, value: Any) -> sa.Engine:
    """Take an engine, or the engine of a connection."""
    if isinstance(value, sa.Engine | sa.Connection):
        return value.engine
    raise InvalidOptionError(name, value, "an Engine or a Connection of SQLAlchemy")


def a_table(name: str, value: Any) -> sa.Table:
    """Take a table."""
    if isinstance(value, sa.Table):
        return value
    takes = "a Table of SQLAlchemy, as make_cache_table() returns it"
    raise InvalidOptionError(name, value, takes)


def some_options(name: str, value: Any) -> dict[str, Any]:
    """Take options of an engine by name, with or without ``sa.`` in front."""
    if not isinstance(value, Mapping):
        takes = "a dictionary of options of sqlalchemy.create_engine()"
        raise InvalidOptionError(name, value, takes)
    return {str(key).removeprefix("sa."): value[key] for key in value}


def _as_given(_name: str, value: Any) -> Any:
    return value


#: The options of an engine that a file of settings may hold. SQLAlchemy brings the
#: others to their types by itself.
ENGINE_OPTIONS: Mapping[str, Coercer] = {
    "sa.url": text,
    "sa.pool_pre_ping": boolean,
    "sa.pool_use_lifo": boolean,
    **dict.fromkeys(
        (
            "sa.connect_args",
            "sa.echo",
            "sa.echo_pool",
            "sa.max_overflow",
            "sa.pool_recycle",
            "sa.pool_size",
            "sa.pool_timeout",
        ),
        _as_given,
    ),
}


def engine_options(own: Mapping[str, Any]) -> dict[str, Any]:
    """Return what was given for the engine, one by one or together, by name."""
    alone = {name: own[name] for name in ENGINE_OPTIONS if own.get(name) is not None}
    return {**(own.get("sa_opts") or {}), **some_options("sa_opts", alone)}
