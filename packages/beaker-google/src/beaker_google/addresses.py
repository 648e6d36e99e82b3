"""Which database a URL leads to."""

from __future__ import annotations

from typing import NamedTuple
from urllib.parse import parse_qsl, unquote, urlsplit

from beaker.exceptions import InvalidOptionError

__all__ = ["Address"]

_TAKES = (
    "datastore://project, datastore://project/database, or datastore:// for the "
    "project that the environment names; after a question mark namespace=name or "
    "endpoint=http://127.0.0.1:8081"
)


class Address(NamedTuple):
    """A database of Google Cloud Datastore.

    Attributes:
        project: The id of its project; None: as the environment says.
        database: Its name; None: the project's default one.
        tenant: The namespace of Datastore that holds the entities; None: the default.
        endpoint: Where it is reached; None: at Google, or at the emulator that the
            environment names.
    """

    project: str | None = None
    database: str | None = None
    tenant: str | None = None
    endpoint: str | None = None

    @classmethod
    def parse(cls, url: str | None) -> Address:
        """Return what a URL says; without one, all is as the environment says.

        Raises:
            InvalidOptionError: This is no URL of a database.
        """
        if not url:
            return cls()
        try:
            parts = urlsplit(url)
            asked = dict(parse_qsl(parts.query, strict_parsing=bool(parts.query)))
        except ValueError:
            raise _invalid(url) from None
        address = cls(
            unquote(parts.netloc) or None,
            unquote(parts.path.strip("/")) or None,
            asked.pop("namespace", None),
            asked.pop("endpoint", None),
        )
        if parts.scheme != "datastore" or asked or not address.is_sound():
            raise _invalid(url)
        return address

    def is_sound(self) -> bool:
        """Return whether it has nothing that no address has, such as a password."""
        names = (self.project, self.database, self.tenant)
        is_endpoint = self.endpoint is None or self.endpoint.startswith(
            ("http://", "https://")
        )
        return is_endpoint and not any(
            mark in part for part in (*names, self.endpoint) if part for mark in "@?#"
        )

    def place(self) -> str:
        """Return it as a URL."""
        path = "/".join(part for part in (self.project or "", self.database) if part)
        told = {"namespace": self.tenant, "endpoint": self.endpoint}
        query = "&".join(f"{name}={value}" for name, value in told.items() if value)
        return f"datastore://{path}{'?' if query else ''}{query}"


def _invalid(url: str) -> InvalidOptionError:
    # What does not belong into such a URL may be a password.
    shown = url.partition("?")[0] if "@" not in url else "datastore://..."
    return InvalidOptionError("url", shown, _TAKES, "ext:google")
