"""Who may write a file or directory: we alone, or other users of the machine too."""

from __future__ import annotations

import errno
import os
from stat import S_IFREG, S_ISDIR, S_ISLNK, S_ISREG, S_ISVTX

__all__ = ["program_user", "require_private_directory", "require_private_file"]

_WRITABLE_BY_OTHERS = 0o022
_TYPE_AND_WRITERS = 0o170000 | _WRITABLE_BY_OTHERS
_HAS_USERS = hasattr(os, "geteuid")


def require_private_file(path: str, info: os.stat_result) -> None:
    """Refuse what is no regular file, or one that other users may write.

    Raises:
        PermissionError: It says what is wrong with the file.
    """
    if info.st_mode & _TYPE_AND_WRITERS != S_IFREG or _is_foreign(info):
        raise _not_private(path, info)


def require_private_directory(path: str, *, may_be_shared: bool = False) -> None:
    """Refuse a directory that other users may write.

    Args:
        path: The directory, or a link to it that no other user has made.
        may_be_shared: Whether one will do such as /tmp, where everybody may write
            but not touch what is another's.

    Raises:
        PermissionError: It says what is wrong with the directory.
        FileNotFoundError: There is none.
    """
    info = os.lstat(path)
    if S_ISLNK(info.st_mode) and not _is_foreign(info):
        info = os.stat(path)
    is_shared = may_be_shared and info.st_mode & S_ISVTX
    is_open = info.st_mode & _WRITABLE_BY_OTHERS and not is_shared
    if is_open or _is_foreign(info):
        raise _not_private(path, info)


def program_user() -> str:
    """Return the user who runs this program, as errors call him."""
    return _named(_me())


def _me() -> int:
    # Where users have no numbers, all files look as if they were number 0's.
    return os.geteuid() if _HAS_USERS else 0


def _is_foreign(info: os.stat_result) -> bool:
    # Root may do what it likes anyway.
    return info.st_uid not in (0, _me())


def _not_private(path: str, info: os.stat_result) -> PermissionError:
    owner = _named(info.st_uid)
    if _is_foreign(info):
        fact = f"it belongs to {owner}"
    elif S_ISREG(info.st_mode) or S_ISDIR(info.st_mode):
        fact = f"it belongs to {owner}, and others may write to it"
    else:
        fact = "it is no regular file"
    return PermissionError(errno.EPERM, fact, path)


def _named(user: int) -> str:
    try:
        from pwd import getpwuid

        return f"user {getpwuid(user).pw_name!r}"
    except (ImportError, KeyError):
        return f"user {user}"
