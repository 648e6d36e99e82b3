"""The options of one section, out of the configuration of a whole program."""

from __future__ import annotations

import re
import sys
import warnings
from collections.abc import Iterable, Iterator, Mapping, MutableMapping
from typing import Any, TypeVar

from beaker.exceptions import (
    BeakerWarning,
    InvalidOptionError,
    UnknownOptionError,
    UnknownRegionError,
)
from beaker.option_tables import (
    CACHE_OPTIONS,
    DEFAULT_KEY_LENGTH,
    LEFTOVERS,
    SESSION_OPTIONS,
)
from beaker.options import Coercer, did_you_mean, listing

__all__ = [
    "CACHE_DEFAULTS",
    "CACHE_OPTIONS",
    "DEFAULT_KEY_LENGTH",
    "OF_PASTE",
    "SESSION_DEFAULTS",
    "SESSION_OPTIONS",
    "cache_options",
    "coerce_cache_options",
    "coerce_session_options",
    "prefixed_options",
    "region_options",
    "session_options",
    "tell_program",
    "unknown_options",
    "warn_unknown",
    "with_dots",
]

Options = TypeVar("Options", bound=MutableMapping[str, Any])

_TABLES = {"session": SESSION_OPTIONS, "cache": CACHE_OPTIONS}

#: What the session middleware starts from.
SESSION_DEFAULTS: Mapping[str, Any] = {
    "data_dir": None,
    "invalidate_corrupt": True,
    "key": "beaker.session.id",
    "log_file": None,
    "save_accessed_time": True,
    "secret": None,
    "timeout": None,
    "type": None,
}

#: What a cache starts from.
CACHE_DEFAULTS: Mapping[str, Any] = {
    "data_dir": None,
    "enabled": True,
    "expire": None,
    "log_file": None,
    "type": "memory",
}

_OURS = re.compile(r"beaker\.|functools$")

#: What Paste hands to every filter beside the filter's own options.
OF_PASTE = frozenset({"__file__", "debug", "here"})


def session_options(
    config: Mapping[str, Any] | None, keywords: Mapping[str, Any]
) -> dict[str, Any]:
    """Return the options of a session out of a configuration, coerced.

    Args:
        config: All options of a program; those that begin with ``session.`` or
            ``beaker.session.`` count, or all of them if none does.
        keywords: Options by name, with or without prefix; they win.

    Raises:
        InvalidOptionError: A value that its option does not take.
    """
    chosen = {**SESSION_DEFAULTS, **_take("session", config, keywords)}
    return coerce_session_options(chosen)


def cache_options(
    config: Mapping[str, Any] | None, keywords: Mapping[str, Any]
) -> dict[str, Any]:
    """Return the options of a cache out of a configuration, coerced.

    The regions stand in ``cache_regions``, with what they inherit filled in.

    Args:
        config: All options of a program; those that begin with ``cache.`` or
            ``beaker.cache.`` count, or all of them if none does.
        keywords: Options by name, with or without prefix; they win.

    Raises:
        InvalidOptionError: A value that its option does not take.
    """
    chosen = {**CACHE_DEFAULTS, **_take("cache", config, keywords)}
    return region_options(coerce_cache_options(chosen))


def coerce_session_options(given: Options) -> Options:
    """Bring the options of a session to their types, in place.

    Raises:
        InvalidOptionError: A value that its option does not take.
    """
    _coerce(given, SESSION_OPTIONS)
    timed = given.get("timeout") is not None
    if timed and not given.get("save_accessed_time", True):
        raise InvalidOptionError("save_accessed_time", False, "true with a timeout")
    return given


def coerce_cache_options(given: Options) -> Options:
    """Bring the options of a cache or a region to their types, in place.

    Raises:
        InvalidOptionError: A value that its option does not take.
    """
    _coerce(given, CACHE_OPTIONS)
    return given


def region_options(given: Options) -> Options:
    """Gather the options of each region in ``cache_regions``, in place.

    A region inherits what it does not set. What only a store understands, and where
    it is, passes on to a region of the same type.

    Args:
        given: Options of a cache, coerced, those of a region under ``name.option``.

    Raises:
        InvalidOptionError: A value that its option does not take.
    """
    names = [name for name in given.pop("regions", None) or () if name]
    own = {name: _of_region(given, name) for name in names}
    if names:
        given["cache_regions"] = {
            name: coerce_cache_options({**_inherited(given, own[name]), **own[name]})
            for name in names
        }
    return given


