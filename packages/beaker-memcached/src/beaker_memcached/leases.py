"""The lease on a name, and the creation lock of a record, kept by memcached."""

from __future__ import annotations

import os
import time
from collections.abc import Sequence
from typing import Any

from beaker.synchronization import RemoteLease
from beaker_memcached.clients import Client
from beaker_memcached.clients.base import Seen, Write
from beaker_memcached.items import NEVER, PAST, Item, expiry, read

__all__ = ["CreationLease", "NameLease", "new_generation"]

#: Seconds for which a place is kept for a record that is being created.
LONGEST_CREATION = 86400

#: How often a lease is tried for before it counts as taken by another.
_TRIES = 4


class NameLease(RemoteLease):
    """The right to a name: whoever adds his token under it first.

    Args:
        client: The server that keeps it.
        name: The name.
        key: What it stands for, as errors call it.
        expires_in: Seconds until it lapses, if it is no longer renewed.
    """

    def __init__(self, client: Client, name: str, key: str, expires_in: float) -> None:
        # There is one client of a server in a process.
        super().__init__((client, name, key), expires_in=expires_in)
        self.client, self.name = client, name
        self._life = expiry(expires_in)

    @property
    def mark(self) -> bytes:
        """What stands under the name while the lease is held."""
        return self.token.encode()

    def take(self) -> bool:
        """Take it if nobody has it."""
        mark = Write(self.name, self.mark, self._life)
        return self._is_ours(self.client.look_after([mark], [self.name]))

    def renew(self) -> bool:
        """Let it last as long again as when it was taken."""
        found = self.client.gets_many([self.name])
        if not self._is_ours(found):
            return False
        mark, version = found[self.name]
        return self.client.cas(self.name, mark, self._life, version)

    def free(self) -> None:
        """Give it back, if it is still ours."""
        found = self.client.gets_many([self.name])
        if self._is_ours(found):
            self.client.cas(self.name, b"", PAST, found[self.name][1])

    def _is_ours(self, found: Seen) -> bool:
        return self.name in found and found[self.name][0] == self.mark


class CreationLease(NameLease):
    """The right to create one record, and the fence that keeps latecomers out.

    The lease itself has a name of its own, so that the server ends it by its clock.
    Taking it also changes the record: its token is written into the record's header,
    or into an empty item where there is no record. From then on whatever happens to
    the record changes its version, and only that very version can be filled.

    Args:
        client: The server that keeps the record.
        names: Those of the generation, the lease and the record.
        key: The record's key.
        generation: That of the namespace when it was last seen; None: unknown.
        expires_in: Seconds until it lapses, if it is no longer renewed.

    Attributes:
        record: The record's name.
        generation: That under which the record will be filled.
        version: That which can be filled.
    """

    def __init__(
        self,
        client: Client,
        names: Sequence[str],
        key: str,
        generation: bytes | None,
        expires_in: float,
    ) -> None:
        self._generation_name, lease, self.record = names
        super().__init__(client, lease, key, expires_in)
        # The generation last, as always before something is replaced: a record that
        # was read before it and is of another one is of a former one.
        self._names, self._known = (lease, self.record, names[0]), generation
        self.generation, self.version = b"", None
        self._mark_version: Any = None

    @property
    def mark(self) -> bytes:
        """What stands under the name while the lease is held."""
        return self.generation + self.token.encode()

    def take(self) -> bool:
        """Take it if nobody has it, and see what record there is now."""
        self.version = None
        writes = self._first_guess()
        for _ in range(_TRIES):
            seen = self.client.look_after(writes, self._names)
            following = self._still_to_write(seen)
            if following is None:
                return False
            if not following:
                return True
            writes = following
        return False

    def free(self) -> None:
        """Give it back, if it is still ours, and remove the place that was kept."""
        found = self.client.gets_many([self.name, self.record])
        item = read(found.get(self.record, (None, None))[0])
        if item and item.data is None and item.token == self.token:
            self.client.cas(self.record, b"", PAST, found[self.record][1])
        if self._is_ours(found):
            self.client.cas(self.name, b"", PAST, found[self.name][1])

    def ending(self) -> Write:
        """Return what ends the lease, if it was not renewed since it was taken."""
        return Write(self.name, b"", PAST, self._mark_version)

    def _first_guess(self) -> list[Write]:
        # Most often there is neither a lease nor a record.
        self.generation = self._known or new_generation()
        writes = [
            Write(self.name, self.mark, self._life),
            Write(self.record, self._place(), LONGEST_CREATION),
        ]
        if self._known is None:
            writes.insert(0, Write(self._generation_name, self.generation, NEVER))
        return writes

    def _still_to_write(self, seen: Seen) -> list[Write] | None:
        """Return what is missing; None: another holds the lease."""
        current = seen.get(self._generation_name)
        if current is None:
            self.generation = new_generation()
            return [Write(self._generation_name, self.generation, NEVER)]
        self._known = self.generation = current[0]
        held, version = seen.get(self.name, (b"", None))
        self._mark_version = version
        writes = []
        if held != self.mark:
            # What was taken before the namespace was last dropped counts no more.
            if held.startswith(self.generation):
                return None
            writes.append(Write(self.name, self.mark, self._life, version))
        return writes + self._fence(seen)

    def _fence(self, seen: Seen) -> list[Write]:
        if self.record not in seen:
            return [Write(self.record, self._place(), LONGEST_CREATION)]
        stored, version = seen[self.record]
        item = read(stored)
        data, left = _present(item, self.generation)
        if item and item.token == self.token and item.generation == self.generation:
            self.version, self.found = version, data
            return []
        if item is None or data is None:
            return [Write(self.record, self._place(), LONGEST_CREATION, version)]
        kept = Item(self.generation, data, item.ends, self.token)
        return [Write(self.record, kept.packed(), expiry(left), version)]

    def _place(self) -> bytes:
        return Item(self.generation, token=self.token).packed()


def new_generation() -> bytes:
    """Return a token that no namespace has had."""
    return os.urandom(8).hex().encode()


def _present(item: Item | None, generation: bytes) -> tuple[bytes | None, float | None]:
    """Return the data of an item and the seconds that it has left."""
    if item is None or item.generation != generation:
        return None, None
    if not item.ends:
        return item.data, None
    left = item.ends - time.time()
    return (item.data, left) if left > 0 else (None, None)
