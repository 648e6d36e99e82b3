"""The helpers of Beaker 1.x that frameworks and plugins import."""

from __future__ import annotations

import functools
import os
import pickle
import warnings
from collections.abc import Callable, Iterable, Mapping, MutableMapping
from typing import Any, ParamSpec, TypeVar

from beaker.configuration import (
    CACHE_DEFAULTS,
    DEFAULT_KEY_LENGTH,
    coerce_cache_options,
    coerce_session_options,
    prefixed_options,
    region_options,
)
from beaker.converters import asbool
from beaker.exceptions import BeakerException, BeakerWarning
from beaker.options import listing
from beaker.registry import SyncDict, ThreadLocal, WeakValuedRegistry

__all__ = [
    "DEFAULT_CACHE_KEY_LENGTH",
    "JsonSerializer",
    "PickleSerializer",
    "SyncDict",
    "ThreadLocal",
    "WeakValuedRegistry",
    "asint",
    "coerce_cache_params",
    "coerce_session_params",
    "deprecated",
    "deserialize",
    "encoded_path",
    "func_namespace",
    "has_self_arg",
    "machine_identifier",
    "parse_cache_config_options",
    "safe_write",
    "serialize",
    "verify_directory",
    "verify_options",
    "verify_rules",
    "warn",
]

P = ParamSpec("P")
R = TypeVar("R")
Params = TypeVar("Params", bound=MutableMapping[str, Any])

DEFAULT_CACHE_KEY_LENGTH = DEFAULT_KEY_LENGTH

# -- options


def parse_cache_config_options(
    config: Mapping[str, Any], include_defaults: bool = True
) -> dict[str, Any]:
    """Return the options for a `CacheManager` out of a program's configuration.

    Args:
        config: All options; those that begin with ``cache.`` or ``beaker.cache.``
            count.
        include_defaults: Whether options that are not given get their default.

    Raises:
        InvalidOptionError: A value that its option does not take.
    """
    given = dict(CACHE_DEFAULTS) if include_defaults else {}
    given.update(prefixed_options("cache", config))
    return region_options(coerce_cache_options(given))


def coerce_session_params(params: Params) -> Params:
    """Bring the options of a session to their types, in place, and return them.

    Raises:
        InvalidOptionError: A value that its option does not take.
    """
    return coerce_session_options(params)


def coerce_cache_params(params: Params) -> Params:
    """Bring the options of a cache to their types, in place, and return them.

    Raises:
        InvalidOptionError: A value that its option does not take.
    """
    return coerce_cache_options(params)


def verify_rules(
    params: Params, ruleset: Iterable[tuple[str, type | tuple[type, ...], str]]
) -> Params:
    """Bring options to the types of a plugin's own rules, in place.

    Args:
        params: Options by name.
        ruleset: For each option its name, its type or types, and the message if it
            cannot be had as any of them.

    Raises:
        BeakerException: It carries that message.
    """
    for name, types, message in ruleset:
        if name in params:
            params[name] = verify_options(params[name], types, message)
    return params


def verify_options(opt: Any, types: type | tuple[type, ...], error: str) -> Any:
    """Return an option as the first of the types that it can be had as.

    Raises:
        BeakerException: It is an empty text, or cannot be had as any of them.
    """
    if isinstance(opt, str) and not opt.strip():
        raise BeakerException(f"Empty strings are invalid for: {error}")
    if isinstance(opt, types):
        return opt
    for kind in types if isinstance(types, tuple) else (types,):
        try:
            return _CONVERTERS.get(kind, kind)(opt)
        except (TypeError, ValueError):
            continue
    raise BeakerException(error)


def asint(obj: Any) -> int:
    """Return a whole number, given as one or as digits.

    Raises:
        ValueError: It is neither.
    """
    if isinstance(obj, int):
        return obj
    if isinstance(obj, str) and obj.isascii() and obj.isdigit():
        return int(obj)
    raise ValueError(f"This is not a proper int: {obj!r}")


def _aslist(obj: Any) -> list[Any]:
    return listing("list", obj)


