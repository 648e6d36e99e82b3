"""Which backends and ciphers are installed, each loaded by name on first use."""

from __future__ import annotations

import warnings
from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any

from beaker.exceptions import (
    BackendVersionError,
    BeakerException,
    BeakerWarning,
    BrokenBackendError,
    InvalidCryptoBackendError,
    InvalidOptionError,
    MissingBackendError,
    UnknownBackendError,
)
from beaker.listeners import listens, load_listeners, register, tell, unregister
from beaker.options import did_you_mean
from beaker.protocols import API_VERSION, CryptoProvider

if TYPE_CHECKING:
    from importlib.metadata import EntryPoint

__all__ = [
    "Backends",
    "backend_named",
    "built_in_class",
    "crypto_named",
    "installed_backends",
    "listens",
    "load_listeners",
    "register",
    "tell",
    "unregister",
    "wheel_of",
]

GROUP = "beaker.backends"

_BUILT_IN = {
    "dbm": "beaker.backends.dbm:DBMNamespaceManager",
    "file": "beaker.backends.file:FileNamespaceManager",
    "memory": "beaker.backends.memory:MemoryNamespaceManager",
    "null": "beaker.backends.null:NullNamespaceManager",
    "sqlite": "beaker.backends.sqlite:SqliteNamespaceManager",
}

#: What this project ships in wheels of their own.
_WHEELS = {
    "crypto:cryptography": "beaker-crypto",
    "crypto:pycrypto": "beaker-crypto",
    "crypto:pycryptodome": "beaker-crypto",
    "ext:database": "beaker-sqla",
    "ext:google": "beaker-google",
    "ext:memcached": "beaker-memcached",
    "ext:mongodb": "beaker-mongodb",
    "ext:redis": "beaker-redis",
    "ext:rediscluster": "beaker-redis",
    "ext:sqla": "beaker-sqla",
}

#: Ciphers of 1.x whose libraries nobody maintains.
_ENDED = frozenset({"jcecrypto", "jcrypto", "nss"})


class Backends(dict[str, Any]):
    """Backend classes by name; one that is not there yet is looked for.

    What the program puts in wins over everything that is installed. A value may be
    an exception, which is raised when that backend is asked for.
    """

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        # Apart from what the program put in, which answers to two spellings.
        self._found: dict[str, Any] = {}

    def __missing__(self, name: str) -> Any:
        """Find a built-in or installed backend, and remember it.

        Raises:
            UnknownBackendError: There is none of that name.
            InvalidCacheBackendError: There is one, and it cannot be used.
        """
        other = _other_spelling(name)
        if other in self.keys():
            return self[other]
        if name not in self._found:
            found = _built_in(name, other) or _installed(name, other)
            if found is None:
                raise _unknown(name, self.keys())
            self._found[name] = found
        return self._found[name]

    def __contains__(self, name: object) -> bool:
        if super().__contains__(name):
            return True
        return isinstance(name, str) and name in set(installed_backends())


def backend_named(name: str | type[Any], registry: Mapping[str, Any]) -> type[Any]:
    """Return the class that answers to a configured name.

    Args:
        name: What stands in ``cache.type`` or ``session.type``; a class is taken
            as it is.
        registry: A `Backends`, or whatever mapping the program put in its place.

    Raises:
        UnknownBackendError: Nothing answers to the name.
        InvalidCacheBackendError: What answers cannot be loaded, or needs a newer
            core.
        InvalidOptionError: It is no name.
    """
    if isinstance(name, str):
        backends = registry if isinstance(registry, Backends) else Backends(registry)
        backend = backends[name]
    elif isinstance(name, type):
        backend = name
    else:
        raise InvalidOptionError("type", name, "the name of a backend")
    if isinstance(backend, BaseException):
        # It would carry the traces of all former times with it.
        raise backend.with_traceback(None)
    wanted = getattr(backend, "api", API_VERSION)
    if wanted > API_VERSION:
        raise BackendVersionError(str(name), wanted, API_VERSION)
    return backend  # type: ignore[no-any-return]  # what a plugin registered


def crypto_named(name: str) -> CryptoProvider:
    """Return an installed cipher: by name, or with "default" the best there is.

    Raises:
        InvalidCryptoBackendError: It is not installed, or nothing is.
    """
    ciphers = [e for e in _entry_points() if e.name.startswith("crypto:")]
    if name == "default":
        return _best(ciphers)
    claims = [entry for entry in ciphers if entry.name == f"crypto:{name}"]
    if not claims:
        raise InvalidCryptoBackendError(_no_cipher(name, [e.name[7:] for e in ciphers]))
    _warn_of_rivals(f"crypto:{name}", claims)
    return _load(claims[0].name, claims[0])  # type: ignore[no-any-return]  # what a plugin registered


