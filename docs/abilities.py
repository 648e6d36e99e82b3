"""Writes what each store can do, from its class, into the pages: ``--write``.

Without an argument it only tells which pages say something else, and a test asks.
"""  # noqa: INP001 - a script

from __future__ import annotations

import re
import sys
from collections.abc import Iterable, Iterator
from pathlib import Path

from beaker.cache import clsmap
from beaker.legacy import LegacyStore
from beaker.plugins import backend_named
from beaker.protocols import NamespaceManager

ROOT = Path(__file__).parents[1]
PAGES = [ROOT / "docs" / "stores.md", *sorted(ROOT.glob("packages/*/README.md"))]

#: Class attributes, and what they mean to a user.
ABILITIES = {
    "enumerable": "`keys()`, `size()` and `purge()` work",
    "expires_natively": "the store removes by itself what has expired",
    "updates_atomically": (
        "merging sessions lose nothing, and nothing that was computed before an "
        "invalidation is stored after it"
    ),
    "shared_between_processes": "all processes of a machine see the same records",
    "shared_between_hosts": "so do those of other hosts",
    "durable": "what was stored survives a restart of program and store",
}

#: The store that runs what was written for Beaker 1.x.
FORMER = "a plugin for 1.x"

_BLOCK = re.compile(r"<!-- abilities: (?P<names>.*?) -->\n.*?<!-- end -->", re.DOTALL)


def main(arguments: list[str]) -> int:
    """Write the pages, or tell which are old; return the exit status."""
    old = [page for page in PAGES if renewed(text := read(page)) != text]
    for page in old:
        print(page.relative_to(ROOT))  # noqa: T201 - a script
        if "--write" in arguments:
            page.write_text(renewed(read(page)), encoding="utf-8")
    return 1 if old and "--write" not in arguments else 0


def read(page: Path) -> str:
    """Return what a page says."""
    return page.read_text(encoding="utf-8")


def renewed(text: str) -> str:
    """Return a page's text with the tables that its marks ask for."""
    return _BLOCK.sub(_written, text)


def _written(block: re.Match[str]) -> str:
    names = block["names"].split(", ")
    make = by_store if FORMER in names else by_ability
    table = "\n".join(make(names))
    return f"<!-- abilities: {block['names']} -->\n{table}\n<!-- end -->"


def by_store(names: list[str]) -> Iterator[str]:
    """Yield the lines of a table with a row for each store."""
    yield _row(["", *(f"`{ability}`" for ability in ABILITIES), "the first call waits"])
    yield _row(["---"] * (len(ABILITIES) + 2))
    for name in names:
        shown = name if name == FORMER else f"`{name}`"
        yield _row([shown, *_claims(name), _first_wait(name)])


def by_ability(names: list[str]) -> Iterator[str]:
    """Yield the lines of a table with a row for each ability."""
    columns = zip(*(_claims(name) for name in names), strict=True)
    yield _row(["ability", *(f"`{name}`" for name in names), "that is"])
    yield _row(["---"] * (len(names) + 2))
    for (ability, meaning), claims in zip(ABILITIES.items(), columns, strict=True):
        yield _row([f"`{ability}`", *claims, meaning])
    waits = (_first_wait(name) for name in names)
    yield _row(["when it is away", *waits, "how long the first call waits"])


def _claims(name: str) -> list[str]:
    kind = _class_of(name)
    return ["yes" if getattr(kind, ability) else "no" for ability in ABILITIES]


def _first_wait(name: str) -> str:
    kind = _class_of(name)
    return kind.first_wait if kind.unavailable else "never away"


def _class_of(name: str) -> type[NamespaceManager]:
    return LegacyStore if name == FORMER else backend_named(name, clsmap)


def _row(cells: Iterable[str]) -> str:
    return f"| {' | '.join(cells)} |"


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
