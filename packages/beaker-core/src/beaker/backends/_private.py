"""Files and directories that nobody but this program's user may write."""

from __future__ import annotations

import errno
import os
from collections.abc import Callable
from contextlib import suppress
from types import TracebackType
from typing import NamedTuple

from beaker.backends._ownership import (
    program_user,
    require_private_directory,
    require_private_file,
)
from beaker.backends._places import Place
from beaker.directories import make_private
from beaker.exceptions import StoreRefusedError

__all__ = ["Content", "PrivateFiles", "remove", "set_time"]

_BINARY = getattr(os, "O_BINARY", 0)
_NO_LINK = getattr(os, "O_NOFOLLOW", 0)
# Without NONBLOCK, a pipe in a file's place would keep us waiting.
_READ = os.O_RDONLY | _BINARY | _NO_LINK | getattr(os, "O_NONBLOCK", 0)
_CREATE = os.O_WRONLY | os.O_CREAT | os.O_EXCL | _BINARY | _NO_LINK
_PATCH = os.O_WRONLY | _BINARY | _NO_LINK
_OVERWRITE = os.O_WRONLY | os.O_CREAT | os.O_TRUNC | _BINARY | _NO_LINK

# Where the system cannot but follow, Python refuses to be told not to.
_FOLLOW = os.utime not in os.supports_follow_symlinks

#: How often a directory may vanish between our making and our using it.
_ATTEMPTS = 100

#: What the system answers where there is no more room: what is there can be read.
_FULL = frozenset((errno.ENOSPC, errno.EDQUOT, errno.EFBIG))

#: What the system answers where its user has to change something. All else passes
#: as it is: the disk is broken, or away.
_REFUSALS = frozenset(
    (
        errno.EACCES,
        errno.EISDIR,
        errno.ELOOP,
        errno.ENAMETOOLONG,
        errno.ENOTDIR,
        errno.EPERM,
        errno.EROFS,
    )
)


class Content(NamedTuple):
    """A file as it was read.

    Attributes:
        data: Its bytes.
        modified: When it was last written or marked, in seconds since 1970.
    """

    data: bytes
    modified: float


