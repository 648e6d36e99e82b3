"""Every option of a session and of a cache: its name, and what it takes."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from beaker.exceptions import InvalidOptionError
from beaker.options import (
    Coercer,
    anything,
    boolean,
    choice,
    is_boolean,
    listing,
    moment,
    number,
    optional,
    seconds,
    secrets,
    text,
    whole_number,
)
from beaker.protocols import StoreOptions
from beaker.serializers import serializer_named

__all__ = ["CACHE_OPTIONS", "DEFAULT_KEY_LENGTH", "LEFTOVERS", "SESSION_OPTIONS"]

#: Characters of the longest key that is stored as it is; a longer one is hashed.
DEFAULT_KEY_LENGTH = 250

#: Names that 1.x took and did nothing with; old files still have them.
LEFTOVERS = frozenset({"log_file", "timeout"})


def _class(name: str, value: Any) -> Any:
    if isinstance(value, type):
        return value
    raise InvalidOptionError(name, value, "a class")


def _text_or_object(name: str, value: Any) -> Any:
    return text(name, value) if isinstance(value, str) else value


def _mapping(name: str, value: Any) -> Any:
    if value is None or isinstance(value, Mapping):
        return value
    raise InvalidOptionError(name, value, "a mapping of options by name")


def _serializer(name: str, value: Any) -> Any:
    serializer_named(value, name)
    return value


def _secure(name: str, value: Any) -> bool | str:
    if value is None or (isinstance(value, str) and value.strip().lower() == "auto"):
        return "auto"
    if is_boolean(value):
        return boolean(name, value)
    raise InvalidOptionError(name, value, "true, false or auto")


def _same_site(name: str, value: Any) -> Any:
    # The word None is a value of the attribute; None itself leaves it out.
    if value is None or value is False:
        return None
    return choice("Lax", "Strict", "None")(name, value)


def _cookie_expires(name: str, value: Any) -> Any:
    from datetime import datetime, timedelta

    if value is None:
        # 1.x took it for a truth.
        return False
    if isinstance(value, bool | datetime | timedelta):
        return value
    if isinstance(value, str) and is_boolean(value):
        return boolean(name, value)
    try:
        return timedelta(seconds=seconds(name, value))
    except (InvalidOptionError, OverflowError):
        takes = "true, false, a number of seconds, a timedelta or a datetime"
        raise InvalidOptionError(name, value, takes) from None


#: What the options mean is told in the reference, docs/configuration.md.
_SHARED: Mapping[str, Coercer] = {
    **StoreOptions.common,
    "data_serializer": optional(_serializer),
    "type": optional(_text_or_object),
    "url": optional(_text_or_object),
}

#: The options of a session, and what each takes.
SESSION_OPTIONS: Mapping[str, Coercer] = {
    **_SHARED,
    "absolute_timeout": optional(seconds),
    "accessed_every": seconds,
    "allow": optional(listing),
    "auto": optional(boolean),
    "cookie_domain": optional(text),
    "cookie_expires": _cookie_expires,
    "cookie_path": optional(text),
    "crypto_type": text,
    "encrypt_key": optional(secrets),
    "encrypt_nonce_bits": optional(whole_number),
    "httponly": optional(boolean),
    "id": optional(text),
    "invalidate_corrupt": boolean,
    "key": text,
    "legacy_until": optional(moment),
    "mode": choice("compat", "migrate", "strict"),
    "namespace_args": _mapping,
    "namespace_class": optional(_class),
    "samesite": _same_site,
    "save_accessed_time": optional(boolean),
    "secret": optional(secrets),
    "secure": _secure,
    "session_class": optional(_class),
    "timeout": optional(seconds),
    "use_cookies": boolean,
    "validate_key": optional(secrets),
    "webtest_varname": optional(text),
}

#: The options of a cache or a region, and what each takes.
CACHE_OPTIONS: Mapping[str, Coercer] = {
    **_SHARED,
    "background": boolean,
    "cache_regions": anything,
    "enabled": optional(boolean),
    "expire": optional(seconds),
    "expiretime": optional(seconds),
    "grace": optional(seconds),
    "key_length": optional(whole_number),
    "legacy_keys": boolean,
    "lock_timeout": optional(seconds),
    "regions": optional(listing),
    "stale": boolean,
    "starttime": optional(number),
    "typed": boolean,
}
