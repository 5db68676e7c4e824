"""The scoreboard (one row per model) as text columns, for printing and for the screen."""

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
"""Ids of the figures on the scoreboard; the tables by model and by category have all others too."""


class BoardColumn(NamedTuple):
    """One column: its head, one cell per model, and whether the cells are figures."""

    head: str
    cells: tuple[str, ...]
    is_figure: bool = True


def scoreboard(session: Session) -> tuple[BoardColumn, ...]:
    """Return the columns; the rows are ordered by decode speed, fastest first, and models without a speed come last.

    A model's rank is 1 + the number of models that verdicts place above it; shared ranks are followed by ``=``. Each
    column has one unit, chosen for its largest value, and aligned decimal points. A cell without a figure is empty, and
    a column without any figure is left out.
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
    """Return the column of a figure; TTFO is left empty for models that do not think."""
    values = [None if one.id == "ttfo_ms" and not line.thinks else value_of(reading(one, line)) for line in lines]
    unit, cells = figure_column(one, values)
    return BoardColumn(f"{short_title(one)} {unit}".rstrip(), tuple(cells))


def rank_words(row: BoardRow) -> str:
    """Return a rank, followed by ``=`` if several models share it; empty if the model is not compared."""
    return "" if row.rank is None else f"{row.rank}{'=' if row.shared else ''}"


def name_words(line: ContenderSummary) -> str:
    """Return a model's label, followed by its note (such as ``built-in demo``) in brackets if it has one."""
    return line.label if line.note is None else f"{line.label} ({note_words(line.note)})"


def trials_words(line: ContenderSummary) -> str:
    """Return the number of completed trials; if some failed, also the total: ``11/12``."""
    return f"{line.finished}/{line.finished + line.failed}" if line.failed else f"{line.finished}"