def prefixed_options(section: str, given: Mapping[str, Any]) -> dict[str, Any]:
    """Return the options that a prefix marks as a section's, without it.

    Args:
        section: "session" or "cache".
        given: All options of a program; ``session.`` wins over ``beaker.session.``.
    """
    return {
        name.removeprefix(prefix): value
        for prefix in (f"beaker.{section}.", f"{section}.")
        for name, value in given.items()
        if name.startswith(prefix)
    }


def with_dots(given: Mapping[str, Any]) -> Mapping[str, Any]:
    """Return the options of a session that begin with ``session_`` as 1.x read them."""
    former = {
        f"session_{name}": f"session.{name}"
        for name in SESSION_OPTIONS
        if f"session_{name}" in given
    }
    for name, meant in former.items():
        warnings.warn(
            f"the option {name!r} is read as {meant!r}: write it so",
            DeprecationWarning,
            stacklevel=5,
        )
    renamed = {meant: given[name] for name, meant in former.items()}
    return {**renamed, **{k: v for k, v in given.items() if k not in former}}


def warn_unknown(
    section: str,
    given: Iterable[str],
    extra_known: Iterable[str] = (),
    *,
    strict: bool = False,
    stacklevel: int = 3,
) -> None:
    """Tell about each option that nobody knows.

    A store that was written for 1.x takes any option: don't ask for such a one.

    Args:
        section: "session" or "cache".
        given: The names that were given.
        extra_known: What the chosen store declares beside.
        strict: Whether to raise instead of warning.
        stacklevel: How far up the program is that gave the option.

    Raises:
        UnknownOptionError: With `strict`, for the first of them.
    """
    for unknown in unknown_options(section, given, extra_known):
        if strict:
            raise unknown
        warnings.warn(str(unknown), BeakerWarning, stacklevel=stacklevel)


def unknown_options(
    section: str, given: Iterable[str], extra_known: Iterable[str] = ()
) -> Iterator[UnknownOptionError]:
    """Yield an error for each option that nobody knows; see `warn_unknown`."""
    known = {*_TABLES[section], *extra_known}
    for name in given:
        if name in known or name in LEFTOVERS:
            continue
        # A prefix belongs into a file, not where options are given by name.
        bare = name.removeprefix("beaker.").removeprefix(f"{section}.")
        dotted = "." in bare
        alike = [other for other in known if ("." in other) == dotted]
        meant = bare if bare in known else did_you_mean(bare, alike)
        if section == "cache" and dotted and not meant:
            yield UnknownRegionError(name)
        else:
            yield UnknownOptionError(name, meant)


def tell_program(told: Exception, *, strict: bool) -> None:
    """Warn the program, at the line where it came to Beaker; or raise what is told."""
    if strict:
        raise told
    level, frame = 1, sys._getframe(1)  # noqa: SLF001 - `inspect` takes long to import
    # A cached property is a frame of functools.
    while frame.f_back and _OURS.match(frame.f_globals.get("__name__", "")):
        level, frame = level + 1, frame.f_back
    warnings.warn(str(told), BeakerWarning, stacklevel=level + 1)


def _coerce(given: MutableMapping[str, Any], table: Mapping[str, Coercer]) -> None:
    for name, coercer in table.items():
        if name in given:
            given[name] = coercer(name, given[name])


def _take(
    section: str, config: Mapping[str, Any] | None, keywords: Mapping[str, Any]
) -> dict[str, Any]:
    config = config or {}
    if section == "session":
        config, keywords = with_dots(config), with_dots(keywords)
    prefixed = prefixed_options(section, config)
    named = prefixed_options(section, keywords)
    if not prefixed and not named:
        prefixed = _bare(config)
    return {**prefixed, **named, **_bare(keywords)}


def _bare(given: Mapping[str, Any]) -> dict[str, Any]:
    # A name with a dot is another component's, or a region's.
    regions = listing("regions", given.get("regions") or ())
    return {
        name: value
        for name, value in given.items()
        if name not in OF_PASTE
        and ("." not in name or name.partition(".")[0] in regions)
    }


def _of_region(given: MutableMapping[str, Any], region: str) -> dict[str, Any]:
    prefix = f"{region}."
    names = [name for name in given if name.startswith(prefix)]
    return {name.removeprefix(prefix): given.pop(name) for name in names}


def _inherited(given: Mapping[str, Any], own: Mapping[str, Any]) -> dict[str, Any]:
    same_store = own.get("type", given.get("type")) == given.get("type")
    passed_on = {
        name: value
        for name, value in given.items()
        if name not in ("cache_regions", *LEFTOVERS)
        and (same_store or (name in CACHE_OPTIONS and name != "url"))
    }
    always = dict.fromkeys(("data_dir", "lock_dir", "type", "expire"))
    return {**always, "enabled": True, "key_length": DEFAULT_KEY_LENGTH, **passed_on}
