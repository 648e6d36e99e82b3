"""Ids of sessions that would lead astray whoever took them for a name."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import product

__all__ = ["hostile_ids"]

_PATHS = [
    *(".", "..", "../x", "../../etc/passwd", "/etc/passwd", "/tmp/beaker-id", "a/b"),  # noqa: S108  # not to be made
    *(
        "a//b",
        "./a",
        "a/.",
        "a/..",
        "..\\x",
        "C:\\x",
        "\\\\host\\x",
        "~",
        "~root",
        "-rf",
    ),
    *("%2e%2e%2fx", "file:///x", "x.cache", "x.cache.lease", "a.tmp", ".hidden"),
]
_DEVICES = ["CON", "con", "NUL", "nul.txt", "AUX", "COM1", "LPT9", "PRN", "/dev/zero"]
_CONTROLS = [
    "\0",
    "a\0b",
    "a\0",
    "\0a",
    "\r\n",
    "a\r\nSet-Cookie: x=1",
    "\t",
    " ",
    "\x7f",
    "\x1b[2J",
]
_SHAPES = [
    "",
    "x",
    "x" * 300,
    "x" * 255,
    "x" * 256,
    "x" * 5000,
    "é" * 300,
    "0" * 32,
    "0" * 31,
]
_UNICODE = [
    *(
        "é",
        "e\u0301",
        "ÄÖ",
        "ß",
        "ẞ",
        "ss",
        "SS",
        "K",
        "\u212a",
        "k",
        "\u0131",
        "I",
        "i",
    ),
    *(
        "\u200b",
        "a\u200b",
        "\ufeff",
        "\u202e",
        "\U0001d51e",
        "🙂",
        "\ud800",
        "\udfff",
        "\udc80x",
    ),
    *("\u2028", "ﬁ", "fi", "\uff41", "a", "A", "名前"),
]
_SERVERS = [
    *("a:b", "a:b:session", "beaker_cache:x:session", "{x}", "}{", "x}:session"),
    *("x_session", "x_session_session", "x y", "x\u00c2\u00b7y", "x#", "x@", "x!"),
    *(
        "'; drop table beaker_cache; --",
        '"',
        "'",
        "\\",
        "%",
        "_",
        "x%",
        "*",
        "?",
        "[a-z]",
    ),
    *("$where", "$gt", "a.b", "{'$ne': 1}", "2:" + "0" * 64, "1:x", "0", "None", "1e5"),
    *("x ", "x  ", " x", "x.", "x..", "X", "x,y", "x;y", "x=y", "x&y", "<x>"),
]

#: What stands before and after those above, so that each has neighbours.
_AROUND = [
    ("", ""),
    ("a", ""),
    ("", "b"),
    ("a/", ""),
    ("", "/"),
    ("", "\0"),
    ("", "."),
    ("", " "),
    ("../", ""),
    (":", ""),
    ("", ":session"),
    ("é", ""),
]


def hostile_ids() -> list[str]:
    """Return a thousand ids and more, of which no two are the same."""
    return sorted(set(_all()))


def _all() -> Iterator[str]:
    plain = [*_PATHS, *_DEVICES, *_CONTROLS, *_SHAPES, *_UNICODE, *_SERVERS]
    for (before, after), one in product(_AROUND, plain):
        yield before + one + after
