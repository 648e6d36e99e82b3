"""The store of dbm files: one for each namespace, with a row for each key."""

from __future__ import annotations

import errno
import os
import time
from collections.abc import Iterable, Iterator, Mapping
from contextlib import closing, contextmanager, suppress
from math import inf
from typing import Any, ClassVar

from beaker._locks.leases import LocalLease
from beaker.backends._dbm_modules import given_module, open_dbm
from beaker.backends._forks import Undivided
from beaker.backends._ondisk import OnDiskNamespaceManager, modified
from beaker.backends._private import remove, set_time
from beaker.backends._rows import (
    accessed_row,
    break_lease,
    deadline,
    keep_until,
    put,
    record_keys,
    record_row,
    take_out,
    token_row,
)
from beaker.exceptions import StoreRefusedError
from beaker.options import Coercer, optional, text
from beaker.protocols import Lease

__all__ = ["DBMNamespaceManager"]

#: What the modules of the dbm package append to the name that they are given.
_SUFFIXES = ("", ".db", ".dat", ".dir", ".bak", ".pag")

#: What `dbm.sqlite3` leaves beside it, after reading too: it tells no age.
_LEFT_BESIDE = ("-wal", "-shm", "-journal")

#: How often the directory may vanish while we open the files in it.
_ATTEMPTS = 100


class _NoRows(dict[bytes, bytes]):
    """What is read where there is no dbm."""

    def close(self) -> None:
        """Do nothing."""


