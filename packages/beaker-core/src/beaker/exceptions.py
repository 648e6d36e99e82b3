"""Every error and warning that Beaker raises on purpose."""

from __future__ import annotations

import sys
from collections.abc import Iterable

__all__ = [
    "BackendVersionError",
    "BeakerException",
    "BeakerWarning",
    "BrokenBackendError",
    "ConfigurationFileError",
    "CorruptRecordError",
    "CreationAbortedError",
    "ForbiddenClassError",
    "InvalidCacheBackendError",
    "InvalidCryptoBackendError",
    "InvalidOptionError",
    "LockError",
    "LockTimeoutError",
    "MissingBackendError",
    "MissingCacheParameter",
    "MissingSecretError",
    "OversizedCookieError",
    "RecursiveCreationError",
    "RegionNotConfiguredError",
    "StoreRefusedError",
    "StoreUnavailableError",
    "UndecoratedFunctionError",
    "UnknownBackendError",
    "UnknownOptionError",
    "UnknownRegionError",
    "UnserializableValueError",
    "UnsupportedOperationError",
    "UselessInvalidationError",
    "WeakSecretError",
]


class BeakerException(Exception):
    """What every error of Beaker is."""


class BeakerWarning(RuntimeWarning):
    """Something works, but hardly as its author meant it."""


class CreationAbortedError(Exception):
    """Never raised since 1.0; kept for code that still catches it."""


class InvalidCacheBackendError(BeakerException, ImportError):
    """A backend cannot be used in this installation."""


class MissingCacheParameter(BeakerException):
    """An option that the chosen backend needs was not given."""


class LockError(BeakerException):
    """A lock was used against its rules."""


class InvalidCryptoBackendError(BeakerException):
    """A cipher is needed that cannot be used in this installation."""


class InvalidOptionError(BeakerException, ValueError):
    """An option has a value that it does not take.

    Args:
        name: The option as its user wrote it, without prefix.
        value: What it was set to.
        takes: What it takes, as a noun phrase: "a number of seconds".
        store: The configured name of the store that takes no other; "" for any.
    """

    def __init__(self, name: str, value: object, takes: str, store: str = "") -> None:
        self.name, self.value, self.takes = name, value, takes
        self.store = store
        super().__init__(name, value, takes, store)

    def __str__(self) -> str:
        of_store = f" of {self.store}" if self.store else ""
        return f"option {self.name!r}{of_store} takes {self.takes}, got {self.value!r}"


class UnknownOptionError(BeakerException, ValueError):
    """An option was given that nobody knows; a warning, unless mode is "strict".

    Args:
        name: The option as its user wrote it, without prefix.
        suggestion: The option that was probably meant; None if none is like it.
    """

    def __init__(self, name: str, suggestion: str | None = None) -> None:
        self.name, self.suggestion = name, suggestion
        super().__init__(name, suggestion)

    def __str__(self) -> str:
        if self.suggestion:
            return f"unknown option {self.name!r}; did you mean {self.suggestion!r}?"
        return f"unknown option {self.name!r}; nothing reads it, take it out"


class UnknownRegionError(UnknownOptionError):
    """An option of a cache region was given that the option ``regions`` leaves out."""

    def __str__(self) -> str:
        region, _, option = self.name.partition(".")
        return (
            f"unknown option {self.name!r}: {region!r} is not in the option 'regions'; "
            f"name the region there, or take its {option!r} out"
        )


class UnknownBackendError(InvalidCacheBackendError, KeyError, TypeError):
    """No installed backend answers to the configured name."""

    # In 1.x Cache() raised TypeError here and Session() KeyError: be both.

    def __init__(
        self, asked: str, installed: Iterable[str], suggestion: str | None = None
    ) -> None:
        self.asked, self.suggestion = asked, suggestion
        self.installed = sorted(installed)
        super().__init__(asked, self.installed, suggestion)

    def __str__(self) -> str:
        if self.asked == "cookie":
            return (
                "no backend named 'cookie': only the session of a request can be kept "
                "in its cookie; choose another type, or use CookieSession"
            )
        meant = f"; did you mean {self.suggestion!r}?" if self.suggestion else ";"
        names = ", ".join(self.installed)
        return f"no backend named {self.asked!r}{meant} installed: {names}"


class MissingBackendError(UnknownBackendError):
    """A backend of this project is asked for whose wheel is not installed.

    Args:
        asked: The import path or the configured name.
        distribution: The wheel that holds it.
    """

    def __init__(self, asked: str, distribution: str) -> None:
        super().__init__(asked, ())
        self.distribution = distribution
        self.args = (asked, distribution)

    def __str__(self) -> str:
        return (
            f"{self.asked} ships separately since Beaker 2.0; "
            f"install it with: pip install '{self.distribution}>=2'"
        )


