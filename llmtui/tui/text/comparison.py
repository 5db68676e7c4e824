"""The comparison of saved sessions as text: their names, a table per later session, and notes on the limits."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from string import ascii_uppercase
from typing import TYPE_CHECKING

from rich.cells import cell_len
from textual.content import Content

from llmtui.core.short_names import short_names
from llmtui.words import _
from llmtui.words.comparing import ComparedRow, comparison_notes, comparison_rows, legend, session_line

if TYPE_CHECKING:
    from llmtui.store.compared import ComparedSessions

NAME_CELLS = 22
_COLOURS = {"▲": "$success", "▼": "$error"}


def comparison_text(found: Sequence[ComparedSessions]) -> Content:
    """Return the comparison of each later session with the oldest: before, after, ratio, interval and sign."""
    sessions = (found[0].before, *(one.after for one in found))
    lines = [Content(session_line(letter, session)) for letter, session in zip(ascii_uppercase, sessions, strict=False)]
    for letter, one in zip(ascii_uppercase[1:], found, strict=False):
        rows = comparison_rows(one.comparison, one.after)
        lines += [Content(""), *_table(rows, letter)]
        notes = comparison_notes(one.comparison, one.after)
        lines += [Content(""), *(Content.styled(note, "$text-muted") for note in notes if note)]
    return Content("\n").join([*lines, Content(""), Content.styled(legend(), "$text-muted")])


def _table(rows: Sequence[ComparedRow], letter: str) -> Iterator[Content]:
    if not rows:
        return
    short = short_names([row.model for row in rows], NAME_CELLS)
    heads = (_("Model"), _("Figure"), "A", letter, f"{letter} ÷ A", "95 %", "")
    cells = [(short[row.model], *row[1:]) for row in rows]
    widths = [max(cell_len(line[at]) for line in (heads, *cells)) for at in range(len(heads))]
    yield Content.styled(_line(heads, widths), "bold $primary")
    named = ""
    for line, row in zip(cells, rows, strict=True):
        name = "" if row.model == named else line[0]
        named = row.model
        said = _line((name, *line[1:-1], ""), widths)
        yield Content.assemble(said, (row.mark, _COLOURS.get(row.mark[:1], "")))


def _line(cells: Sequence[str], widths: Sequence[int]) -> str:
    """Return one line of the table: names left-aligned, figures right-aligned; the last cell is added by the caller."""
    padded = [
        cell + " " * (width - cell_len(cell)) if at < 2 else " " * (width - cell_len(cell)) + cell
        for at, (cell, width) in enumerate(zip(cells[:-1], widths, strict=False))
    ]
    return "  ".join([*padded, ""])
