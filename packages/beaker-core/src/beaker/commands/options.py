"""Looks at the options of sessions and caches, one by one."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from beaker._sessions.weakness import NEW_SECRET, weakness
from beaker.commands.findings import (
    ERROR,
    NOTE,
    SECRETS,
    WARNING,
    Finding,
    of_error,
)
from beaker.configuration import CACHE_OPTIONS, SESSION_OPTIONS, unknown_options
from beaker.exceptions import InvalidOptionError
from beaker.options import Coercer, boolean, is_boolean, listing, secrets

__all__ = ["cache_findings", "option_findings", "regions_in", "session_findings"]

_TABLES = {"session": SESSION_OPTIONS, "cache": CACHE_OPTIONS}

#: Options that are there for old files: what they do, and what to do.
_FORMER = {
    "log_file": ("is read by nobody since 1.x", "take it out; see the logger 'beaker'"),
    "expiretime": ("is the older name of 'expire'", "call it 'expire'"),
}
#: One that 1.x read for sessions alone.
_FORMER_OF_CACHES = {"timeout": ("is read by nobody", "set 'expire' instead")}


def option_findings(
    kind: str,
    given: Mapping[str, Any],
    declared: Mapping[str, Coercer] | None,
    prefix: str,
) -> Iterator[Finding]:
    """Tell which options are unknown, or have a value that they do not take.

    Args:
        kind: "session" or "cache".
        given: The options, without prefix.
        declared: What the store takes beside; None: anything, as one for 1.x does.
        prefix: What stands before their names in the file.
    """
    table = {**(declared or {}), **_TABLES[kind]}
    if declared is not None:
        level = ERROR if str(given.get("mode")).lower() == "strict" else WARNING
        for unknown in unknown_options(kind, given, declared):
            yield of_error(prefix + unknown.name, unknown, level=level)
    former = {**_FORMER, **(_FORMER_OF_CACHES if kind == "cache" else {})}
    for name, value in given.items():
        if name in table:
            yield from _value_findings(prefix + name, name, value, table[name])
        if name in former and name not in (declared or {}):
            yield Finding(NOTE, prefix + name, *former[name])


def _value_findings(
    about: str, name: str, value: Any, coercer: Coercer
) -> Iterator[Finding]:
    try:
        coercer(name, value)
    except InvalidOptionError as e:
        # A value may be a password: it is told only where that cannot be.
        told = "" if name in {*SECRETS, "url"} else f", and not {value!r}"
        yield Finding(ERROR, about, f"takes {e.takes}{told}", "set it right")
    except ImportError as e:
        yield Finding(ERROR, about, str(e), "install it")


def session_findings(given: Mapping[str, Any], *, is_shared: bool) -> Iterator[Finding]:
    """Tell what is unsafe, or likely not meant, in the options of sessions.

    Args:
        given: The options, without prefix.
        is_shared: Whether others than this program may write to the store.
    """
    for name in ("secret", "validate_key", "encrypt_key"):
        yield from _secret_findings(name, given.get(name))
    if is_shared and not given.get("secret"):
        yield Finding(
            WARNING,
            "session.secret",
            "is not set: whoever can write to the store can write sessions, and only "
            "plain data are read back",
            f"set it to what this prints: {NEW_SECRET}",
        )
    if not given.get("timeout") and not given.get("absolute_timeout"):
        yield Finding(
            WARNING,
            "session.timeout",
            "is not set: no session ever ends, and the store grows",
            "set it to the seconds after which an unused session may end",
        )
    yield from _cookie_findings(given)
    yield from _mode_findings(given)


def cache_findings(
    given: Mapping[str, Any], *, is_shared: bool, is_legacy: bool
) -> Iterator[Finding]:
    """Tell what is unsafe in the options of a cache.

    Args:
        given: The options, without prefix.
        is_shared: Whether others than this program may write to the store.
        is_legacy: Whether its class was written for 1.x, and so pickles by itself.
    """
    if is_shared and given.get("data_serializer", "pickle") == "pickle":
        yield Finding(
            NOTE,
            "cache.data_serializer",
            "is pickle, and caches are not signed: whoever can write to the store can "
            "run code in this program",
            "keep the store private" + ("" if is_legacy else ", or set it to 'json'"),
        )


def regions_in(given: Mapping[str, Any]) -> list[str]:
    """Return the names of the cache regions; none where they are no list."""
    try:
        return [name for name in listing("regions", given.get("regions") or ()) if name]
    except InvalidOptionError:
        return []


def _secret_findings(name: str, value: Any) -> Iterator[Finding]:
    try:
        several = secrets(name, value) if value else []
    except InvalidOptionError:
        # Told with all other values that are not taken.
        return
    for one in several if isinstance(several, list) else [several]:
        why = weakness(one)
        if why:
            remedy = f"write a new one in a line above it, from: {NEW_SECRET}"
            yield Finding(WARNING, f"session.{name}", f"is weak: it {why}", remedy)


def _cookie_findings(given: Mapping[str, Any]) -> Iterator[Finding]:
    told: Iterable[tuple[str, str, str]] = (
        ("httponly", "lets scripts in a page read the cookie", "take it out"),
        (
            "secure",
            "lets the cookie travel over http, where it can be read",
            "take it out: then it is set on https",
        ),
    )
    for name, says, remedy in told:
        value = given.get(name)
        if is_boolean(value) and not boolean(name, value):
            yield Finding(WARNING, f"session.{name}", says, remedy)
    if str(given.get("samesite", "Lax")).lower() in ("none", "false"):
        yield Finding(
            NOTE,
            "session.samesite",
            "lets other sites send requests with the cookie",
            "take it out unless another site embeds this one",
        )


def _mode_findings(given: Mapping[str, Any]) -> Iterator[Finding]:
    if str(given.get("mode")).lower() == "compat":
        yield Finding(
            NOTE,
            "session.mode",
            "is 'compat': sessions are written as 1.x wrote them",
            "take it out when no process runs 1.x any more",
        )
