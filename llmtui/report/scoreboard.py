"""The scoreboard: one row per model, fastest first, one unit per column."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final, NamedTuple

from llmtui.core.letters import ranks
from llmtui.core.measures import Measure, measure_of, reading, value_of
from llmtui.core.session import Session
from llmtui.core.summary import ContenderSummary, summarise
from llmtui.core.verdict import verdicts
from llmtui.words import _
from llmtui.words.cells import column_unit, value_in
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
    lines = sorted(summarise(session).lines, key=_slowest_last)
    place = ranks(verdicts(session))
    shared = list(place.values())
    rank = [
        "" if at is None else f"{at}=" if shared.count(at) > 1 else f"{at}"
        for at in (place.get(line.contender) for line in lines)
    ]
    columns = [BoardColumn("#", tuple(rank)), BoardColumn(_("Model"), tuple(map(_name, lines)), is_figure=False)]
    for figure in FIGURES:
        one = measure_of(figure)
        assert one is not None, figure
        columns.append(_column(one, lines))
    columns.append(BoardColumn(_("Trials"), tuple(map(_trials, lines))))
    return tuple(one for one in columns if any(one.cells) or not one.is_figure)


def _slowest_last(line: ContenderSummary) -> float:
    return 0.0 if line.decode_tps is None else -line.decode_tps.value


def _name(line: ContenderSummary) -> str:
    return line.label if line.note is None else f"{line.label} ({note_words(line.note)})"


def _trials(line: ContenderSummary) -> str:
    """Return the number of regular ends, with the total where others failed."""
    return f"{line.finished}/{line.finished + line.failed}" if line.failed else f"{line.finished}"


def _column(one: Measure, lines: Sequence[ContenderSummary]) -> BoardColumn:
    values = [None if one.id == "ttfo_ms" and not line.thinks else value_of(reading(one, line)) for line in lines]
    unit = column_unit(one, values)
    cells = ["" if value is None else value_in(one, value, unit) for value in values]
    behind = max((len(cell.partition(".")[2]) + ("." in cell) for cell in cells), default=0)
    aligned = (cell + " " * (behind - len(cell.partition(".")[2]) - ("." in cell)) if cell else "" for cell in cells)
    return BoardColumn(f"{short_title(one)} {unit}", tuple(aligned))
