"""The cookie classes of Beaker 1.x."""

from __future__ import annotations

import hmac
from http import cookies
from typing import Any

from beaker.signing import former_signature

__all__ = ["InvalidSignature", "SignedCookie", "SimpleCookie"]


class SimpleCookie(cookies.SimpleCookie):
    """Cookies of a request; one with a name that HTTP forbids hides no other."""

    bad_cookies: set[str] | None = None

    def load(self, rawdata: Any) -> None:
        """Read a Cookie header, or a mapping of names to values."""
        self.bad_cookies = set()
        super().load(rawdata)

    def _BaseCookie__set(  # noqa: N802  # the base's own hook
        self, key: str, real_value: Any, coded_value: Any
    ) -> None:
        try:
            super()._BaseCookie__set(key, real_value, coded_value)  # type: ignore[misc]  # the base's own hook
        except cookies.CookieError:
            if self.bad_cookies is None:
                raise
            self.bad_cookies.add(key)


class _InvalidSignatureType:
    """The type of `InvalidSignature`, which is false."""

    def __bool__(self) -> bool:
        return False


#: The value of a cookie whose signature is not ours.
InvalidSignature = _InvalidSignatureType()


class SignedCookie(SimpleCookie):
    """Cookies whose values carry the signature of Beaker 1.x, an HMAC-SHA1.

    Args:
        secret: The text or bytes to sign with.
        input: A Cookie header, or a mapping of names to values.
    """

    def __init__(self, secret: str | bytes, input: Any = None) -> None:
        self.secret = secret.encode() if isinstance(secret, str) else secret
        super().__init__(input)

    def value_decode(self, val: str) -> tuple[Any, str]:
        """Return what was signed, or `InvalidSignature`, and the value as it came."""
        val = val.strip('"')
        if not val:
            return None, val
        expected = former_signature(self.secret, val[40:]).encode()
        if hmac.compare_digest(expected, val[:40].encode()):
            return val[40:], val
        return InvalidSignature, val

    def value_encode(self, val: Any) -> tuple[str, str]:
        """Return the value as text, without and with its signature."""
        text = str(val)
        return text, former_signature(self.secret, text) + text
