"""The parts around the plots: the time span and its labels, the values at the side, the row of phases."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import groupby
from typing import NamedTuple

from rich.cells import cell_len, set_cell_size

from llmtui.core.session import Session
from llmtui.core.time_axis import Band, BandName
from llmtui.tui.text.plot_canvas import Run
from llmtui.words import _
from llmtui.words.figures import with_mark

GUTTER = 4
"""Number of columns for the values beside a plot."""
S = 1_000_000_000
SPANS_S = (30, 60, 120)
"""Time spans of a plot, in seconds; the shortest that holds the whole session is used, or else the longest."""
TICKS_S = (5, 10, 15, 30, 60, 120, 300, 600, 900, 1800, 3600, 7200)
TICK_COLUMNS = 10
EDGE = " edge"
"""Suffix of a phase's role (name of its style), for the cell where the phase begins."""
_LEGEND: dict[BandName, str] = {
    "load": "$warning 30%", "prefill": "$secondary 30%", "thinking": "$accent 25%", "answer": "$success 25%",
}  # fmt: skip
"""Colours of the phases, as in MachinePlots. Unloading is rare, so it is not in the legend."""
_NICE = (1.0, 1.5, 2.0, 3.0, 4.0, 5.0, 6.0, 8.0, 10.0)


class Window(NamedTuple):
    """The time span of a plot, divided into columns of equal duration, on the engine's clock."""

    start_ns: int
    column_ns: int
    columns: int
    session_ns: int
    """Start of the session, to which the labels are relative."""

    @classmethod
    def of(cls, session: Session, *, columns: int, whole: bool) -> Window:
        """Return the time span that contains the newest event.

        The span moves by whole columns, so that the value drawn for a column does not change.
        """
        past_ns = max(S, session.last_t_ns - session.t_ns)
        fitting = [span * S for span in SPANS_S if span * S >= past_ns]
        show_all = whole or session.finished is not None
        span_ns = past_ns if show_all else (fitting[0] if fitting else SPANS_S[-1] * S)
        column_ns = max(1, -(-span_ns // columns))
        if show_all or fitting:
            return cls(session.t_ns, column_ns, columns, session.t_ns)
        last_column = past_ns // column_ns
        return cls(session.t_ns + (last_column - columns + 1) * column_ns, column_ns, columns, session.t_ns)


def ceiling(most: float) -> float:
    """Return the smallest round number that is at least ``most``."""
    size = 1.0
    while size * 10 <= most:
        size *= 10
    while size > most:
        size /= 10
    return next(step * size for step in _NICE if step * size >= most)


def gutter(row: int, height: int, top: float) -> Run:
    """Return the text to the left of a plot's row: the largest value in the top row, 0 in the bottom row."""
    label = with_mark(f"{top:g}") if row == 0 else "0" if row == height - 1 else ""
    return (f"{label:>{GUTTER - 1}}┤" if label else " " * (GUTTER - 1) + "│", "axis")


def plot_heading(words: list[Run], width: int) -> list[Run]:
    """Return a heading's parts, cut to the width."""
    kept: list[Run] = []
    room = width
    for text, role in words:
        if room <= 0:
            break
        kept.append((text if cell_len(text) <= room else set_cell_size(text, room), role))
        room -= cell_len(text)
    return kept


def axis_row(window: Window) -> list[Run]:
    """Return the row of time labels: round numbers of seconds or minutes since the session's start."""
    row = [" "] * (GUTTER + window.columns)
    step_s = next((tick for tick in TICKS_S if tick * S >= TICK_COLUMNS * window.column_ns), TICKS_S[-1])
    end_ns = window.start_ns + window.columns * window.column_ns
    first_s = -(-(window.start_ns - window.session_ns) // (step_s * S)) * step_s
    for at_s in range(first_s, (end_ns - window.session_ns) // S + 1, step_s):
        column = GUTTER + (window.session_ns + at_s * S - window.start_ns) // window.column_ns
        label = f"{at_s // 60}:{at_s % 60:02}"
        if column + len(label) <= len(row):
            row[column : column + len(label)] = label
    return [("".join(row), "axis")]


def band_row(marked: Sequence[Band | None]) -> list[Run]:
    """Return the row of phases: each phase in its colour, with its name if it fits."""
    names = _names()
    runs: list[Run] = [(" " * GUTTER, "axis")]
    for band, columns in groupby(marked, key=lambda one: None if one is None else (one.name, one.trial_id)):
        width = len(list(columns))
        if band is None or band[0] == "idle":
            runs.append((" " * width, "idle"))
            continue
        name = next((word for word in names[band[0]] if cell_len(word) < width), "")
        runs += [("▏", f"{band[0]}{EDGE}"), (set_cell_size(name, width - 1), band[0])]
    return runs


def phase_legend() -> str:
    """Return the phases' names on their colours, as Textual markup."""
    names = _names()
    return " ".join(f"[$foreground on {colour}] {names[phase][-1]} [/]" for phase, colour in _LEGEND.items())


def legend_runs(width: int) -> list[Run]:
    """Return the phases' names on their colours, padded to the width; only blanks if they do not fit."""
    names = _names()
    runs: list[Run] = []
    for phase in _LEGEND:
        runs += [(f" {names[phase][-1]} ", phase), (" ", "")]
    used = sum(cell_len(text) for text, _role in runs)
    if used > width:
        return [(" " * width, "")]
    return [*runs, (" " * (width - used), "")]


def _names() -> dict[BandName, tuple[str, ...]]:
    """Return the names of each phase, longest first."""
    return {
        "unload": (_("making room"), _("room")),
        "load": (_("loading"), _("load")),
        "prefill": (_("reading"), _("read")),
        "thinking": (_("thinking"), _("think")),
        "answer": (_("writing"), _("write")),
        "idle": (),
    }
