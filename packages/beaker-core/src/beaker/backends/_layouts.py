"""How the file store arranges records: a session is a file, a cache a directory."""

from __future__ import annotations

import errno
import os
import struct
import time
from abc import ABC, abstractmethod
from collections.abc import Iterator
from contextlib import suppress
from math import inf
from typing import NamedTuple

from beaker.backends._places import LEFT_BEHIND, digest
from beaker.backends._private import PrivateFiles, remove
from beaker.exceptions import StoreRefusedError

__all__ = ["CacheLayout", "Entry", "Layout", "SessionLayout", "listed"]

#: Magic, deadline in seconds since 1970, length of the key that follows.
_HEADER = struct.Struct(">4sdI")
_DEADLINE = struct.Struct(">d")
_MAGIC = b"BKR2"
#: Enough of a file to hold the header and nearly every key.
_HEAD = 4096


class Entry(NamedTuple):
    """A record in a directory, without its data."""

    path: str
    key: str
    deadline: float


class Layout(ABC):
    """Where the records of one namespace are, and what else is in their files."""

    @abstractmethod
    def path(self, key: str) -> str:
        """Return the file of a key."""

    @abstractmethod
    def pack(self, key: str, data: bytes, ttl: float | None) -> bytes:
        """Return what to write into the file."""

    @abstractmethod
    def unpack(self, content: bytes) -> bytes:
        """Return the record's data from what the file holds."""

    @abstractmethod
    def extend(self, path: str, ttl: float | None) -> None:
        """Give a record another deadline, if it has one."""

    @abstractmethod
    def entry(self, path: str) -> Entry | None:
        """Return the record in a file, or None if there is none."""

    @abstractmethod
    def entries(self) -> Iterator[Entry]:
        """Return all records, even those past their deadline."""

    @abstractmethod
    def drop(self) -> None:
        """Remove all records and fences."""

    @abstractmethod
    def sweep(self) -> None:
        """Remove what dead processes left behind."""


class SessionLayout(Layout):
    """One file that holds the data and nothing else, as in 1.x.

    Args:
        files: Reads and writes them.
        stem: The path without suffix.
    """

    def __init__(self, files: PrivateFiles, stem: str) -> None:
        self._files, self._path = files, f"{stem}.cache"

    def path(self, key: str) -> str:
        """Return the one file there is."""
        if key == "session":
            return self._path
        cause = f"a session keeps its data under 'session', not under {key!r}"
        remedy = "leave out digest_filenames=False to get a namespace of many keys"
        raise StoreRefusedError(str(self._files.place), cause, remedy)

    def pack(self, key: str, data: bytes, ttl: float | None) -> bytes:  # noqa: ARG002
        """Return the data."""
        return data

    def unpack(self, content: bytes) -> bytes:
        """Return the data."""
        return content

    def extend(self, path: str, ttl: float | None) -> None:
        """Do nothing: how long a session lasts is told by when it was accessed."""

    def entry(self, path: str) -> Entry | None:
        """Return the session if it is there."""
        if self._files.read(path, 0) is None:
            return None
        return Entry(path, "session", inf)

    def entries(self) -> Iterator[Entry]:
        """Return the session if it is there."""
        entry = self.entry(self._path)
        return iter(() if entry is None else (entry,))

    def drop(self) -> None:
        """Remove the file."""
        remove(self._path)
        remove(f"{self._path}.lease")

    def sweep(self) -> None:
        """Do nothing: the directory is shared with other sessions."""


class CacheLayout(Layout):
    """A directory with a file for each record, which knows its key and deadline.

    Args:
        files: Reads and writes them.
        directory: The namespace's own.
    """

    def __init__(self, files: PrivateFiles, directory: str) -> None:
        self._files, self._directory = files, directory

    def path(self, key: str) -> str:
        """Return the file whose name is the key's digest."""
        return f"{self._directory}/{digest(key)}"

    def pack(self, key: str, data: bytes, ttl: float | None) -> bytes:
        """Put header and key before the data."""
        name = key.encode("utf-8", "surrogatepass")
        deadline = inf if ttl is None else time.time() + ttl
        return b"".join((_HEADER.pack(_MAGIC, deadline, len(name)), name, data))

    def unpack(self, content: bytes) -> bytes:
        """Return what follows the key; all of it if this is no file of ours.

        Then it is the reader of records who finds that it is none.
        """
        if content[:4] != _MAGIC or len(content) < _HEADER.size:
            return content
        return content[_HEADER.size + _HEADER.unpack_from(content)[2] :]

    def extend(self, path: str, ttl: float | None) -> None:
        """Write the new deadline over the old one."""
        deadline = inf if ttl is None else time.time() + ttl
        self._files.patch(path, len(_MAGIC), _DEADLINE.pack(deadline))

    def entry(self, path: str) -> Entry | None:
        """Read the head of a file."""
        content = self._files.read(path, _HEAD)
        if content is None or len(content.data) < _HEADER.size:
            return None
        magic, deadline, length = _HEADER.unpack_from(content.data)
        end = _HEADER.size + length
        if end > len(content.data) == _HEAD:
            content = self._files.read(path, end)
        if magic != _MAGIC or content is None or end > len(content.data):
            return None
        key = content.data[_HEADER.size : end].decode("utf-8", "surrogatepass")
        return Entry(path, key, deadline)

    def entries(self) -> Iterator[Entry]:
        """Read the heads of all files."""
        for name in listed(self._directory):
            if "." not in name:
                entry = self.entry(f"{self._directory}/{name}")
                if entry is not None:
                    yield entry

    def drop(self) -> None:
        """Rename the directory, which removes all at once; then delete it.

        Who writes a record meanwhile does so in the renamed directory, or fails to
        find it: see `PrivateFiles.write`.
        """
        dropped = f"{self._directory}.{os.urandom(8).hex()}.dropped"
        with suppress(FileNotFoundError):
            os.rename(self._directory, dropped)
            _delete(dropped)

    def sweep(self) -> None:
        """Remove files that were never put in place, old fences, half dropped trees."""
        parent = os.path.dirname(self._directory)
        for name in listed(parent):
            if name.endswith(".dropped"):
                _delete(f"{parent}/{name}")
        oldest = time.time() - LEFT_BEHIND
        for name in listed(self._directory):
            path = f"{self._directory}/{name}"
            with suppress(FileNotFoundError):
                if "." in name and os.lstat(path).st_mtime < oldest:
                    os.unlink(path)


def listed(directory: str) -> list[str]:
    """Return the names in a directory; none, if there is no directory."""
    try:
        return os.listdir(directory)
    except FileNotFoundError:
        return []


def _delete(directory: str) -> None:
    # Whoever was about to write when it was renamed may add a last file or two.
    for _ in range(100):
        for name in listed(directory):
            remove(f"{directory}/{name}")
        try:
            os.rmdir(directory)
        except FileNotFoundError:
            return
        except OSError as error:
            if error.errno not in (errno.ENOTEMPTY, errno.EEXIST):
                raise
        else:
            return
