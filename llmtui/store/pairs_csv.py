"""``pairs.csv``: one row per pair of contenders and figure, with ratio, interval and conclusion.

It is written at the end of the session.
"""

from __future__ import annotations

from pathlib import Path
from typing import Final

from llmtui.core.pairs import pair_verdicts
from llmtui.core.session import Session
from llmtui.store.csv_cells import csv_line, text_cell
from llmtui.store.session_folder import PAIRS
from llmtui.store.writing import replace_file

COLUMNS: Final = ("first", "second", "figure", "n", "ratio", "low", "high", "p_adjusted", "word")
_DIGITS: Final = 9
"""Significant digits: enough to see on which side of 1 an interval ends."""


def pairs_csv(session: Session) -> bytes:
    """Return the content of pairs.csv for a session; missing numbers are empty cells."""
    labels = [one.label for one in session.plan.contenders]
    lines = [csv_line(COLUMNS)]
    for one in pair_verdicts(session):
        numbers = ("" if value is None else f"{value:.{_DIGITS}g}" for value in (one.ratio, one.low, one.high))
        p_adjusted = "" if one.p_adjusted is None else f"{one.p_adjusted:.{_DIGITS}g}"
        names = (text_cell(labels[one.first]), text_cell(labels[one.second]))
        lines.append(csv_line((*names, one.figure, f"{one.n}", *numbers, p_adjusted, one.word)))
    return b"".join(lines)


def write_pairs(folder: Path, session: Session) -> None:
    """Write pairs.csv of a session; an older file is replaced.

    Raises:
        OSError: the file cannot be written.
    """
    replace_file(folder / PAIRS, pairs_csv(session), private=True)