class PrivateFiles:
    """Reads and writes the files at one place.

    Nothing is read from a file that another user may write, nothing is written into
    a directory where another user may, and no link leads to a file. A directory that
    disappears at any moment is no error.

    As a context it tells what the system refuses as a `StoreRefusedError`.

    Args:
        place: Where the files are.
    """

    def __init__(self, place: Place) -> None:
        self.place = place
        self._is_checked = False

    def read(self, path: str, at_most: int | None = None) -> Content | None:
        """Return a file's content, or how it begins; None if there is no file."""
        try:
            descriptor = os.open(path, _READ)
        except FileNotFoundError:
            return None
        try:
            info = os.fstat(descriptor)
            require_private_file(path, info)
            size = info.st_size if at_most is None else min(info.st_size, at_most)
            data = os.read(descriptor, size)
            # One call reads at most 2 GiB.
            while len(data) < size and (more := os.read(descriptor, size - len(data))):
                data += more
            return Content(data, info.st_mtime)
        finally:
            os.close(descriptor)

    def write(
        self, path: str, data: bytes, still: Callable[[], bool] | None = None
    ) -> bool:
        """Put a file in place, whole, of which no other process sees a part.

        If anything goes wrong, what was there is untouched. It is not forced to the
        disk, which would take milliseconds: if the machine loses its power, the last
        records may be lost or empty; if the program dies, none is.

        Args:
            path: The file.
            data: Its new content.
            still: Asked last whether to go on. What it finds in the same directory
                holds when the file comes in place: a directory that was removed or
                made anew in between does not have our file in it.

        Returns:
            Whether it was put there; not so too if its directory disappeared.
        """
        descriptor, temporary = self._create(path)
        try:
            try:
                _write_all(descriptor, data)
            finally:
                os.close(descriptor)
            if still is None or still():
                os.replace(temporary, path)
                return True
        except FileNotFoundError:
            return False
        except BaseException:
            remove(temporary)
            raise
        remove(temporary)
        return False

    def mark(self, path: str, text: str) -> None:
        """Write a small file that has only one writer, and no reader while it does."""
        descriptor = self._open(path, _OVERWRITE)
        try:
            _write_all(descriptor, text.encode())
        except BaseException:
            remove(path)
            raise
        finally:
            os.close(descriptor)

    def add(self, path: str) -> None:
        """Make an empty file if there is none; one that is there is not opened."""
        if not self.has(path):
            with suppress(FileExistsError):
                os.close(os.open(path, _CREATE, 0o600))

    def patch(self, path: str, offset: int, data: bytes) -> None:
        """Write a few bytes over those in a file.

        Raises:
            FileNotFoundError: There is no such file.
        """
        descriptor = os.open(path, _PATCH)
        try:
            os.lseek(descriptor, offset, os.SEEK_SET)
            _write_all(descriptor, data)
        finally:
            os.close(descriptor)

    def make(self, directory: str) -> None:
        """Make a directory, and those above it, for this user only."""
        make_private(directory)
        self.check()

    def check(self) -> None:
        """Make sure, once, that nobody else may write where the files are."""
        if not self._is_checked:
            chosen, path = self.place.chosen, self.place.path
            require_private_directory(chosen, may_be_shared=chosen != path)
            require_private_directory(path)
            self._is_checked = True

    def has(self, path: str) -> bool:
        """Return whether there is a file, that nobody else may write."""
        try:
            require_private_file(path, os.lstat(path))
        except FileNotFoundError:
            return False
        return True

    def ping(self) -> None:
        """Return if the directory answers, or is not there yet."""
        with suppress(FileNotFoundError):
            os.stat(self.place.path)

    def _create(self, path: str) -> tuple[int, str]:
        # Nobody can guess the name, so nobody can have put a link there.
        temporary = f"{path}.{os.urandom(8).hex()}.tmp"
        return self._open(temporary, _CREATE), temporary

    def _open(self, path: str, flags: int) -> int:
        for _ in range(_ATTEMPTS):
            with suppress(FileNotFoundError):
                if not self._is_checked:
                    self.make(os.path.dirname(path))
                return os.open(path, flags, 0o600)
            self._is_checked = False
        raise FileNotFoundError(errno.ENOENT, "its directory disappears", path)

    def __enter__(self) -> None:
        pass

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        if isinstance(error, OSError) and error.errno in _REFUSALS:
            cause = f"{error.filename or self.place.path}: {error.strerror}"
            raise self.refusal(cause) from error
        if isinstance(error, OSError) and error.errno in _FULL:
            raise self.full(str(error.strerror)) from error

    def full(self, cause: str) -> StoreRefusedError:
        """Return the error that says what to do where there is no more room."""
        remedy = f"make room on the disk of {self.place.chosen!r}"
        return StoreRefusedError(str(self.place), cause, remedy)

    def refusal(self, cause: str) -> StoreRefusedError:
        """Return the error that says what to do where something is not ours."""
        place = self.place
        remedy = (
            f"let it belong to {program_user()}, who runs this program, and nobody "
            f"else write to it, or set the option {place.option!r}, now "
            f"{place.chosen!r}, to a directory of which that is true"
        )
        return StoreRefusedError(str(place), cause, remedy)


def remove(path: str) -> bool:
    """Remove a file and return whether it was there."""
    try:
        os.unlink(path)
    except FileNotFoundError:
        return False
    return True


def set_time(path: str, seconds: float) -> None:
    """Set the time that a file shows as its last change.

    Raises:
        FileNotFoundError: There is no such file.
    """
    os.utime(path, (seconds, seconds), follow_symlinks=_FOLLOW)


def _write_all(descriptor: int, data: bytes) -> None:
    rest = memoryview(data)
    while rest:
        rest = rest[os.write(descriptor, rest) :]
