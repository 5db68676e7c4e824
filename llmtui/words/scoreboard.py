"""The scoreboard in words: ranks, names, figures in columns of one unit each, for printing and the screen."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final, NamedTuple

from llmtui.core.board import BoardRow, board
from llmtui.core.measures import Measure, measure_of, reading, value_of
from llmtui.core.session import Session
from llmtui.core.summary import ContenderSummary
from llmtui.words import _
from llmtui.words.cells import figure_column
from llmtui.words.measures import short_title
from llmtui.words.trials import note_words

FIGURES: Final = (
    "decode_tps", "ttft_ms", "ttfo_ms", "cold_first_ms", "follow_up_ttft_ms", "memory_peak_bytes", "vram_bytes",
)  # fmt: skip
"""The figures to compare first; all others are in the tables by model and by category."""


class BoardColumn(NamedTuple):
    """One column: its head, one cell per model, and whether the cells are figures."""

    head: str
    cells: tuple[str, ...]
    is_figure: bool = True


def scoreboard(session: Session) -> tuple[BoardColumn, ...]:
    """Return the columns, with rows by decode rate, fastest first, those without one last.

    A rank is 1 + the number of models that a verdict puts above; shared ranks are followed by ``=``. A column has one
    unit, chosen by its largest value, and aligned decimal points. Columns without a figure are left out; an empty cell
    is a missing figure.
    """
    rows = board(session)
    lines = [row.line for row in rows]
    columns = [
        BoardColumn("#", tuple(map(rank_words, rows))),
        BoardColumn(_("Model"), tuple(map(name_words, lines)), is_figure=False),
    ]
    for figure in FIGURES:
        one = measure_of(figure)
        assert one is not None, figure
        columns.append(board_column(one, lines))
    columns.append(BoardColumn(_("Trials"), tuple(map(trials_words, lines))))
    return tuple(one for one in columns if any(one.cells) or not one.is_figure)


def board_column(one: Measure, lines: Sequence[ContenderSummary]) -> BoardColumn:
    """Return a figure's column; TTFO only for thinking models."""
    values = [None if one.id == "ttfo_ms" and not line.thinks else value_of(reading(one, line)) for line in lines]
    unit, cells = figure_column(one, values)
    return BoardColumn(f"{short_title(one)} {unit}".rstrip(), tuple(cells))


def rank_words(row: BoardRow) -> str:
    """Return a rank, with ``=`` where models share it; empty where a model is not compared."""
    return "" if row.rank is None else f"{row.rank}{'=' if row.shared else ''}"


def name_words(line: ContenderSummary) -> str:
    """Return a model's label, with its note where the label does not contain it."""
    return line.label if line.note is None else f"{line.label} ({note_words(line.note)})"


def trials_words(line: ContenderSummary) -> str:
    """Return the number of regular ends, with the total where others failed."""
    return f"{line.finished}/{line.finished + line.failed}" if line.failed else f"{line.finished}"
