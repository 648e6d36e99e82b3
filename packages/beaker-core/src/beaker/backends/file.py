"""The store of plain files: one for each session, one for each record of a cache."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Mapping
from typing import Any, ClassVar

from beaker._locks.leases import LocalLease
from beaker.backends._layouts import CacheLayout, Entry, Layout, SessionLayout
from beaker.backends._ondisk import OnDiskNamespaceManager, modified
from beaker.backends._private import remove, set_time
from beaker.options import Coercer, optional, text
from beaker.protocols import Lease

__all__ = ["FileNamespaceManager"]


class FileNamespaceManager(OnDiskNamespaceManager):
    """Keeps each record in a file of its own, below `data_dir`.

    Readers take no lock, for a file is always whole; writers of one key wait for each
    other. Sessions are where 1.x kept them, and a session's access time is that of
    its file. A cache's namespace is a directory: to remove it by hand is to
    invalidate it.

    Args:
        namespace: The name; with `digest_filenames` false, a session's id.
        data_dir: Directory of files and locks.
        file_dir: Directory of the files, if they shall be in another.
        lock_dir: Directory of the locks, if they shall be in another.
        digest_filenames: False for a session: so 1.x said it.
        keywords: The other options.

    Raises:
        MissingCacheParameter: No directory is given.
    """

    options: ClassVar[Mapping[str, Coercer]] = {"file_dir": optional(text)}
    _kind, _suffix = "file", ".cache"
    #: In 1.x a file held the dictionary of a namespace: so the mode ``compat``.
    kept_whole_namespaces = True

    def __init__(
        self,
        namespace: str,
        data_dir: str | None = None,
        file_dir: str | None = None,
        lock_dir: str | None = None,
        digest_filenames: bool = True,
        **keywords: Any,
    ) -> None:
        keywords.setdefault("purpose", "cache" if digest_filenames else "session")
        directories = {"data_dir": data_dir, "file_dir": file_dir, "lock_dir": lock_dir}
        super().__init__(namespace, **directories, **keywords)

    def prepare(self) -> None:
        """Derive the paths; the disk is not touched."""
        files, place = self._files, self._files.place
        self._layout: Layout = (
            SessionLayout(files, place.of_session(self.namespace))
            if self.settings.purpose == "session"
            else CacheLayout(files, place.of_cache(self.namespace))
        )

    def fetch(self, key: str) -> bytes | None:
        """Return what the key's file holds."""
        with self._files:
            content = self._files.read(self._layout.path(key))
        return None if content is None else self._layout.unpack(content.data)

    def store(self, key: str, data: bytes, ttl: float | None) -> None:
        """Put a new file in the place of the old one."""
        self._write(key, data, ttl, None)

    def discard(self, key: str) -> bool:
        """Remove the key's file and fence."""
        path = self._layout.path(key)
        with self._files, self._lock(path):
            was_there = remove(path)
            remove(_fence(path))
        return was_there

    def replace(
        self, key: str, expected: bytes | None, data: bytes, ttl: float | None
    ) -> bool:
        """Put a new file in place if the old one holds what is expected."""
        return self._write(key, data, ttl, lambda: self.fetch(key) == expected)

    def drop(self) -> None:
        """Remove all files of the namespace at once."""
        with self._files:
            self._layout.drop()

    def lease(self, key: str) -> Lease:
        """Return a lease whose fence is a file beside the record."""
        path = _fence(self._layout.path(key))

        def mark(token: str) -> None:
            with self._files:
                self._files.mark(path, token)

        def unmark(token: str) -> None:
            with self._files:
                if self._holds(path, token):
                    remove(path)

        place = self._files.place
        name = place.lock_name(self.namespace, key)
        return LocalLease(name, place.locks, mark, unmark)

    def fill(self, key: str, data: bytes, ttl: float | None, lease: Lease) -> bool:
        """Put a new file in place if the fence still shows the lease's token."""
        fence = _fence(self._layout.path(key))
        filled = self._write(key, data, ttl, lambda: self._holds(fence, lease.token))
        if filled and isinstance(lease, LocalLease):
            lease.forget()
        return filled

    def fetch_accessed(self, key: str) -> tuple[bytes, float | None] | None:
        """Return what the key's file holds and the time it shows."""
        with self._files:
            content = self._files.read(self._layout.path(key))
        if content is None:
            return None
        return self._layout.unpack(content.data), content.modified

    def touch(self, key: str, ttl: float | None, accessed: float) -> bool:
        """Set the time that the key's file shows."""
        path = self._layout.path(key)
        with self._files:
            try:
                self._layout.extend(path, ttl)
                set_time(path, accessed)
            except FileNotFoundError:
                return False
        return True

    def keys(self) -> Iterable[str]:
        """Return the keys that the files name."""
        now = time.time()
        with self._files:
            return [e.key for e in self._layout.entries() if now < e.deadline]

    def purge(self) -> int:
        """Remove the files past their deadline, and what was left behind."""
        now = time.time()
        with self._files:
            self._layout.sweep()
            past = [e for e in self._layout.entries() if e.deadline <= now]
            return sum(self._purge(entry, now) for entry in past)

    def _write(
        self,
        key: str,
        data: bytes,
        ttl: float | None,
        still: Callable[[], bool] | None,
    ) -> bool:
        path = self._layout.path(key)
        content = self._layout.pack(key, data, ttl)
        with self._files, self._lock(path):
            if not self._files.write(path, content, still):
                return False
            # After the write: a creation that begins in between is fenced off too.
            remove(_fence(path))
        return True

    def _purge(self, entry: Entry, now: float) -> bool:
        with self._lock(entry.path):
            # A new record may have come since we looked.
            there = self._layout.entry(entry.path)
            return there is not None and there.deadline <= now and remove(entry.path)

    def _holds(self, fence: str, token: str) -> bool:
        content = self._files.read(fence)
        return content is not None and content.data == token.encode()

    def _last_used(self, path: str) -> float:
        return modified(path)

    def _remove_session(self, path: str) -> bool:
        return remove(path)


def _fence(path: str) -> str:
    return f"{path}.lease"