class BrokenBackendError(InvalidCacheBackendError):
    """An installed backend fails while it is imported.

    Args:
        asked: The configured name.
        entry_point: Where the entry point leads, ``module:Class``.
        distribution: The wheel that registered it, with its version.
        cause: What went wrong there.
    """

    def __init__(
        self, asked: str, entry_point: str, distribution: str, cause: object
    ) -> None:
        self.asked, self.entry_point = asked, entry_point
        self.distribution, self.cause = distribution, cause
        super().__init__(asked, entry_point, distribution, cause)

    def __str__(self) -> str:
        return (
            f"backend {self.asked!r} ({self.entry_point}, from {self.distribution}) "
            f"cannot be loaded: {self.cause}{self._remedy()}"
        )

    def _remedy(self) -> str:
        missing = getattr(self.cause, "name", None) or ""
        its_own = self.entry_point.partition(":")[0].partition(".")[0]
        name, _, version = self.distribution.partition(" ")
        if (
            not isinstance(self.cause, ModuleNotFoundError)
            or missing.partition(".")[0] == its_own
            or _is_installed(missing.rpartition(".")[0])
            or not version[:1].isdigit()
        ):
            return ""
        # pip adds what a wheel needs even where that wheel is installed already.
        return f"; install what it needs with: pip install '{name}=={version}'"


class BackendVersionError(InvalidCacheBackendError):
    """A backend was written for a newer contract than this core knows."""

    def __init__(self, asked: str, wanted: int, offered: int) -> None:
        self.asked, self.wanted, self.offered = asked, wanted, offered
        super().__init__(asked, wanted, offered)

    def __str__(self) -> str:
        return (
            f"backend {self.asked!r} asks for plugin api {self.wanted}, this "
            f"beaker-core offers {self.offered}; upgrade beaker-core or use an "
            f"older release of the backend"
        )


class ConfigurationFileError(BeakerException):
    """A command was given a file that it cannot use.

    Args:
        path: The file.
        cause: What is wrong with it.
        remedy: What its user can do about it.
    """

    def __init__(self, path: str, cause: object, remedy: str) -> None:
        self.path, self.cause, self.remedy = path, cause, remedy
        super().__init__(path, cause, remedy)

    def __str__(self) -> str:
        return f"{self.path}: {self.cause}; {self.remedy}"


class RegionNotConfiguredError(BeakerException, KeyError):
    """A decorator names a cache region that nobody configured."""

    def __init__(self, region: str, known: Iterable[str]) -> None:
        self.region, self.known = region, sorted(known)
        super().__init__(region, self.known)

    def __str__(self) -> str:
        return (
            f"Cache region not configured: {self.region!r}; "
            f"configured regions: {', '.join(self.known) or 'none'}"
        )


class UndecoratedFunctionError(BeakerException, AttributeError):
    """A function whose results nobody keeps is to be invalidated."""

    # In 1.x the missing attribute was the error.

    def __init__(self, function: object) -> None:
        self.function = function
        super().__init__(function)

    def __str__(self) -> str:
        return (
            f"{self.function!r} keeps no results: give what the decorator of the "
            f"cache returned, or the name of its namespace"
        )


class UselessInvalidationError(BeakerException, ValueError):
    """What is to be invalidated is the result of no call; told as a warning."""

    def __init__(self, namespace: str, row: tuple[object, ...], reason: str) -> None:
        self.namespace, self.row, self.reason = namespace, row, reason
        super().__init__(namespace, row, reason)

    def __str__(self) -> str:
        return (
            f"no result of {self.namespace!r} is kept under {self.row!r}: "
            f"{self.reason}; give what the decorator was given, then the arguments"
        )


class StoreUnavailableError(BeakerException):
    """A store cannot be reached, or does not answer within its deadline.

    Args:
        store: The store's configured name, and where it is, without password.
        cause: What its client said.
        remedy: What its user can do about it.
    """

    def __init__(self, store: str, cause: object, remedy: str = "") -> None:
        self.store, self.cause, self.remedy = store, cause, remedy
        super().__init__(store, cause, remedy)

    def __str__(self) -> str:
        todo = f"; {self.remedy}" if self.remedy else ""
        return f"store {self.store} is unavailable: {self.cause}{todo}"


class StoreRefusedError(BeakerException):
    """A store was reached and refused what was asked of it.

    Args:
        store: The store's configured name, and where it is, without password.
        cause: What it said.
        remedy: What its user can do about it.
    """

    def __init__(self, store: str, cause: object, remedy: str) -> None:
        self.store, self.cause, self.remedy = store, cause, remedy
        super().__init__(store, cause, remedy)

    def __str__(self) -> str:
        return f"store {self.store} refused: {self.cause}; {self.remedy}"


class UnsupportedOperationError(BeakerException, NotImplementedError):
    """A store is asked for an ability that it does not have."""

    def __init__(self, store: str, operation: str, ability: str) -> None:
        self.store, self.operation, self.ability = store, operation, ability
        super().__init__(store, operation, ability)

    def __str__(self) -> str:
        return (
            f"store {self.store} cannot {self.operation}: "
            f"it does not have the ability {self.ability!r}"
        )