_CONVERTERS: Mapping[type, Callable[[Any], Any]] = {
    bool: asbool,
    int: asint,
    list: _aslist,
    tuple: _aslist,
}

# -- functions


def func_namespace(func: Callable[..., Any]) -> str:
    """Return the namespace in which a decorated function keeps its values."""
    from beaker.keys import function_namespace

    return function_namespace(func)


def has_self_arg(func: Callable[..., Any]) -> bool:
    """Return whether a function's first argument is called self or cls."""
    from beaker.keys import takes_self

    return takes_self(func)


def deprecated(message: str) -> Callable[[Callable[P, R]], Callable[P, R]]:
    """Return a decorator that warns, with this message, of each call."""

    def decorate(func: Callable[P, R]) -> Callable[P, R]:
        @functools.wraps(func)
        def warned(*args: P.args, **kwargs: P.kwargs) -> R:
            warnings.warn(message, DeprecationWarning, stacklevel=2)
            return func(*args, **kwargs)

        warned.__doc__ = f"{message}\n\n{func.__doc__ or ''}"
        return warned

    return decorate


def warn(msg: str | Warning, stacklevel: int = 3) -> None:
    """Warn; a text becomes a `BeakerWarning`."""
    category = BeakerWarning if isinstance(msg, str) else None
    warnings.warn(msg, category, stacklevel=stacklevel)


# -- files


def verify_directory(dir: str) -> None:
    """Make a directory that only its owner may use, unless there is one."""
    os.makedirs(dir, mode=0o700, exist_ok=True)


def encoded_path(
    root: str,
    identifiers: Iterable[str],
    extension: str = ".enc",
    depth: int = 3,
    digest_filenames: bool = True,
) -> str:
    """Return the path of a file that some identifiers share, and make its directory.

    Args:
        root: The directory under which it is.
        identifiers: Texts that name the file together.
        extension: What its name ends with.
        depth: One more than the levels of directories under the root.
        digest_filenames: Whether the name is a digest of the identifiers; without,
            it is themselves, less dots and what stands before a slash.
    """
    name = "_".join(identifiers)
    if digest_filenames:
        from hashlib import sha1

        name = sha1(name.encode(), usedforsecurity=False).hexdigest()
    name = os.path.basename(name).replace(".", "")
    directory = os.path.join(root, *(name[:length] for length in range(1, depth)))
    verify_directory(directory)
    return os.path.join(directory, name + extension)


def safe_write(filepath: str, contents: bytes) -> None:
    """Replace a file's contents in one step; it has the old or the new ones."""
    from tempfile import NamedTemporaryFile

    directory = os.path.dirname(filepath) or "."
    with NamedTemporaryFile(dir=directory, delete=False) as temporary:
        temporary.write(contents)
    os.replace(temporary.name, filepath)


def machine_identifier() -> str:
    """Return a text that tells this machine from others."""
    from uuid import getnode

    return f"{getnode():012x}"


# -- the payloads of 1.x


class PickleSerializer:
    """Pickles, in the protocol that Beaker 1.x wrote."""

    def dumps(self, data: Any) -> bytes:
        """Return the value as bytes."""
        return pickle.dumps(data, 2)

    def loads(self, data_string: bytes) -> Any:
        """Return the value, executing what its writer put there."""
        return pickle.loads(data_string)


class JsonSerializer:
    """Compressed JSON, as Beaker 1.x wrote it."""

    def dumps(self, data: Any) -> bytes:
        """Return the value as bytes."""
        import json
        import zlib

        return zlib.compress(json.dumps(data).encode())

    def loads(self, data_string: bytes) -> Any:
        """Return the value."""
        import json
        import zlib

        return json.loads(zlib.decompress(data_string))


def serialize(data: Any, method: str) -> bytes:
    """Return a value as 1.x wrote it: as JSON with "json", else pickled."""
    return _serializer(method).dumps(data)


def deserialize(data_string: bytes, method: str) -> Any:
    """Return the value that `serialize` was given."""
    return _serializer(method).loads(data_string)


def _serializer(method: str) -> PickleSerializer | JsonSerializer:
    return JsonSerializer() if method == "json" else PickleSerializer()
