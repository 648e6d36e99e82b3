"""Where stores of this machine keep what, from their options and names of any kind."""

from __future__ import annotations

import os
import re
from hashlib import sha256

from beaker.exceptions import MissingCacheParameter
from beaker.protocols import StoreOptions

__all__ = ["DISK_REMEDY", "LEFT_BEHIND", "Place", "digest"]

#: What a user can do when a store on disk is away.
DISK_REMEDY = "check its directory, its permissions and the space on its disk"

#: Seconds after which what its maker has not removed is taken for that of a process
#: that died.
LEFT_BEHIND = 24 * 3600.0

#: What 1.x used as a file name as it is, and what leaves room for suffixes.
_PLAIN = re.compile(r"[0-9A-Za-z_-]{1,200}")
_UNSAFE = re.compile(r"[^0-9A-Za-z_-]+")


def digest(text: str) -> str:
    """Return 64 characters that no other text has, fit for a file name."""
    return sha256(text.encode("utf-8", "surrogatepass")).hexdigest()


class Place:
    """The directories of one store, and the names in them.

    Two namespaces never share a name, and none leads out of the directory.

    Args:
        kind: The store's configured name.
        settings: Its options: `data_dir`, `lock_dir`, and one such as ``file_dir``.
        nested: Whether its files are in a directory of their own in `data_dir`.

    Attributes:
        kind: As given.
        path: The directory of its files.
        locks: The directory of its lock files.
        chosen: The directory that the user has named, `path` itself or above it.
        option: The option that named it.

    Raises:
        MissingCacheParameter: No directory is given.
    """

    def __init__(
        self, kind: str, settings: StoreOptions, *, nested: bool = True
    ) -> None:
        self.kind, self._prefix = kind, settings.prefix
        self.option = f"{kind}_dir" if settings.own.get(f"{kind}_dir") else "data_dir"
        self.chosen = _absolute(settings.own.get(self.option) or settings.data_dir)
        if not self.chosen:
            raise _missing(kind, self.option)
        is_inside = nested and self.option == "data_dir"
        self.path = f"{self.chosen}/container_{kind}" if is_inside else self.chosen
        self.locks = _absolute(settings.lock_dir)
        if not self.locks:
            data_dir = _absolute(settings.data_dir)
            if not data_dir:
                raise _missing(kind, "lock_dir")
            self.locks = f"{data_dir}/container_{kind}_lock"

    def __str__(self) -> str:
        return f"{self.kind} at {self.path}"

    def of_session(self, session_id: str) -> str:
        """Return the path of a session, without suffix: that of 1.x.

        Ids that 1.x would have bent to make them fit get a digest instead; it begins
        with a character that no plain id has.
        """
        name = session_id
        if self._prefix or not _PLAIN.fullmatch(name):
            name = f"~{digest(self.scoped(session_id))}"
        return f"{self.path}/{name[:1]}/{name[:2]}/{name}"

    def of_cache(self, namespace: str) -> str:
        """Return the path of a cache's namespace.

        The namespace can be recognised in it, by those who remove one by hand. At
        this level the tree of 1.x has directories of one character only.
        """
        readable = _UNSAFE.sub("_", namespace)[:60]
        return f"{self.path}/caches/{readable}-{digest(self.scoped(namespace))}"

    def scoped(self, namespace: str) -> str:
        """Return a namespace with its application's prefix; no two are the same."""
        return f"{len(self._prefix)}:{self._prefix}{namespace}"

    def lock_name(self, namespace: str, key: str) -> str:
        """Return the name of a record's locks; `repr` tells where each part ends."""
        return f"{key!r} of {self.scoped(namespace)!r} at {self.path}"


def _absolute(path: str | None) -> str:
    return os.path.abspath(path) if path else ""


def _missing(kind: str, option: str) -> MissingCacheParameter:
    return MissingCacheParameter(
        f"the store {kind!r} needs a directory: set the option {option!r} to one that "
        f"only this program's user may write to"
    )