class CorruptRecordError(BeakerException, ValueError):
    """Bytes were fetched that are not a record of ours, or not a whole one."""

    def __init__(self, reason: str) -> None:
        self.reason = reason
        super().__init__(reason)

    def __str__(self) -> str:
        return f"not a readable record: {self.reason}"


class UnserializableValueError(BeakerException, TypeError):
    """A value cannot be turned into bytes; what was stored before is untouched.

    Args:
        serializer: The name of the serializer that gave up.
        kind: The type of the value.
        cause: What it said.
        key: The key of a session that has the value; None if that is not known.
        path: Where in a session the value is, as it would be written in Python.
    """

    def __init__(
        self,
        serializer: str,
        kind: type,
        cause: object,
        key: object = None,
        path: str | None = None,
    ) -> None:
        self.serializer, self.kind, self.cause = serializer, kind, cause
        self.key, self.path = key, path
        super().__init__(serializer, kind, cause, key, path)

    def __str__(self) -> str:
        of_key = "" if self.key is None else f" under the key {self.key!r}"
        if self.path is not None:
            of_key = f" at session{self.path}"
        return (
            f"a value of type {self.kind.__qualname__!r}{of_key} cannot be stored "
            f"with the serializer {self.serializer!r}: {self.cause}"
        )


class ForbiddenClassError(CorruptRecordError):
    """Bytes that anybody may have written ask for a class beyond plain data."""

    def __init__(self, module: str, name: str) -> None:
        super().__init__(f"unsigned data ask for the class {module}.{name}")
        self.module, self.name = module, name
        self.args = (module, name)

    def __str__(self) -> str:
        return (
            f"a session in a shared store holds {self.module}.{self.name}, and what "
            f"is not signed may hold plain data only; set 'secret', so that sessions "
            f"are signed, or name the class in the option 'allow'"
        )


class MissingSecretError(BeakerException, ValueError):
    """A session needs a key that its options do not have.

    Args:
        option: The option that would hold it.
        purpose: What it is needed for, as an infinitive: "sign the cookie".
    """

    def __init__(self, option: str, purpose: str) -> None:
        self.option, self.purpose = option, purpose
        super().__init__(option, purpose)

    def __str__(self) -> str:
        return (
            f"No {self.option} specified: it is needed to {self.purpose}; set it to "
            f"a long random text, the same in every process"
        )


class WeakSecretError(BeakerException, ValueError):
    """A secret that somebody could guess: then he could make any session.

    Args:
        option: The option that holds it.
        weakness: What speaks against it.
    """

    def __init__(self, option: str, weakness: str) -> None:
        self.option, self.weakness = option, weakness
        super().__init__(option, weakness)

    def __str__(self) -> str:
        return (
            f"the option {self.option!r} is weak: {self.weakness}; take what "
            f"python3 -c 'import secrets; print(secrets.token_urlsafe(32))' prints"
        )


class OversizedCookieError(BeakerException, ValueError):
    """A cookie would be larger than browsers keep; the one they have is untouched.

    Args:
        name: The cookie.
        size: Bytes of its name and value together.
        limit: Bytes they may have.
        largest: The session's largest keys with their sizes in bytes.
    """

    def __init__(
        self, name: str, size: int, limit: int, largest: Iterable[tuple[str, int]]
    ) -> None:
        self.name, self.size, self.limit = name, size, limit
        self.largest = list(largest)
        super().__init__(name, size, limit, self.largest)

    def __str__(self) -> str:
        keys = ", ".join(f"{key!r} {size}" for key, size in self.largest)
        return (
            f"Cookie value is too long to store: cookie {self.name!r} would have "
            f"{self.size} bytes with its name, browsers keep {self.limit}; largest "
            f"keys: {keys or 'none'}; keep less in it or choose another session type"
        )


class LockTimeoutError(LockError):
    """A lock was not to be had in the time its caller wanted to wait.

    Args:
        name: What is locked.
        waited: Seconds.
    """

    def __init__(self, name: str, waited: float) -> None:
        self.name, self.waited = name, waited
        super().__init__(name, waited)

    def __str__(self) -> str:
        return f"lock {self.name!r} was held by another for {self.waited:g} seconds"


class RecursiveCreationError(LockError):
    """A creator asked the cache for the very value that it was creating."""

    def __init__(self, namespace: str, key: str) -> None:
        self.namespace, self.key = namespace, key
        super().__init__(namespace, key)

    def __str__(self) -> str:
        return (
            f"key {self.key!r} of namespace {self.namespace!r} was asked for by the "
            f"function that was creating it; call the undecorated function there"
        )


def _is_installed(package: str) -> bool:
    # One without a file is a name that several distributions share.
    return getattr(sys.modules.get(package), "__file__", None) is not None