def installed_backends() -> Iterator[str]:
    """Return the names of all stores that can be asked for; imports none."""
    yield from _BUILT_IN
    for entry in _entry_points():
        if not entry.name.startswith("crypto:"):
            yield entry.name


def wheel_of(name: str) -> str:
    """Return which distribution a store of this name comes from, with its version."""
    names = name, _other_spelling(name)
    if not _BUILT_IN.keys().isdisjoint(names):
        from beaker import __version__

        return f"beaker-core {__version__}"
    for spelling in names:
        for entry in _entry_points():
            if entry.name == spelling:
                return _wheel(entry)
    return "this program"


def built_in_class(class_name: str) -> Any:
    """Return the built-in store of this class name, or None if there is none."""
    for path in _BUILT_IN.values():
        if path.endswith(f":{class_name}"):
            return _imported(path)
    return None


def _built_in(*names: str) -> Any:
    for name in names:
        if name in _BUILT_IN:
            return _imported(_BUILT_IN[name])
    return None


def _imported(path: str) -> Any:
    from importlib import import_module

    module, _, attribute = path.partition(":")
    return getattr(import_module(module), attribute)


def _installed(*names: str) -> Any:
    entries = _entry_points()
    for name in names:
        if name.startswith("crypto:"):
            continue
        claims = [entry for entry in entries if entry.name == name]
        if claims:
            _warn_of_rivals(name, claims)
            return _load(name, claims[0])
    return None


def _entry_points() -> list[EntryPoint]:
    # Costs some 20 ms and 100 modules, so not before a plugin is asked for.
    from importlib.metadata import entry_points

    return list(entry_points(group=GROUP))


def _load(name: str, entry: EntryPoint) -> Any:
    try:
        return entry.load()
    except BeakerException:
        raise
    # Whatever a foreign module does when it is imported, a syntax error included.
    except Exception as e:
        raise BrokenBackendError(name, entry.value, _wheel(entry), e) from e


def _best(ciphers: list[EntryPoint]) -> CryptoProvider:
    usable = [cipher for entry in ciphers if (cipher := _usable(entry)) is not None]
    if usable:
        return max(usable, key=lambda cipher: getattr(cipher, "priority", 0))
    message = (
        "a key for encryption is set and no cipher is installed; "
        "install one with: pip install 'beaker-crypto>=2'"
    )
    raise InvalidCryptoBackendError(message)


def _usable(entry: EntryPoint) -> CryptoProvider | None:
    try:
        cipher: CryptoProvider = _load(entry.name, entry)
    except InvalidCryptoBackendError:
        # Its library is not installed; that of another cipher may be.
        return None
    return cipher if getattr(cipher, "has_aes", True) else None


def _warn_of_rivals(name: str, claims: list[EntryPoint]) -> None:
    # The same wheel can be found twice, through two folders of sys.path.
    wheels = list(dict.fromkeys(_wheel(entry) for entry in claims))
    if len(wheels) > 1:
        message = (
            f"backend {name!r} is claimed by {' and by '.join(wheels)}; "
            f"{wheels[0]} is used: uninstall what you do not need"
        )
        warnings.warn(message, BeakerWarning, stacklevel=2)


def _wheel(entry: EntryPoint) -> str:
    dist = entry.dist
    return f"{dist.name} {dist.version}" if dist else "an unknown distribution"


def _other_spelling(name: str) -> str:
    return name[4:] if name.startswith("ext:") else f"ext:{name}"


def _unknown(name: str, registered: Any) -> UnknownBackendError:
    wheels = {k: v for k, v in _WHEELS.items() if not k.startswith("crypto:")}
    for spelling in (name, _other_spelling(name)):
        if spelling in wheels:
            return MissingBackendError(spelling, wheels[spelling])
    installed = {*registered, *installed_backends()}
    known = {spelling.removeprefix("ext:"): spelling for spelling in wheels}
    known.update((spelling.removeprefix("ext:"), spelling) for spelling in installed)
    meant = did_you_mean(name.removeprefix("ext:"), known)
    return UnknownBackendError(name, installed, known[meant] if meant else None)


def _no_cipher(name: str, installed: list[str]) -> str:
    if name in _ENDED:
        return (
            f"cipher {name!r} ended with Beaker 1.x; set crypto_type to "
            f"'cryptography' and install it with: pip install 'beaker-crypto>=2'"
        )
    wheel = _WHEELS.get(f"crypto:{name}")
    if wheel:
        extra = "[pycryptodome]" if name.startswith("pycrypto") else ""
        return (
            f"cipher {name!r} is not installed; "
            f"install it with: pip install '{wheel}{extra}>=2'"
        )
    meant = did_you_mean(name, [*installed, "cryptography", "pycryptodome"])
    hint = f"did you mean {meant!r}? " if meant else ""
    names = ", ".join(sorted(installed)) or "none"
    return f"no cipher named {name!r}; {hint}installed: {names}"
