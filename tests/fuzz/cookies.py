"""Cookies in every form that a session can have, and who reads them."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

from beaker.exceptions import CorruptRecordError
from beaker.session import CookieSession, Session
from beaker.signing import former_signature
from tests.core.sessions import KEY, sent

__all__ = ["BY_ID", "ENCRYPTED", "FORMS", "SIGNED", "Form", "accepted", "issued"]

Options = dict[str, Any]

#: The same for everything: what is kept apart is not kept apart by its secret.
SECRET = "one secret for all, 32 of them.."
OLD, OLDER = "the secret of the last year 1234", "the secret of the year before 12"

SIGNED: Options = {"type": "cookie", "validate_key": SECRET}
ENCRYPTED: Options = {
    **SIGNED,
    "encrypt_key": SECRET,
    "crypto_type": "cryptography",
}
BY_ID: Options = {"type": "memory", "secret": SECRET}


class Form(NamedTuple):
    """One way to write a cookie and to read it again.

    Attributes:
        writes: The options of who issued it.
        reads: The options of who is sent it.
        issue: Returns a value that `reads` accepts.
    """

    writes: Options
    reads: Options
    issue: Callable[[Options, str], str]


def issued(options: Options, user: str) -> str:
    """Return the value of the cookie that a new session sends."""
    session, request = _opened("", options)
    session["user"] = user
    session.save()
    return _value(request)


def issued_id_of_1x(options: Options, user: str) -> str:
    """Return the value that Beaker 1.x had for a session that is in the store."""
    session, _ = _opened("", options)
    session["user"] = user
    session.save()
    return former_signature(options["secret"].encode(), session.id) + session.id


def accepted(value: str, options: Options, name: str = KEY) -> bool:
    """Return whether this cookie leads to a session that was there before."""
    try:
        session, _ = _opened(f"{name}={value}", {**options, "key": name})
    except CorruptRecordError:
        return False
    return not session.is_new or "user" in session


def _opened(cookie: str, options: Options) -> tuple[Session, Options]:
    request: Options = {"cookie": cookie}
    kind = CookieSession if options["type"] == "cookie" else Session
    return kind(request, **{"key": KEY, **options}), request


def _value(request: Options) -> str:
    return sent(request).partition("=")[2]


def _same(options: Options) -> Form:
    return Form(options, options, issued)


def _rotated(options: Options) -> Form:
    keys = [name for name in options if name.endswith(("_key", "secret"))]
    former = dict.fromkeys(keys, OLD)
    several = {key: [SECRET, OLD, OLDER] for key in keys}
    return Form({**options, **former}, {**options, **several}, issued)


def _former(options: Options, mode: str) -> Form:
    return Form({**options, "mode": "compat"}, {**options, "mode": mode}, issued)


#: Every form, by what it is called in a report.
FORMS = {
    "id": _same(BY_ID),
    "id, strict": _same({**BY_ID, "mode": "strict"}),
    "id under an old secret": _rotated(BY_ID),
    "id of 1.x": Form(BY_ID, BY_ID, issued_id_of_1x),
    "id in compat": _same({**BY_ID, "mode": "compat"}),
    "signed": _same(SIGNED),
    "signed, json": _same({**SIGNED, "data_serializer": "json"}),
    "signed under an old secret": _rotated(SIGNED),
    "signed by 1.x": _former(SIGNED, "migrate"),
    "signed in compat": _former(SIGNED, "compat"),
    "signed by 1.x, json": _former({**SIGNED, "data_serializer": "json"}, "migrate"),
    "encrypted": _same(ENCRYPTED),
    "encrypted, strict": _same({**ENCRYPTED, "mode": "strict"}),
    "encrypted under an old secret": _rotated(ENCRYPTED),
    "encrypted by 1.x": _former(ENCRYPTED, "migrate"),
    "encrypted in compat": _former(ENCRYPTED, "compat"),
}
