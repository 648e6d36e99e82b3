"""What was measured, as a table in the terminal and as pictures for the guide."""

from __future__ import annotations

import os
import platform
from collections.abc import Mapping
from pathlib import Path

from rich.console import Console
from rich.table import Table
from works import Work

__all__ = ["Figures", "draw", "machine", "show", "write"]

#: The least and the greatest microseconds of each system, by its name.
Figures = Mapping[str, tuple[float, float]]

#: Systems that are no library: a floor for those that are.
LIMIT = "limit"

_COLOURS = {"Beaker 2": "#1b6ca8", "Beaker 1.14.1": "#9db4c0", LIMIT: "#d9d9d9"}
_PEER = "#e0a458"


def machine() -> str:
    """Return what this was measured on."""
    system, processors = platform.system(), os.cpu_count()
    return (
        f"{platform.python_implementation()} {platform.python_version()} on {system} "
        f"{platform.machine()}, {processors} processors"
    )


def show(figures: Mapping[Work, Figures], ours: str) -> None:
    """Print a table: microseconds, and our ratio to each of the others."""
    table = Table(title=machine(), caption="minima in microseconds")
    for name in ("work", "system"):
        table.add_column(name)
    for figure in ("min", "spread", f"{ours} / this"):
        table.add_column(figure, justify="right")
    for work, systems in figures.items():
        mine = systems.get(ours, (0.0, 0.0))[0]
        for system, (least, greatest) in sorted(systems.items(), key=_least):
            ratio = f"{mine / least:.2f}" if mine and least > 0 else "-"
            spread = f"+{100 * (greatest / least - 1):.0f} %" if least > 0 else "-"
            table.add_row(work.name, system, f"{least:.2f}", spread, ratio)
        table.add_section()
    Console(width=110).print(table)


def draw(figures: Mapping[Work, Figures], directory: Path) -> None:
    """Draw a picture for each work: bars on a logarithmic scale, the limit marked."""
    import matplotlib as mpl

    mpl.use("svg")
    # The same figures shall give the same file.
    mpl.rcParams["svg.hashsalt"] = "beaker"
    mpl.rcParams["svg.fonttype"] = "none"
    from matplotlib import pyplot as plt

    directory.mkdir(parents=True, exist_ok=True)
    for work, systems in figures.items():
        limit = systems.get(LIMIT)
        bars = {k: v[0] for k, v in sorted(systems.items(), key=_least) if k != LIMIT}
        figure, axes = plt.subplots(figsize=(7, 0.5 + 0.4 * len(bars)))
        colours = [_COLOURS.get(name, _PEER) for name in bars]
        drawn = axes.barh(list(bars), list(bars.values()), color=colours)
        axes.bar_label(drawn, fmt="%.3g µs", padding=3, fontsize=8)
        axes.set_xscale("log")
        axes.margins(x=0.3)
        axes.invert_yaxis()
        axes.set_title(work.name, fontsize=10, loc="left")
        axes.spines[["top", "right"]].set_visible(False)
        if limit is not None and limit[0] > 0:
            axes.axvline(limit[0], color="#555555", linestyle="--", linewidth=1)
        name = work.name.replace(" ", "-")
        metadata = {"Date": None}
        figure.savefig(
            directory / f"{name}.svg", bbox_inches="tight", metadata=metadata
        )
        plt.close(figure)


def write(figures: Mapping[Work, Figures], ours: str, former: str, page: Path) -> None:
    """Write a table for the guide: minima, and our ratios to the others."""
    head = ("work", ours, former, "best peer", "limit", "ratios to them")
    rows = [head, ("---",) * len(head)]
    for work, systems in figures.items():
        least = {name: figure[0] for name, figure in systems.items()}
        mine = least.get(ours, 0.0)
        peers = {k: v for k, v in least.items() if k not in (ours, former, LIMIT)}
        best = min(peers, key=peers.__getitem__, default="")
        others = least.get(former), peers.get(best), least.get(LIMIT)
        ratios = (f"{mine / one:.2f}" if one and one > 0 else "-" for one in others)
        cells = [f"{one:.2f}" if one is not None else "-" for one in others]
        cells[1] = f"{best} {cells[1]}" if best else "-"
        rows.append((work.name, f"{mine:.2f}", *cells, " / ".join(ratios)))
    table = "\n".join(f"| {' | '.join(row)} |" for row in rows)
    page.parent.mkdir(parents=True, exist_ok=True)
    pictures = "\n".join(
        f"![{work.name}]({page.parent.name}/{_picture(work)})" for work in figures
    )
    text = f"Minima in microseconds, of one run on {machine()}.\n\n{table}\n\n"
    page.write_text(f"{text}{pictures}\n", encoding="utf-8")


def _picture(work: Work) -> str:
    return f"{work.name.replace(' ', '-')}.svg"


def _least(item: tuple[str, tuple[float, float]]) -> float:
    return item[1][0]
