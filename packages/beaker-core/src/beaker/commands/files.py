"""Finds Beaker's options in the configuration file of a program."""

from __future__ import annotations

import os
import tomllib
from collections.abc import Iterator, Mapping
from configparser import ConfigParser, Error, InterpolationError
from typing import Any, NamedTuple

from beaker.configuration import OF_PASTE, prefixed_options, with_dots
from beaker.exceptions import ConfigurationFileError

__all__ = ["Section", "sections_in"]

_KINDS = ("session", "cache")

#: How Paste names the session filter; there all options are the session's.
_FILTERS = (
    "egg:beaker#beaker_session",
    "egg:beaker-core#beaker_session",
    "beaker.middleware:session_filter_factory",
    "beaker.middleware:session_filter_app_factory",
)
_FOR_PASTE = ("use", "next", "paste.filter_factory", "paste.filter_app_factory")


class Section(NamedTuple):
    """A part of a file that configures sessions or caches.

    Attributes:
        name: As it stands in the file.
        session: The options of sessions without prefix, empty if there are none.
        cache: The options of caches without prefix, empty if there are none.
    """

    name: str
    session: dict[str, Any]
    cache: dict[str, Any]


def sections_in(path: str, only: str | None = None) -> list[Section]:
    """Return the sections of an INI or TOML file that configure Beaker.

    Args:
        path: The file; what ends in ``.toml`` is TOML.
        only: The one section that is wanted; None: all.

    Raises:
        ConfigurationFileError: It cannot be read, or has no such section.
    """
    parse = _toml if path.endswith(".toml") else _ini
    try:
        sections = [s for s in parse(path) if s.session or s.cache]
    except OSError as e:
        remedy = "give the path of an INI or TOML file that can be read"
        raise ConfigurationFileError(path, e.strerror, remedy) from e
    except (ValueError, Error) as e:
        raise ConfigurationFileError(path, str(e), "correct it") from e
    chosen = [s for s in sections if only in (None, s.name)]
    if chosen:
        return chosen
    names = ", ".join(s.name for s in sections)
    raise ConfigurationFileError(
        path,
        f"section {only!r} does not configure Beaker, these do: {names or 'none'}"
        if only
        else "no section has options that begin with session., beaker.session., "
        "cache. or beaker.cache.",
        "name another section or file",
    )


def _ini(path: str) -> Iterator[Section]:
    here = os.path.dirname(os.path.abspath(path))
    parser = ConfigParser({"here": here, "__file__": path}, strict=False)
    # Paste tells options apart by their case.
    parser.optionxform = str  # type: ignore[assignment,method-assign]  # as documented
    with open(path, encoding="utf-8") as file:
        parser.read_file(file)
    for name in parser.sections():
        # What all sections inherit makes none of them one of ours.
        own = {k for k in parser[name] if parser.defaults().get(k) is None}
        values = {key: _value(parser, name, key) for key in parser[name]}
        section = _section(name, values)
        if any(_is_ours(key) for key in own) or _is_filter(values):
            yield section
    if any(_is_ours(key) for key in parser.defaults()):
        yield _section("DEFAULT", dict(parser.defaults()))


def _value(parser: ConfigParser, section: str, key: str) -> str:
    try:
        return parser.get(section, key)
    except InterpolationError:
        # A lone percent sign, in a password for example.
        return parser.get(section, key, raw=True)


def _toml(path: str) -> Iterator[Section]:
    with open(path, "rb") as file:
        yield from _tables("the file", tomllib.load(file))


def _tables(name: str, table: Mapping[str, Any]) -> Iterator[Section]:
    yield _section(name, dict(_flat(table)))
    for key, inner in table.items():
        if isinstance(inner, Mapping) and key not in (*_KINDS, "beaker"):
            yield from _tables(key if name == "the file" else f"{name}.{key}", inner)


def _flat(table: Mapping[str, Any], prefix: str = "") -> Iterator[tuple[str, Any]]:
    for key, value in table.items():
        if not isinstance(value, Mapping):
            yield prefix + key, value
        elif prefix or key in (*_KINDS, "beaker"):
            yield from _flat(value, f"{prefix}{key}.")


def _section(name: str, values: Mapping[str, Any]) -> Section:
    values = with_dots(values)
    found = [prefixed_options(kind, values) for kind in _KINDS]
    if _is_filter(values):
        others = {*_FOR_PASTE, *OF_PASTE}
        bare = {k: v for k, v in values.items() if "." not in k and k not in others}
        found[0] = {**bare, **found[0]}
    return Section(name, *found)


def _is_ours(key: str) -> bool:
    return key.startswith(
        tuple(f"{before}{kind}." for kind in _KINDS for before in ("", "beaker."))
    )


def _is_filter(values: Mapping[str, Any]) -> bool:
    named = (values.get(key) for key in _FOR_PASTE)
    return any(isinstance(n, str) and n.strip().lower() in _FILTERS for n in named)
