"""The printed result of a session: the scoreboard with its verdicts, and all conclusions as sentences."""

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
from llmtui.core.short_names import short_names
from llmtui.report.rows import Row, by_category, by_model
from llmtui.words import _
from llmtui.words.audit import claim_rows, file_lines
from llmtui.words.conclusions import telling
from llmtui.words.problems import whole_problem
from llmtui.words.scoreboard import scoreboard
from llmtui.words.verdict_lines import verdict_lines
from llmtui.words.verdicts import banners

GAP = 2
"""Blanks between two columns."""
UNWRAPPED = 100_000
"""Width in columns if the output is not a terminal: wider than any table or sentence."""
WIDTH = 80
"""Maximum width of the scoreboard in columns, so that it can be pasted anywhere."""
LEAST_NAME = 12
"""Minimum width of a model's name in columns, so that names can still be distinguished."""


def print_result(session: Session, out: IO[str], *, verdicts: bool = True) -> None:
    """Print the scoreboard, at most 80 columns wide, then at most three verdicts and the warnings.

    Args:
        session: a finished or a running session.
        out: the stream to print to.
        verdicts: whether to print verdicts and warnings, such as "Measured on a busy machine".
    """
    console = plain_console(out)
    for table in _scoreboard(session, min(console.width, WIDTH)):
        console.print(table)
    said = (*verdict_lines(session), *(f"! {banner}" for banner in banners(session))) if verdicts else ()
    if said:
        console.print()
    for line in said:
        console.print(Text(line))


def print_audit(session: Session, out: IO[str]) -> None:
    """Print what an imported file can show, the finding on each claim, its speeds, and its tables."""
    console = plain_console(out)
    (can_show, speeds) = file_lines(session)
    console.print(Text.assemble((can_show[0], "bold"), ": ", can_show[1]))
    claims = claim_rows(session)
    if claims:
        console.print()
        table = Table(box=None, pad_edge=False, header_style="bold", width=min(console.width, WIDTH))
        for head, ratio in ((_("claim"), 3), (_("verdict"), 2), (_("why"), 5)):
            table.add_column(head, ratio=ratio)
        for row in claims:
            table.add_row(*map(Text, row))
        console.print(table)
    console.print()
    console.print(Text.assemble((speeds[0], "bold"), ": ", speeds[1]))
    console.print()
    _print_tables(session, console)


def plain_console(out: IO[str]) -> Console:
    """Return a console without markup and highlighting; it does not wrap lines unless the output is a terminal."""
    return Console(file=out, width=None if out.isatty() else UNWRAPPED, highlight=False, markup=False)


def _scoreboard(session: Session, width: int) -> Iterator[Table]:
    """Yield the scoreboard as one table.

    If it is too wide, names are shortened; if it is still too wide, it is split into several tables.
    """
    columns = scoreboard(session)
    others = sum(_Column(one.head, list(one.cells)).narrow + GAP for one in columns if one.is_figure)
    names = [cell for one in columns if not one.is_figure for cell in one.cells]
    short = short_names(names, max(width - others, LEAST_NAME))
    rows = [
        {one.head: cell if one.is_figure else short[cell] for one, cell in zip(columns, cells, strict=True)}
        for cells in zip(*(one.cells for one in columns), strict=True)
    ]
    named = next(at for at, one in enumerate(columns) if not one.is_figure) + 1
    return tables(rows, "", names=named, width=width)


def print_session(session: Session, out: IO[str], earlier: Earlier | None = None) -> None:
    """Print the conclusions as sentences, then the tables by model and by category.

    If ``out`` is not a terminal, the output is plain and lines are not wrapped, for use by other programs.
    """
    console = plain_console(out)
    for banner in banners(session):
        console.print(banner, style="bold")
    for line in telling(session, earlier):
        console.print(Text.assemble((line.heading, "bold"), ": ", line.said))
    console.print()
    _print_tables(session, console)


def _print_tables(session: Session, console: Console) -> None:
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
    """Yield rows as one table, or as several below each other if one would be too wide.

    No figure is ever cut or wrapped. First, heads are wrapped at blanks; then columns move to a further table, which
    repeats the columns that name the rows.

    Args:
        rows: the rows, each as column title → cell.
        title: title of the first table.
        names: number of columns at the left that name the rows.
        width: available width in columns of the terminal.
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
    """A column head and its cells."""

    head: str
    cells: list[str]

    @property
    def whole(self) -> int:
        """Width with the head on one line, in columns of the terminal."""
        return max(map(cell_len, (self.head, *self.cells)))

    @property
    def narrow(self) -> int:
        """Width with the head wrapped at its blanks, in columns of the terminal."""
        return max(map(cell_len, (*self.head.split(), *self.cells)))


def _table(title: str, named: list[_Column], figures: list[_Column], *, broken: bool) -> Table:
    table = Table(title=title or None, title_justify="left", box=None, pad_edge=False, header_style="bold")
    columns = [*named, *figures]
    for at, one in enumerate(columns):
        is_figure = at >= len(named)
        table.add_column(Text(one.head, justify="right" if is_figure else "left"), width=_width(one, broken=broken))
    for cells in zip(*(one.cells for one in columns), strict=True):
        # Padded here: Rich removes the blanks that align decimal points.
        table.add_row(
            *(
                Text(cell if at < len(named) else " " * (_width(one, broken=broken) - cell_len(cell)) + cell)
                for at, (one, cell) in enumerate(zip(columns, cells, strict=True))
            )
        )
    return table


def _width(one: _Column, *, broken: bool) -> int:
    return one.narrow if broken else one.whole
