"""The printed result: what ``llmtui run`` says at its end."""

from __future__ import annotations

from collections.abc import Iterator
from typing import IO, NamedTuple

from rich.cells import cell_len
from rich.console import Console
from rich.table import Table
from rich.text import Text

from llmtui.core.across import Earlier
from llmtui.core.pairing import is_imported
from llmtui.core.session import Session
from llmtui.report.rows import Row, by_category, by_model
from llmtui.words import _
from llmtui.words.conclusions import headed
from llmtui.words.problems import whole_problem
from llmtui.words.verdicts import banners

GAP = 2
"""Cells between two columns."""
UNWRAPPED = 100_000
"""Cells of a line that nobody looks at: wider than any table or sentence."""


def print_session(session: Session, out: IO[str], earlier: Earlier | None = None) -> None:
    """Prints conclusions, then tables.

    Plain and unwrapped where ``out`` is not a terminal, so that other programs can read it.
    """
    console = Console(file=out, width=None if out.isatty() else UNWRAPPED, highlight=False, markup=False)
    for banner in banners(session):
        console.print(banner, style="bold")
    for line in headed(session, earlier):
        console.print(Text.assemble((line.heading, "bold"), ": ", line.said))
    console.print()
    for table in tables(by_model(session), _("By model"), names=1, width=console.width):
        console.print(table)
    if len(session.plan.prompts) > 1:
        console.print()
        title = _("By category") if is_imported(session.plan) else _("By category (warm)")
        for table in tables(by_category(session), title, names=2, width=console.width):
            console.print(table)
    notes = dict.fromkeys(whole_problem(note.problem) for note in session.notes if note.level != "info")
    if notes:
        console.print()
    for sentence in notes:
        console.print(Text(sentence))


def tables(rows: list[Row], title: str, *, names: int, width: int) -> Iterator[Table]:
    """Gives rows as a table, or as several below each other where one is wider than there is room.

    No figure is ever cut or broken: heads are broken at their blanks first, then columns go to a further table, which
    names its rows again.

    Args:
        rows: cells by their column's title.
        title: stands above the first.
        names: how many columns at the left name the rows.
        width: cells a line.
    """
    columns = [_Column(head, [row[head] for row in rows]) for head in (rows[0] if rows else ())]
    named, figures = columns[:names], columns[names:]
    if sum(one.whole + GAP for one in columns) - GAP <= width:
        yield _table(title, named, figures, broken=False)
        return
    taken = sum(one.narrow + GAP for one in named)
    part: list[_Column] = []
    used = taken
    for one in figures:
        if part and used + one.narrow > width:
            yield _table(title, named, part, broken=True)
            title, part, used = "", [], taken
        part.append(one)
        used += one.narrow + GAP
    yield _table(title, named, part, broken=True)


class _Column(NamedTuple):
    """A head and its cells."""

    head: str
    cells: list[str]

    @property
    def whole(self) -> int:
        """Its width with the head on one line."""
        return max(map(cell_len, (self.head, *self.cells)))

    @property
    def narrow(self) -> int:
        """Its width with the head broken at its blanks."""
        return max(map(cell_len, (*self.head.split(), *self.cells)))


def _table(title: str, named: list[_Column], figures: list[_Column], *, broken: bool) -> Table:
    table = Table(title=title or None, title_justify="left", box=None, pad_edge=False, header_style="bold")
    columns = [*named, *figures]
    for at, one in enumerate(columns):
        width = one.narrow if broken else one.whole
        table.add_column(one.head, justify="left" if at < len(named) else "right", width=width)
    for cells in zip(*(one.cells for one in columns), strict=True):
        table.add_row(*map(Text, cells))
    return table
