"""Stores with one fault each that breaks what caches promise."""

# ruff: noqa: ARG002 - a faulty method overlooks what it is given

from __future__ import annotations

import os
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import ClassVar

from beaker.exceptions import CorruptRecordError
from beaker.records import MAGIC, RecordCodec
from tests.kit.cabinet import Cabinet, CabinetLease, Drawers
from tests.kit.sick_sharing import FillsWithoutToken, Leasing


class Stopped(Cabinet):
    """A cabinet whose room can be closed, by a file."""

    unavailable: ClassVar[tuple[type[BaseException], ...]] = (OSError,)

    def is_away(self) -> bool:
        """Return whether nobody can get at it; who is told nothing waits for it."""
        if os.path.exists(f"{self._path}.silent"):
            time.sleep(self.waits())
            return True
        return os.path.exists(f"{self._path}.away")

    def waits(self) -> float:
        """Return how many seconds."""
        return self.settings.deadline

    @contextmanager
    def opened(self) -> Iterator[Drawers]:
        """Give what is in it, if it can be reached."""
        if self.is_away():
            yield self.locked_out()
        else:
            with super().opened() as drawers:
                yield drawers

    def locked_out(self) -> Drawers:
        """Say that nobody can get in."""
        raise OSError("the room is closed")


class EndsAtExpiry(Cabinet):
    """It keeps a value for as long as it is fresh: nobody can be served a stale one."""

    def put(self, drawers: Drawers, key: str, data: bytes, ttl: float | None) -> None:
        try:
            record = RecordCodec().decode(data)
        except CorruptRecordError:
            pass
        else:
            ttl = record.expire and record.fresh_until - self.now()
        super().put(drawers, key, data, ttl)

    def now(self) -> float:
        """Return the present."""
        return self.ends(0)


class LetsEverybodyCreate(Leasing):
    """Each process thinks that it is the only one."""

    class lease_class(CabinetLease):  # noqa: N801 - an attribute of its store
        def take(self) -> bool:
            super().take()
            return True


class MakesAllWait(Leasing):
    """Who only wants to know whether somebody creates waits until he does not."""

    class lease_class(CabinetLease):  # noqa: N801
        def acquire(self, wait: bool = True, timeout: float | None = None) -> bool:
            return super().acquire(True, timeout)


class FreesLate(Leasing):
    """A lock is left to lapse."""

    class lease_class(CabinetLease):  # noqa: N801
        def free(self) -> None:
            pass


_only = threading.Lock()


class HasOneLock(Leasing):
    """For all keys, and children inherit it as it is."""

    class lease_class(CabinetLease):  # noqa: N801
        def acquire(self, wait: bool = True, timeout: float | None = None) -> bool:
            return _only.acquire(wait) and super().acquire(wait, timeout)

        def forget(self) -> None:
            self.unlock()
            super().forget()

        def release(self) -> None:
            self.unlock()
            super().release()

        def unlock(self) -> None:
            """Let the next one have it."""
            if self._held_in is not None and _only.locked():
                _only.release()


class SharedFillsWithoutToken(FillsWithoutToken):
    """Whoever has created something stores it, however long he slept."""

    shared_between_hosts = True


class TakesNoneForMissing(Cabinet):
    """A function that answers None is called each time."""

    def present(self, drawers: Drawers, key: str) -> bytes | None:
        data = super().present(drawers, key)
        try:
            is_none = data is None or RecordCodec().decode(data).value is None
        except CorruptRecordError:
            is_none = False
        return None if is_none else data


class ChokesOnDamage(Cabinet):
    """A record that is damaged can be neither read nor put over."""

    def present(self, drawers: Drawers, key: str) -> bytes | None:
        data = super().present(drawers, key)
        if data is not None and not data.startswith(MAGIC):
            raise RuntimeError("what is this?")
        return data


class RaisesWhatItLikes(Stopped):
    """It is away, and says so by an error that it has told nobody about."""

    unavailable = ()
