"""Names that plugins written for Beaker 1.x import; the core itself uses none."""

from __future__ import annotations

import base64
import pickle
from inspect import Signature, signature
from typing import Any

try:
    import dbm.gnu as anydbm
except ImportError:
    import dbm.dumb as anydbm  # type: ignore[no-redef]  # the one that is always there

__all__ = [
    "PY2",
    "NoneType",
    "anydbm",
    "b64decode",
    "b64encode",
    "bindfuncargs",
    "bytes_",
    "pickle",
    "signature",
    "string_type",
    "u_",
    "unicode_text",
]

PY2 = False
NoneType = type(None)
string_type = (str,)
unicode_text = str


def u_(value: Any) -> str:
    """Return text, decoding bytes as UTF-8."""
    return value.decode("utf-8") if isinstance(value, bytes) else str(value)


def bytes_(value: Any) -> bytes:
    """Return bytes, encoding anything else as ASCII."""
    return value if isinstance(value, bytes) else str(value).encode("ascii")


def b64decode(value: str) -> bytes:
    """Return the bytes that base64 text stands for."""
    return base64.b64decode(value.encode("ascii"))


def b64encode(value: bytes) -> str:
    """Return bytes as base64 text."""
    return base64.b64encode(value).decode("ascii")


def bindfuncargs(
    arginfo: Signature, args: tuple[Any, ...], kwargs: dict[str, Any]
) -> tuple[tuple[Any, ...], dict[str, Any]]:
    """Return a call's arguments, those given by name moved to their positions."""
    bound = arginfo.bind(*args, **kwargs)
    return bound.args, bound.kwargs
