"""What the doctor finds, and the passwords that it never tells."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from typing import Any, NamedTuple
from urllib.parse import unquote, urlsplit

__all__ = [
    "ERROR",
    "GOOD",
    "NOTE",
    "SECRETS",
    "WARNING",
    "Finding",
    "Redactor",
    "of_error",
]

#: It works; it is worth to know; it should be changed; it does not work.
GOOD, NOTE, WARNING, ERROR = "good", "note", "warning", "error"

#: The options whose value nobody may see.
SECRETS = frozenset({"encrypt_key", "password", "secret", "validate_key"})

#: Characters of a secret that is no part of other words.
LONG = 8


class Finding(NamedTuple):
    """One thing that the doctor has to say.

    Attributes:
        level: `GOOD`, `NOTE`, `WARNING` or `ERROR`.
        about: The option or the part that it is about.
        says: What is true.
        remedy: What to do; empty if there is nothing to do.
    """

    level: str
    about: str
    says: str
    remedy: str = ""


def of_error(
    about: str, error: Exception, *, level: str = ERROR, remedy: str = ""
) -> Finding:
    """Return what an error of ours says; what follows its last semicolon is to do.

    Args:
        about: The option or the part that it is about.
        error: Whatever was raised.
        level: How bad it is.
        remedy: What to do where it does not say.
    """
    says, _, told = str(error).rpartition("; ")
    return Finding(level, about, says or told, told if says else remedy)


class Redactor:
    """Takes passwords and secrets out of whatever is told.

    Args:
        options: All options, those of sessions and of caches.
    """

    def __init__(self, options: Iterable[Mapping[str, Any]]) -> None:
        found = {secret for given in options for secret in _secrets_in(given)}
        # A longer one may hold a shorter one.
        self._secrets = sorted(found - {""}, key=len, reverse=True)

    def clean(self, finding: Finding) -> Finding:
        """Return a finding without any of them."""
        says, remedy = self._cleaned(finding.says), self._cleaned(finding.remedy)
        return finding._replace(says=says, remedy=remedy)

    def _cleaned(self, text: str) -> str:
        for secret in self._secrets:
            pattern = re.escape(secret)
            if len(secret) < LONG:
                # A word such as "secret" also stands in others, which tell nothing.
                pattern = rf"(?<!\w){pattern}(?!\w)"
            text = re.sub(pattern, "***", text)
        return text


def _secrets_in(options: Mapping[str, Any]) -> Iterable[str]:
    for name, value in options.items():
        if name.rpartition(".")[2] in SECRETS:
            several = value if isinstance(value, list) else str(value).splitlines()
            yield from (str(one).strip() for one in several)
        elif name.rpartition(".")[2] in ("url", "sa.url", "urls"):
            yield from _passwords_in(str(value))


def _passwords_in(urls: str) -> Iterable[str]:
    for url in urls.replace(";", ",").split(","):
        try:
            password = urlsplit(url).password
        except ValueError:
            # No URL; whoever takes it will say so.
            continue
        if password:
            yield from (password, unquote(password))
