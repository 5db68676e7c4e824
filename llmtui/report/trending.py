"""A figure over several sessions: printed rows with intervals drawn on a common axis, or a JSON document."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import IO, Final, Literal

import msgspec
from rich.text import Text

from llmtui import __version__
from llmtui.core.measures import Measure, measure_of
from llmtui.core.trend import FigureTrend, TrendLine, TrendPoint
from llmtui.report.json_form import file_unit
from llmtui.report.terminal import WIDTH, plain_console
from llmtui.words import _
from llmtui.words.cells import column_unit, value_in
from llmtui.words.measures import short_title
from llmtui.words.since_last import day_words, difference_words

VERSION: Final = 1
"""Version of the JSON document: increased when a field is removed or changes its meaning."""
_AXIS: Final = 34
"""Width of the axis on which the intervals are drawn, in columns of the terminal."""
_LEAST_SPAN: Final = 0.10
"""Minimum span of the axis, as a share of the figure."""


class TrendDocument(msgspec.Struct, frozen=True, kw_only=True):
    """The JSON document that ``llmtui trend --json`` prints; values are unrounded."""

    format: Literal["llmtui-trend"] = "llmtui-trend"
    version: Literal[1] = VERSION
    written_by: str = __version__
    unit: str
    trend: FigureTrend


def trend_json(found: FigureTrend) -> bytes:
    """Return the JSON document, indented, as bytes."""
    made = TrendDocument(unit=file_unit(_measure(found)), trend=found)
    return msgspec.json.format(msgspec.json.encode(made), indent=1) + b"\n"


def print_trend(found: FigureTrend, out: IO[str]) -> None:
    """Print each model's figure: one row with an interval per session, and between sessions the changed conditions."""
    console = plain_console(out)
    one = _measure(found)
    for at, line in enumerate(line for line in found.lines if line.points):
        if at:
            console.print()
        for row in _rows(found, line, one):
            console.print(Text(row), overflow="ellipsis", no_wrap=True)
    console.print()
    console.print(Text(_("├ ┤ 95 % interval over the rounds of a session; day-to-day variation is not in it.")))


def _rows(found: FigureTrend, line: TrendLine, one: Measure) -> Iterator[str]:
    values = [point.value for point in line.points]
    unit = column_unit(one, values)
    edges = [edge for point in line.points for edge in (point.low, point.value, point.high) if edge is not None]
    # An axis of a few per mille would show nothing but noise.
    middle = (min(edges) + max(edges)) / 2
    low, high = min(*edges, middle * (1 - _LEAST_SPAN / 2)), max(*edges, middle * (1 + _LEAST_SPAN / 2))
    yield f"{line.label} · {short_title(one)} {unit}".rstrip()
    axis = f"{value_in(one, low, unit)}{value_in(one, high, unit):>{_AXIS - len(value_in(one, low, unit))}}"
    yield " " * (WIDTH - _AXIS) + axis
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
        yield f"{said:<{WIDTH - _AXIS}}{_drawn(point, low, high)}".rstrip()


def _drawn(point: TrendPoint, low: float, high: float) -> str:
    """Return the drawing of a session's value and interval on the common axis."""

    def place(value: float) -> int:
        return 0 if high == low else round((value - low) / (high - low) * (_AXIS - 1))

    cells: list[str] = [" "] * _AXIS
    if point.low is not None and point.high is not None:
        first, last = place(point.low), place(point.high)
        cells[first : last + 1] = "─" * (last - first + 1)
        cells[first], cells[last] = "├", "┤"
    cells[place(point.value)] = "●"
    return "".join(cells)


def _measure(found: FigureTrend) -> Measure:
    one = measure_of(found.figure)
    assert one is not None, found.figure
    return one


def has_points(lines: Sequence[TrendLine]) -> bool:
    """Return whether at least one session has the figure."""
    return any(line.points for line in lines)
