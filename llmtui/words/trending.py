"""A figure over several sessions as rows of text, with the intervals drawn on a common axis."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from llmtui.core.measures import Measure, measure_of
from llmtui.core.trend import FigureTrend, TrendLine, TrendPoint
from llmtui.words import _
from llmtui.words.cells import column_unit, value_in
from llmtui.words.measures import short_title
from llmtui.words.since_last import day_words, difference_words

_SAID: Final = 46
"""Width of a session's date and figures in columns; the intervals are drawn in the rest."""
_LEAST_SPAN: Final = 0.10
"""Minimum span of the axis, as a share of the figure."""


def trend_rows(found: FigureTrend, width: int) -> Iterator[str]:
    """Yield each model's figure with one row and interval per session, and between two sessions what changed.

    Args:
        found: a trend in which at least one session has the figure.
        width: width of the rows in columns.
    """
    one = trend_measure(found)
    for at, line in enumerate(line for line in found.lines if line.points):
        if at:
            yield ""
        yield from _rows(found, line, one, width)
    yield ""
    yield _("├ ┤ 95 % interval over the rounds of a session; day-to-day variation is not in it.")


def trend_measure(found: FigureTrend) -> Measure:
    """Return the figure whose trend is shown."""
    one = measure_of(found.figure)
    assert one is not None, found.figure
    return one


def _rows(found: FigureTrend, line: TrendLine, one: Measure, width: int) -> Iterator[str]:
    values = [point.value for point in line.points]
    unit = column_unit(one, values)
    room = width - _SAID
    edges = [edge for point in line.points for edge in (point.low, point.value, point.high) if edge is not None]
    # An axis of a few per mille would show nothing but noise.
    middle = (min(edges) + max(edges)) / 2
    low, high = min(*edges, middle * (1 - _LEAST_SPAN / 2)), max(*edges, middle * (1 + _LEAST_SPAN / 2))
    yield f"{line.label} · {short_title(one)} {unit}".rstrip()
    axis = f"{value_in(one, low, unit)}{value_in(one, high, unit):>{room - len(value_in(one, low, unit))}}"
    yield " " * _SAID + axis
    before = 0
    for point in line.points:
        changed = [each for at in found.sessions[before + 1 : point.session + 1] for each in at.changed]
        if changed:
            yield "  ── " + "; ".join(map(difference_words, changed))
        before = point.session
        interval = ""
        if point.low is not None and point.high is not None:
            interval = f"({value_in(one, point.low, unit)}–{value_in(one, point.high, unit)})"
        said = f"{day_words(found.sessions[point.session].wall_ns)}  {value_in(one, point.value, unit):>6}  {interval}"
        yield f"{said:<{_SAID}}{_drawn(point, low, high, room)}".rstrip()


def _drawn(point: TrendPoint, low: float, high: float, room: int) -> str:
    """Return the drawing of a session's value and interval on the common axis."""

    def place(value: float) -> int:
        return 0 if high == low else round((value - low) / (high - low) * (room - 1))

    cells: list[str] = [" "] * room
    if point.low is not None and point.high is not None:
        first, last = place(point.low), place(point.high)
        cells[first : last + 1] = "─" * (last - first + 1)
        cells[first], cells[last] = "├", "┤"
    cells[place(point.value)] = "●"
    return "".join(cells)
