"""The id of a session as its cookie says it, and which of those is believed."""

from __future__ import annotations

import re
from collections.abc import Sequence

from beaker.signing import TextSigner, former_signature

__all__ = ["CookieIds"]

_ID = re.compile(r"[0-9a-f]{32}")


class CookieIds:
    """Writes ids into cookies of one name, and takes back those that we issued.

    Args:
        name: The cookie.
        secrets: The first one signs, all of them verify; without any, ids are not
            signed, and one that looks as ours do is believed.
        mode: "compat" signs as Beaker 1.x did, "strict" does not read that.
    """

    __slots__ = ("_secrets", "_signer", "_writes_former")

    def __init__(self, name: str, secrets: Sequence[bytes], mode: str) -> None:
        self._secrets, self._writes_former = secrets, mode == "compat"
        purpose = f"beaker session id in cookie {name}"
        former = mode != "strict"
        self._signer = (
            TextSigner(secrets, purpose, reads_former=former) if secrets else None
        )

    def said(self, id: str) -> str:
        """Return what a cookie says of an id."""
        if self._signer is None:
            return id
        if self._writes_former:
            return former_signature(self._secrets[0], id) + id
        return self._signer.sign(id)

    def believed(self, value: str) -> tuple[str, bool] | None:
        """Return the id in a cookie, or None if it is not one that we issued.

        Returns:
            The id, and whether the cookie says it as it would be said now.
        """
        if self._signer is None:
            return (value, True) if _ID.fullmatch(value) else None
        found = self._signer.verify(value)
        # What was signed for this purpose is an id; in 1.x it could be any text.
        if found is None or not (found[1] or _ID.fullmatch(found[0])):
            return None
        if self._writes_former:
            # One that 2.x has signed is said again, for 1.x to understand it.
            return found[0], value == self.said(found[0])
        return found

    def is_former(self, value: str) -> bool:
        """Return whether a cookie that was believed is signed as 1.x did it."""
        return self._signer is not None and not self._signer.is_signed(value)
