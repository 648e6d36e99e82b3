"""``python -m beaker doctor``: what is wrong with a configuration, and what to do."""

from __future__ import annotations

import warnings
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from beaker._sessions.settings import SessionSettings
from beaker.commands.files import Section, sections_in
from beaker.commands.findings import (
    ERROR,
    GOOD,
    WARNING,
    Finding,
    Redactor,
    of_error,
)
from beaker.commands.options import (
    cache_findings,
    option_findings,
    regions_in,
    session_findings,
)
from beaker.commands.records import record_findings
from beaker.commands.rendering import as_json_text, print_findings
from beaker.commands.stores import options_of, plugin_of, store_findings
from beaker.configuration import SESSION_DEFAULTS, cache_options
from beaker.exceptions import BeakerException, BeakerWarning
from beaker.legacy import is_legacy
from beaker.stores import StoreOpener

__all__ = ["doctor", "section_findings"]


def doctor(path: str, *, section: str | None = None, as_json: bool = False) -> int:
    """Print what there is to say of a configuration file.

    Args:
        path: The file.
        section: The one section that is wanted; None: all.
        as_json: Whether to print JSON.

    Returns:
        0 if all is well, 1 if there are warnings, 2 if there are errors.

    Raises:
        ConfigurationFileError: The file cannot be used.
    """
    found = {
        each.name: list(section_findings(each)) for each in sections_in(path, section)
    }
    if as_json:
        print(as_json_text(path, found))  # noqa: T201  # its purpose
    else:
        print_findings(path, found)
    levels = {finding.level for several in found.values() for finding in several}
    return 2 if ERROR in levels else 1 if WARNING in levels else 0


def section_findings(section: Section) -> Iterator[Finding]:
    """Yield all that there is to say of one section, without passwords."""
    redactor = Redactor([section.session, section.cache])
    for finding in (*_of_session(section.session), *_of_caches(section.cache)):
        yield redactor.clean(finding)


def _of_session(given: Mapping[str, Any]) -> Iterator[Finding]:
    if not given:
        return
    name = given.get("type") or ("file" if given.get("data_dir") else "memory")
    if name == "cookie":
        yield Finding(GOOD, "session.type", "sessions are in cookies")
        told = list(option_findings("session", given, {}, "session."))
        yield from told
        yield from session_findings(given, is_shared=False)
        if not _has_error(told):
            yield from _ready(given, None)
        return
    backend, said = plugin_of("session.type", str(name))
    yield said
    declared = {} if backend is None else options_of(backend)
    told = list(option_findings("session", given, declared, "session."))
    yield from told
    yield from session_findings(given, is_shared=_is_shared(backend))
    if name == "memory":
        yield Finding(
            WARNING,
            "session.type",
            "is 'memory': sessions end with the process, and a second one has others",
            "choose a store that processes share, such as 'file', 'sqlite', 'ext:redis'",
        )
    if backend is not None and not _has_error(told):
        yield from _ready(given, backend)


def _ready(given: Mapping[str, Any], backend: type[Any] | None) -> Iterator[Finding]:
    """Make ready what a request needs, open the store, and look into it."""
    try:
        # What is weak or misspelt has been found already.
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", BeakerWarning)
            settings = SessionSettings({**SESSION_DEFAULTS, **given}, tells_names=False)
        if backend is None:
            _ = settings.cookie_format
            return
        store = settings.opener.open("beaker doctor")
    except (BeakerException, ImportError) as e:
        yield of_error("session", e, remedy="set it right")
        return
    found = list(store_findings("session store", store))
    yield from found
    if not _has_error(found):
        yield from record_findings(settings, store)


def _of_caches(given: Mapping[str, Any]) -> Iterator[Finding]:
    if not given:
        return
    regions = regions_in(given)
    parts: dict[str, dict[str, Any]] = {"": {}, **{name: {} for name in regions}}
    for name, value in given.items():
        region, dot, option = name.partition(".")
        if dot and region in parts:
            parts[region][option] = value
        else:
            parts[""][name] = value
    yield from _of_cache("cache.", parts[""], parts[""], is_used=not regions)
    for region in regions:
        whole = {**parts[""], **parts[region]}
        whole.pop("regions", None)
        yield from _of_cache(f"cache.{region}.", parts[region], whole, is_used=True)


def _of_cache(
    prefix: str, own: Mapping[str, Any], whole: Mapping[str, Any], *, is_used: bool
) -> Iterator[Finding]:
    """Look at one cache.

    Args:
        prefix: What stands before its options.
        own: Those that are written there.
        whole: With what it inherits.
        is_used: Whether anything is stored with these, rather than in regions.
    """
    name = str(whole.get("type") or "memory")
    backend, said = plugin_of(f"{prefix}type", name)
    if is_used:
        yield said
    declared = {} if backend is None else options_of(backend)
    told = list(option_findings("cache", own, declared, prefix))
    yield from told
    if backend is None or not is_used or _has_error(told):
        return
    former = is_legacy(backend)
    yield from cache_findings(whole, is_shared=_is_shared(backend), is_legacy=former)
    about = prefix.rstrip(".")
    try:
        options = cache_options(whole, {})
        store = StoreOpener(backend, options, "cache").open("beaker doctor")
    except (BeakerException, ImportError) as e:
        yield of_error(about, e, remedy="set it right")
        return
    yield from store_findings(f"{about} store", store)


def _has_error(findings: Iterable[Finding]) -> bool:
    return any(finding.level == ERROR for finding in findings)


def _is_shared(backend: type[Any] | None) -> bool:
    if backend is None:
        return False
    # Where one of 1.x is, nobody knows.
    return is_legacy(backend) or bool(backend.shared_between_hosts)
