"""The names under which a namespace keeps its entities, and where they are listed."""

from __future__ import annotations

import re
from hashlib import sha256

__all__ = ["SESSIONS", "Names"]

#: Bytes of the longest part of a name that is written as it is; others are hashed.
#: Datastore takes 1500 bytes for the whole.
LONGEST = 500

#: What keeps the entities for one purpose apart from those for another.
_LETTERS = {"cache": "c", "session": "s"}

#: How many characters of a digest lead each name.
SPREAD = 16

#: The name of a session's entity: the length of its prefix, and what begins with it.
_SESSION = re.compile(r"s[0-9a-f]{16}(?:(\d+)\.\d+:|#)(.*)", re.DOTALL)

#: What the names of all sessions are between.
SESSIONS = ("s", "t")


class Names:
    """Turns keys into names: different keys into different names.

    A name begins with a piece of its digest, so that names are spread evenly: Datastore
    serves a range of neighbours from one machine. Then come the namespace, with the
    lengths of its parts, so that no text in one part can be taken for another, and the
    key. What is long, or cannot be written in UTF-8, is there by its SHA-256.

    Attributes:
        is_listed: Whether the entities can be listed: those of a session cannot, for
            there is one.
    """

    __slots__ = ("_head", "_is_told", "_letter", "_prefix", "is_listed")

    def __init__(self, namespace: str, prefix: str, purpose: str) -> None:
        self._letter, self._prefix = _LETTERS[purpose], prefix
        parts = f"{len(prefix)}.{len(namespace)}:{prefix}{namespace}"
        self._is_told = _is_plain(parts)
        self._head = parts if self._is_told else f"#{_digest(parts)}"
        self.is_listed = purpose == "cache"

    def name(self, key: str) -> str:
        """Return the name of a key's entity."""
        rest = self._rest(key)
        return f"{self._letter}{_digest(rest)[:SPREAD]}{rest}"

    def place(self, key: str, state: str) -> str:
        """Return where a key's entity is listed, with what it is at present.

        The state is last, and so its change does not move the entity past another one:
        who goes through the list meets each entity, whatever becomes of it meanwhile.
        """
        return f"{self._head}/{_digest(self._rest(key))[:SPREAD]}/{state}"

    def places(self) -> tuple[str, str]:
        """Return the place before all of this namespace, and that behind them."""
        return f"{self._head}/", f"{self._head}0"

    def spelt(self, name: str) -> str | None:
        """Return the key that an entity's name tells; None if it does not."""
        rest = name[len(self._letter) + SPREAD + len(self._head) :]
        return rest[1:] if rest.startswith(":") else None

    def untold(self, key: str) -> bytes | None:
        """Return as bytes what an entity's name does not tell; None: it tells all.

        Of an entity that is listed that is its key; of a session, its prefix.
        """
        if self.is_listed:
            return None if _is_plain(key) else _encoded(key)
        return None if self._is_told else _encoded(self._prefix)

    def key(self, told: bytes) -> str:
        """Return the key from what `untold` made of it."""
        return told.decode("utf-8", "surrogatepass")

    def is_session_of_ours(self, name: str, untold: bytes) -> bool:
        """Return whether an entity is a session with the prefix of this one.

        Args:
            name: The entity's name.
            untold: What its name does not tell.
        """
        found = _SESSION.fullmatch(name)
        if found is None:
            return False
        length, rest = found.groups()
        if length is None:
            return untold == _encoded(self._prefix)
        return int(length) == len(self._prefix) and rest.startswith(self._prefix)

    def session_id(self, name: str) -> str | None:
        """Return the id of a session of ours from its entity's name; None: untold."""
        found = _SESSION.fullmatch(name)
        if found is None or found[1] is None:
            return None
        return found[2].removeprefix(self._prefix).removesuffix(":session")

    def _rest(self, key: str) -> str:
        if _is_plain(key):
            return f"{self._head}:{key}"
        return f"{self._head}#{_digest(key)}"


def _is_plain(part: str) -> bool:
    # What a file system gives may hold halves of surrogate pairs; protobuf takes none.
    try:
        return len(part.encode()) <= LONGEST
    except UnicodeEncodeError:
        return False


def _digest(part: str) -> str:
    return sha256(_encoded(part)).hexdigest()


def _encoded(part: str) -> bytes:
    return part.encode("utf-8", "surrogatepass")