class DBMNamespaceManager(OnDiskNamespaceManager):
    """Keeps the records of a namespace in one dbm, opened for each operation.

    Readers share it, a writer has it alone. What is written lasts as far as the dbm
    module makes it so: the one in pure Python may be damaged by a kill or a full disk.

    Args:
        namespace: The name; with `digest_filenames` false, a session's id.
        dbmmodule: The module to use, or its name; by default what `dbm` chooses.
        data_dir: Directory of files and locks.
        dbm_dir: Directory of the files, if they shall be in another.
        lock_dir: Directory of the locks, if they shall be in another.
        digest_filenames: False for a session: so 1.x said it.
        keywords: The other options.

    Raises:
        MissingCacheParameter: No directory is given.
    """

    options: ClassVar[Mapping[str, Coercer]] = {
        "dbm_dir": optional(text),
        "dbmmodule": optional(given_module),
    }
    _kind, _suffix = "dbm", ".dbm"

    def __init__(
        self,
        namespace: str,
        dbmmodule: Any = None,
        data_dir: str | None = None,
        dbm_dir: str | None = None,
        lock_dir: str | None = None,
        digest_filenames: bool = True,
        **keywords: Any,
    ) -> None:
        keywords.setdefault("purpose", "cache" if digest_filenames else "session")
        directories = {"data_dir": data_dir, "dbm_dir": dbm_dir, "lock_dir": lock_dir}
        super().__init__(namespace, dbmmodule=dbmmodule, **directories, **keywords)

    def prepare(self) -> None:
        """Derive the path; the disk is not touched."""
        place = self._files.place
        self._is_session = self.settings.purpose == "session"
        of = place.of_session if self._is_session else place.of_cache
        self._path = f"{of(self.namespace)}.dbm"

    def fetch(self, key: str) -> bytes | None:
        """Return the key's row."""
        return self.fetch_many((key,)).get(key)

    def store(self, key: str, data: bytes, ttl: float | None) -> None:
        """Write the key's row."""
        self.store_many({key: data}, ttl)

    def discard(self, key: str) -> bool:
        """Remove the key's rows; of a session the files too."""
        return self.discard_many((key,)) > 0

    def replace(
        self, key: str, expected: bytes | None, data: bytes, ttl: float | None
    ) -> bool:
        """Write the key's row if it holds what is expected."""
        replaced = False
        with self._opened("c" if expected is None else "w") as rows:
            if rows.get(record_row(key)) == expected:
                put(rows, key, data, ttl)
                replaced = True
        return replaced

    def drop(self) -> None:
        """Remove the files."""
        with self._files, self._lock(self._path):
            _remove_files(self._path)

    def lease(self, key: str) -> Lease:
        """Return a lease whose fence is a row beside the record's."""

        def mark(token: str) -> None:
            with self._opened("c") as rows:
                rows[token_row(key)] = token.encode()

        def unmark(token: str) -> None:
            with self._opened("w") as rows:
                if rows.get(token_row(key)) == token.encode():
                    del rows[token_row(key)]

        place = self._files.place
        name = place.lock_name(self.namespace, key)
        return LocalLease(name, place.locks, mark, unmark)

    def fill(self, key: str, data: bytes, ttl: float | None, lease: Lease) -> bool:
        """Write the key's row if the one beside it shows the lease's token."""
        filled = False
        with self._opened("w") as rows:
            if rows.get(token_row(key)) == lease.token.encode():
                put(rows, key, data, ttl)
                filled = True
        if filled and isinstance(lease, LocalLease):
            lease.forget()
        return filled

    def fetch_many(self, keys: Iterable[str]) -> dict[str, bytes]:
        """Return the rows that are there."""
        found: dict[str, bytes] = {}
        with self._opened("r") as rows:
            for key in keys:
                data = rows.get(record_row(key))
                if data is not None:
                    found[key] = data
        return found

    def store_many(self, records: Mapping[str, bytes], ttl: float | None) -> None:
        """Write the keys' rows."""
        with self._opened("c") as rows:
            for key, data in records.items():
                put(rows, key, data, ttl)

    def discard_many(self, keys: Iterable[str]) -> int:
        """Remove the keys' rows; of a session the files too."""
        removed = 0
        with self._opened("w") as rows:
            for key in keys:
                break_lease(rows, key)
                removed += take_out(rows, key)
        if self._is_session and removed:
            self._remove_if_empty()
        return removed

    def fetch_accessed(self, key: str) -> tuple[bytes, float | None] | None:
        """Return the key's row and the time beside it."""
        found = None
        with self._opened("r") as rows:
            data, mark = rows.get(record_row(key)), rows.get(accessed_row(key))
            if data is not None:
                found = data, None if mark is None else float(mark)
        return found

    def touch(self, key: str, ttl: float | None, accessed: float) -> bool:
        """Write the times beside the key's row."""
        touched = False
        with self._opened("w") as rows:
            if record_row(key) in rows:
                keep_until(rows, key, ttl)
                rows[accessed_row(key)] = repr(accessed).encode()
                touched = True
        # Files that look as old as their session tell a purge so without being opened.
        for path in _paths(self._path) if touched else ():
            with suppress(FileNotFoundError):
                set_time(path, accessed)
        return touched

    def keys(self) -> Iterable[str]:
        """Return the keys of the rows that are records."""
        keys: list[str] = []
        now = time.time()
        with self._opened("r") as rows:
            keys.extend(key for key in record_keys(rows) if now < deadline(rows, key))
        return keys

    def purge(self) -> int:
        """Remove the rows past their deadline."""
        past: list[str] = []
        now = time.time()
        with self._opened("w") as rows:
            past = [key for key in record_keys(rows) if deadline(rows, key) <= now]
            for key in past:
                take_out(rows, key)
        return len(past)

    @contextmanager
    def _opened(self, mode: str) -> Iterator[Any]:
        """Open the dbm under the lock.

        A block that finds its files gone is left where it stands: they were removed
        by hand, and what it did is removed with them.

        Args:
            mode: "r" to read, "w" to write where there is one, "c" to make one.
        """
        lock = self._lock(self._path)
        lock.acquire(shared=mode == "r")
        try:
            with self._files, Undivided():
                rows = self._open(mode)
                with suppress(FileNotFoundError), closing(rows):
                    yield rows
        except OSError as error:
            # A number is the system's; without one it is the module that complains.
            if error.errno is None:
                raise self._refusal(error) from error
            raise
        finally:
            lock.release()

    def _open(self, mode: str) -> Any:
        for _ in range(_ATTEMPTS):
            with suppress(FileNotFoundError):
                if mode == "c":
                    self._files.make(os.path.dirname(self._path))
                if not self._is_there() and mode != "c":
                    return _NoRows()
                try:
                    module = self.settings.own.get("dbmmodule")
                    return open_dbm(self._path, mode, module)
                except ValueError as error:
                    raise self._refusal(error) from error
        raise FileNotFoundError(errno.ENOENT, "its directory disappears", self._path)

    def _is_there(self) -> bool:
        there = [path for path in _paths(self._path) if self._files.has(path)]
        if there:
            self._files.check()
        return bool(there)

    def _last_used(self, path: str) -> float:
        there = [at for at in map(modified, _paths(path)) if at < inf]
        return max(there, default=inf)

    def _remove_session(self, path: str) -> bool:
        _remove_files(path)
        return True

    def _remove_if_empty(self) -> None:
        with self._files, self._lock(self._path), Undivided():
            with closing(self._open("r")) as rows:
                is_empty = not rows.keys()
            if is_empty:
                _remove_files(self._path)

    def _refusal(self, cause: Exception) -> StoreRefusedError:
        remedy = (
            f"try another module by the option 'dbmmodule', or remove the files "
            f"{self._path}* and what is in them"
        )
        return StoreRefusedError(self.place(), f"{self._path}: {cause!r}", remedy)


def _paths(path: str) -> Iterator[str]:
    return (path + suffix for suffix in _SUFFIXES)


def _remove_files(path: str) -> None:
    for suffix in (*_SUFFIXES, *_LEFT_BESIDE):
        remove(path + suffix)
