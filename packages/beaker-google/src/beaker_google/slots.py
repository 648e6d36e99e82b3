"""One key at a time: read, decide, and write if nobody was faster."""

from __future__ import annotations

from collections.abc import Callable

from beaker_google.entities import Entry
from beaker_google.names import Names
from beaker_google.table import ABSENT, ANY, Change, Seen, Table

__all__ = ["Decide", "Slot"]

#: Given what there is, returns what there shall be; None: it shall stay as it is.
Decide = Callable[[Entry], Entry | None]


class Slot:
    """The entity of one key.

    Args:
        table: Where it is.
        names: Those of its namespace.
        key: The key.
    """

    __slots__ = ("_key", "_names", "_table", "name")

    def __init__(self, table: Table, names: Names, key: str) -> None:
        self._table, self._names, self._key = table, names, key
        self.name = names.name(key)

    def look(self) -> Seen:
        """Return what it is at present."""
        return self._table.look(self.name, self._table.patience())

    def change(
        self, decide: Decide, guess: Seen | None = None
    ) -> tuple[Seen, Seen | None]:
        """Change it as one atomic step.

        Args:
            decide: Decides; called again where another was faster.
            guess: What it probably is: then it need not be read before.

        Returns:
            What it was, and what it has become; None: it stayed as it was.
        """
        within = self._table.patience()
        while True:
            before = guess
            if before is None:
                before = self._table.look(self.name, within)
            wanted = decide(before.entry)
            if wanted is not None:
                version = self._table.change(self.as_change(wanted, before), within)
                if version is not None:
                    is_gone = wanted.is_nothing()
                    return before, Seen(ABSENT if is_gone else version, wanted)
            elif guess is None:
                return before, None
            guess = None

    def as_change(self, entry: Entry, before: Seen | None = None) -> Change:
        """Return what makes it hold this, if it still is what it was before.

        Args:
            entry: What it shall hold.
            before: What it was; None: whatever it is.
        """
        version = ANY if before is None else before.version
        if entry.is_nothing():
            return Change(self.name, None, version)
        properties = entry.properties()
        if self._names.is_listed:
            place = self._names.place(self._key, entry.state().written())
            properties["place"] = {"string_value": place}
        untold = self._names.untold(self._key)
        if untold is not None:
            properties["untold"] = {
                "blob_value": untold,
                "exclude_from_indexes": True,
            }
        size = 0 if entry.data is None else len(self._table.checked(entry.data))
        return Change(self.name, properties, version, size)
