"""Tells a secret that can be guessed from one that cannot."""

from __future__ import annotations

import re

__all__ = ["NEW_SECRET", "weakness"]

#: What makes a good one, for whoever reads that his is weak.
NEW_SECRET = "python3 -c 'import secrets; print(secrets.token_urlsafe(32))'"  # noqa: S105  # none

_LEAST = 16
_LEAST_DIFFERENT = 8
#: Words that are guessed one after the other are weak up to this length.
_WORDS_UP_TO = 32

#: From documentation, ours and others', as it is copied.
_EXAMPLES = re.compile(
    r"a(nother)? long random text|change[ _-]?me|some[ _-]?secret|super[ _-]?secret|"
    r"my[ _-]?secret|your[ _-]?secret|secret[ _-]?key|long enough|validate[ _-]?key",
    re.IGNORECASE,
)

# Random letters are hardly ever all small, or all large, or large in front only.
_WORD = re.compile(r"[a-z]+|[A-Z]+|[A-Z][a-z]+")
_BETWEEN = re.compile(r"[\s_.,'-]+|(?<=[a-z])(?=[A-Z])")
_END = re.compile(r"[0-9!?.]{0,4}$")


def weakness(secret: str | bytes) -> str | None:
    """Return why a secret can be guessed, as the end of "it ..."; None: it cannot."""
    text = secret.decode("latin-1") if isinstance(secret, bytes) else secret
    if len(text) < _LEAST:
        return f"has {len(text)} characters only"
    if len(set(text)) < _LEAST_DIFFERENT:
        return f"has {len(set(text))} different characters only"
    if _EXAMPLES.search(text):
        return "is like those in documentation"
    if len(text) < _WORDS_UP_TO and _is_words(_END.sub("", text)):
        return "looks like words"
    return None


def _is_words(text: str) -> bool:
    words = _BETWEEN.split(text)
    return len(words) * 4 <= len(text) and all(map(_WORD.fullmatch, words))
