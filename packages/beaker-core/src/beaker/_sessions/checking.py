"""Refuses options that would be unsafe, and tells those that may be."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from beaker._sessions.cookieheaders import attributes
from beaker._sessions.weakness import weakness
from beaker.configuration import tell_program
from beaker.exceptions import InvalidOptionError, WeakSecretError

__all__ = ["check_cookie", "check_nonce", "check_secrets", "secrets_in"]

#: Fewer bits than this would let keys of 1.x payloads be tried out.
_LEAST_NONCE = 48


def check_nonce(bits: int) -> None:
    """Pass if a nonce of 1.x may be so long.

    Raises:
        InvalidOptionError: It may not.
    """
    if bits % 8 or bits < _LEAST_NONCE:
        takes = f"a multiple of 8 from {_LEAST_NONCE} on"
        raise InvalidOptionError("encrypt_nonce_bits", bits, takes)


def check_cookie(name: str, options: Mapping[str, Any]) -> None:
    """Pass if browsers keep such a cookie.

    Raises:
        InvalidOptionError: They do not, or take it for another one.
    """
    attributes(
        name,
        options["cookie_domain"],
        options["cookie_path"],
        secure=options["secure"] is not False,
        httponly=options["httponly"],
        samesite=options["samesite"],
    )


def check_secrets(option: str, secrets: Iterable[bytes], *, strict: bool) -> None:
    """Tell the program which secrets somebody could guess.

    Raises:
        WeakSecretError: With `strict`, for the first of them.
    """
    for secret in secrets:
        weak = weakness(secret)
        if weak is not None:
            tell_program(WeakSecretError(option, f"it {weak}"), strict=strict)


def secrets_in(given: Any) -> list[bytes]:
    """Return the secrets that an option holds."""
    if given is None:
        return []
    several = [given] if isinstance(given, str | bytes) else given
    return [one.encode() if isinstance(one, str) else one for one in several]
