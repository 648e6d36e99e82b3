"""The creation lock of a key: a token on its entity."""

from __future__ import annotations

import time

from beaker.synchronization import RemoteLease
from beaker_google.entities import Entry
from beaker_google.slots import Slot
from beaker_google.table import Seen

__all__ = ["GoogleLease"]

#: Seconds of the first pause of one who waits, and of the longest: it costs a read each.
FIRST_PAUSE, LONGEST_PAUSE = 0.02, 0.25


class GoogleLease(RemoteLease):
    """The right to create one key's value.

    It is on the very entity that is to hold the value, so that filling it and breaking
    it are one atomic operation each. It lapses by the clocks of the hosts.

    Args:
        identity: What tells it from all others in this process, with the key last.
        slot: Where it is kept.
        guess: What the entity probably is; None: no idea.
        expires_in: Seconds until it lapses, if it is no longer renewed.
    """

    def __init__(
        self,
        identity: tuple[object, ...],
        slot: Slot,
        guess: Seen | None,
        expires_in: float = 5.0,
    ) -> None:
        super().__init__(identity, expires_in=expires_in)
        self._slot, self._seen = slot, guess

    def seen_of(self, slot: Slot) -> Seen | None:
        """Return the entity as this lease has left it; None: it is on another one."""
        return self._seen if slot.name == self._slot.name else None

    def take(self) -> bool:
        """Take it if nobody has it, and see what record there is now."""
        before, after = self._slot.change(self._taken, self._seen)
        self._seen = after
        if after is None:
            return False
        now = time.time()
        self.found = before.entry.data if before.entry.is_record(now) else None
        return True

    def wait(self, seconds: float) -> None:
        """Wait until the lease is given back, or has lapsed."""
        gives_up_at = time.monotonic() + seconds
        pause = FIRST_PAUSE
        while (left := gives_up_at - time.monotonic()) > 0:
            time.sleep(min(pause, left))
            if not self._slot.look().entry.is_leased(time.time()):
                return
            pause = min(pause * 1.5, LONGEST_PAUSE)

    def renew(self) -> bool:
        """Let it last as long again as when it was taken."""
        _, after = self._slot.change(self._renewed, self._seen)
        self._seen = after
        return after is not None

    def free(self) -> None:
        """Give it back."""
        self._slot.change(self._freed, self._seen)

    def _taken(self, entry: Entry) -> Entry | None:
        now = time.time()
        if entry.token != self.token and entry.is_leased(now):
            return None
        return entry.leased(self.token, now + self.expires_in, now)

    def _renewed(self, entry: Entry) -> Entry | None:
        now = time.time()
        if entry.token != self.token or not entry.is_leased(now):
            return None
        return entry.leased(self.token, now + self.expires_in, now)

    def _freed(self, entry: Entry) -> Entry | None:
        return entry.freed() if entry.token == self.token else None
