"""Prints findings: with the library rich where it is installed, or as plain text."""

from __future__ import annotations

import json
import sys
from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any

from beaker.commands.findings import ERROR, GOOD, NOTE, WARNING, Finding

__all__ = ["as_json_text", "findings_table", "print_findings", "rich_console"]

Found = Mapping[str, Sequence[Finding]]

_STYLES = {GOOD: "green", NOTE: "cyan", WARNING: "yellow", ERROR: "bold red"}


def as_json_text(path: str, found: Found) -> str:
    """Return findings for programs to read."""
    told = {
        "file": path,
        "sections": [
            {"name": name, "findings": [each._asdict() for each in findings]}
            for name, findings in found.items()
        ],
    }
    return json.dumps(told, indent=2)


def rich_console(*, stderr: bool = False) -> Any:
    """Return a console of the library rich, or None if it is not installed."""
    try:
        from rich.console import Console
    except ImportError:
        return None
    return Console(stderr=stderr)


def print_findings(path: str, found: Found) -> None:
    """Print findings for people; what is piped elsewhere is plain text."""
    console = rich_console() if sys.stdout.isatty() else None
    for name, findings in found.items():
        if console is None:
            print(f"{path} [{name}]")  # noqa: T201  # its purpose
            for finding in findings:
                print(_plain(finding))  # noqa: T201  # its purpose
        else:
            console.print(findings_table(f"{path} [{name}]", findings))
    summary = _summary(found)
    print(summary) if console is None else console.print(summary)  # noqa: T201


def _plain(finding: Finding) -> str:
    head = f"  {finding.level:8}{finding.about}: {finding.says}"
    return f"{head}\n{'':10}-> {finding.remedy}" if finding.remedy else head


def findings_table(title: str, findings: Sequence[Finding]) -> Any:
    """Return findings as a table of the library rich."""
    from rich.table import Table
    from rich.text import Text

    table = Table(title=Text(title), title_justify="left", show_header=False)
    table.add_column(no_wrap=True)
    table.add_column(overflow="fold")
    table.add_column(overflow="fold")
    for level, about, says, remedy in findings:
        said = Text(says)
        if remedy:
            said.append(f"\n{remedy}", style="bold")
        table.add_row(Text(level, style=_STYLES[level]), Text(about), said)
    return table


def _summary(found: Found) -> str:
    counted = Counter(each.level for several in found.values() for each in several)
    if not counted[ERROR] and not counted[WARNING]:
        return "all is well"
    return f"errors: {counted[ERROR]}, warnings: {counted[WARNING]}"
