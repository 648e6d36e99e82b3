"""What the pages of the stores say: their sections, tables and programs."""

from __future__ import annotations

import re
from pathlib import Path

ROOT = Path(__file__).parents[2]

_NAME = re.compile(r"`([\w.]+)`")


def readme(package: str) -> str:
    """Return the page of a wheel."""
    page = ROOT / "packages" / package / "README.md"
    return page.read_text(encoding="utf-8")


def built_in(store: str) -> str:
    """Return what the page of the built-in stores says of one."""
    page = (ROOT / "docs" / "stores.md").read_text(encoding="utf-8")
    found = re.search(rf"^## {store}\n(.*?)(?=^## |\Z)", page, re.DOTALL | re.MULTILINE)
    assert found, f"docs/stores.md has no section {store}"
    return found[1]


def headings(page: str) -> list[str]:
    """Return the headings of the second level."""
    return re.findall(r"^## (.*)$", page, re.MULTILINE)


def options(page: str) -> dict[str, tuple[str, ...]]:
    """Return the options that a page documents, each with type, default and meaning."""
    tables = re.findall(
        r"^\| option \| type \| default \| meaning \|\n\|[-|]+\|\n((?:\|.*\n)*)",
        page,
        re.MULTILINE,
    )
    rows = [
        tuple(cell.strip() for cell in row.strip("|").split("|"))
        for table in tables
        for row in table.splitlines()
    ]
    return {name: row[1:] for row in rows for name in _NAME.findall(row[0])}


def programs(page: str) -> list[str]:
    """Return the blocks of Python."""
    return re.findall(r"^```python\n(.*?)^```$", page, re.DOTALL | re.MULTILINE)
