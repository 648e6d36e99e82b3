"""The options of these stores, and what they take."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import sqlalchemy as sa

from beaker.exceptions import InvalidOptionError
from beaker.protocols import Coercer, boolean, number, text
from beaker_sqla.dialects import DIALECTS

__all__ = ["ENGINE_OPTIONS", "a_table", "an_engine", "engine_options", "some_options"]


def an_engine(name: str, value: Any) -> sa.Engine:
    """Take an engine, or the engine of a connection."""
    if isinstance(value, sa.Engine | sa.Connection):
        if value.dialect.name in DIALECTS:
            return value.engine
        takes = f"an engine for {', '.join(DIALECTS)}"
        raise InvalidOptionError(name, value.dialect.name, takes)
    raise InvalidOptionError(name, value, "an Engine or a Connection of SQLAlchemy")


def a_table(name: str, value: Any) -> sa.Table:
    """Take a table."""
    if isinstance(value, sa.Table):
        return value
    takes = "a Table of SQLAlchemy, as make_cache_table() returns it"
    raise InvalidOptionError(name, value, takes)


def some_options(name: str, value: Any) -> dict[str, Any]:
    """Take options of an engine by name, with or without ``sa.`` in front.

    What stands in a file is text, and is brought to its type.
    """
    if not isinstance(value, Mapping):
        takes = "a dictionary of options of sqlalchemy.create_engine()"
        raise InvalidOptionError(name, value, takes)
    given = {str(key).removeprefix("sa."): value[key] for key in value}
    return {
        key: _OF_TEXT[key](f"sa.{key}", one)
        if isinstance(one, str) and key in _OF_TEXT
        else one
        for key, one in given.items()
    }


def _integer(name: str, value: Any) -> int:
    try:
        return int(value)
    except ValueError:
        raise InvalidOptionError(name, value, "a whole number") from None


def _boolean_or_debug(name: str, value: Any) -> bool | str:
    return "debug" if value == "debug" else boolean(name, value)


def _as_given(_name: str, value: Any) -> Any:
    return value


_OF_TEXT: Mapping[str, Coercer] = {
    "echo": _boolean_or_debug,
    "echo_pool": _boolean_or_debug,
    "max_overflow": _integer,
    "pool_pre_ping": boolean,
    "pool_recycle": _integer,
    "pool_size": _integer,
    "pool_timeout": number,
    "pool_use_lifo": boolean,
    "url": text,
}

#: The options of an engine that may stand in a file, each on a line of its own.
ENGINE_OPTIONS: Mapping[str, Coercer] = {f"sa.{name}": _as_given for name in _OF_TEXT}


def engine_options(own: Mapping[str, Any]) -> dict[str, Any]:
    """Return what was given for the engine, one by one or together, by name.

    Raises:
        InvalidOptionError: A value that its option does not take.
    """
    alone = {name: own[name] for name in ENGINE_OPTIONS if own.get(name) is not None}
    return {**(own.get("sa_opts") or {}), **some_options("sa_opts", alone)}
