"""The page docs/performance.md, made from the results."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from pathlib import Path

from benchmarks.machine import machine_lines
from benchmarks.rows import Row

PAGE = Path(__file__).parents[1] / "docs" / "performance.md"
HEAD = """# Performance

How right the figures are and what watching costs, on one machine. Made by `python -m benchmarks`, which runs for about
half an hour, wants the machine to itself, and writes this page; with `--quick` it is shorter and rougher
and writes nothing.

The program runs in a terminal of 140×40 that takes its output at once. The server is simulated, on the same machine,
and logs when it sent each byte; the built-in one computes a real model where that is said. What is compared takes
turns. A figure is the median, with the smallest and largest in parentheses. What continuous integration holds is
counted, not clocked: `tests/budgets`.
"""


@dataclass(frozen=True)
class Section:
    """The results of one benchmark, and the load of the machine before and after it."""

    title: str
    rows: Sequence[Row]
    load_before: str
    load_after: str


def page(sections: Sequence[Section]) -> str:
    """Return the whole page as Markdown."""
    parts = [HEAD, f"## The machine, {date.today().isoformat()}\n", "\n".join(machine_lines()), ""]
    for section in sections:
        parts += [f"## {section.title}\n", _table(section.rows)]
        parts.append(f"\nLoad of the machine: {section.load_before} before, {section.load_after} after.\n")
    return "\n".join(parts)


def _table(rows: Sequence[Row]) -> str:
    with_bars = any(row.bar for row in rows)
    lines = ["| what | measured | bar | |", "|---|---|---|---|"] if with_bars else ["| what | measured |", "|---|---|"]
    for row in rows:
        cells = [row.what, row.measured, *((row.bar, row.word) if with_bars else ())]
        lines.append("| " + " | ".join(cells) + " |")
    return "\n".join(lines)
