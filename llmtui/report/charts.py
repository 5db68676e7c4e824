"""Charts as SVG text: ranges on one axis, and curves. They need no script and can be printed.

A chart of curves also contains its points as data; if scripts can run, ``charts.js`` makes an interactive chart from
them.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from html import escape
from typing import Final, NamedTuple

import msgspec

from llmtui.core.shown import without_controls
from llmtui.words.figures import Spoken

COLOURS: Final = 8
"""Number of colours in page.css; further models start again with the first colour."""
WIDTH: Final = 720
_NAME: Final = 190
_VALUE: Final = 120
_ROW: Final = 26
_HEIGHT: Final = 200
_LEFT: Final = 56
_BELOW: Final = 24
_POINTS: Final = 600
"""Maximum number of points drawn per curve: about one per unit of the chart's width."""
_DATA_POINTS: Final = 2_000
"""Maximum number of points in the data of a curve, which the interactive chart can zoom into."""
_STEPS: Final = (1, 1.2, 1.6, 2, 2.4, 3.2, 4, 6, 8, 10)
"""An axis ends at one of these numbers times a power of ten."""


class Range(NamedTuple):
    """A value with its lowest and highest observation, and its text."""

    name: str
    value: float
    low: float
    high: float
    said: str
    colour: int


class Curve(NamedTuple):
    """A series of points (x, y); a y of None is a gap."""

    name: str
    points: Sequence[tuple[float, float | None]]
    colour: int


class Stretch(NamedTuple):
    """A marked part of the x axis, with the text shown when the pointer is on it."""

    begin: float
    end: float
    said: str
    colour: int


def escaped(value: str) -> str:
    """Return a text escaped for HTML and SVG, without control characters, which could affect a terminal."""
    return escape(without_controls(value))


def colour(index: int) -> str:
    """Return the CSS colour of the model with this index."""
    return f"var(--m{index % COLOURS})"


def ranges(rows: Sequence[Range], title: str) -> str:
    """Return an SVG chart with one row per value: a dot on a line from lowest to highest; the axis begins at 0."""
    top = max((row.high for row in rows), default=0.0) or 1.0
    room = WIDTH - _NAME - _VALUE

    def at(value: float) -> float:
        return _NAME + room * max(value, 0.0) / top

    height = _ROW * len(rows) + 8
    parts = [_opened(height, title)]
    for number, row in enumerate(rows):
        y = _ROW * number + _ROW / 2 + 4
        ink = colour(row.colour)
        parts.append(
            f"<g><title>{escaped(f'{row.name}: {row.said}')}</title>"
            f'<text x="0" y="{y + 4:.1f}">{escaped(_short(row.name))}</text>'
            f'<line class="rule" x1="{_NAME}" y1="{y:.1f}" x2="{_NAME + room}" y2="{y:.1f}"/>'
            f'<line x1="{at(row.low):.1f}" y1="{y:.1f}" x2="{at(row.high):.1f}" y2="{y:.1f}" '
            f'style="stroke:{ink};stroke-width:5;stroke-linecap:round;opacity:.5"/>'
            f'<circle cx="{at(row.value):.1f}" cy="{y:.1f}" r="5" style="fill:{ink}"/>'
            f'<text x="{WIDTH - _VALUE + 12}" y="{y + 4:.1f}">{escaped(row.said)}</text></g>'
        )
    return "".join([*parts, "</svg>"])


def curves(series: Sequence[Curve], title: str, x_unit: str, bands: Sequence[Stretch] = ()) -> str:
    """Return an HTML chart of curves over one x axis, as SVG and as data; both axes begin at 0."""
    return f'<div class="chart">{_drawing(series, title, x_unit, bands)}{_data(series, x_unit, bands)}</div>'


def _data(series: Sequence[Curve], x_unit: str, bands: Sequence[Stretch]) -> str:
    """Return the points as JSON in a script element that browsers do not run. No value in it can end the element."""
    said = {
        "x": x_unit,
        "curves": [
            {
                "name": without_controls(curve.name),
                "colour": curve.colour % COLOURS,
                "xs": [_rounded(x) for x, _ in points],
                "ys": [None if y is None else _rounded(y) for _, y in points],
            }
            for curve in series
            if (points := _thinned(curve.points))
        ],
        "bands": [(_rounded(band.begin), _rounded(band.end), band.colour % COLOURS) for band in bands],
    }
    written = msgspec.json.encode(said).decode().replace("<", "\\u003c")
    return f'<script type="application/json">{written}</script>'


def _thinned(points: Sequence[tuple[float, float | None]]) -> Sequence[tuple[float, float | None]]:
    step = max(1, math.ceil(len(points) / _DATA_POINTS))
    return [point for at, point in enumerate(points) if at % step == 0 or at == len(points) - 1]


def _rounded(value: float) -> float:
    return float(f"{value:.6g}")


def _drawing(series: Sequence[Curve], title: str, x_unit: str, bands: Sequence[Stretch]) -> str:
    known = [point for line in series for point in line.points if point[1] is not None]
    x_top = _round_up(max((x for x, _ in known), default=0.0))
    y_top = _round_up(max((y for _, y in known if y is not None), default=0.0))

    def across(x: float) -> float:
        return _LEFT + (WIDTH - _LEFT - 8) * min(max(x, 0.0), x_top) / x_top

    def up(y: float) -> float:
        return 8 + _HEIGHT * (1 - max(y, 0.0) / y_top)

    parts = [_opened(_HEIGHT + _BELOW + 8, title)]
    for band in bands:
        begin, end = across(band.begin), across(band.end)
        parts.append(
            f'<rect x="{begin:.1f}" y="8" width="{max(end - begin, 0.5):.1f}" height="{_HEIGHT}" '
            f'style="fill:{colour(band.colour)};opacity:.15"><title>{escaped(band.said)}</title></rect>'
        )
    parts.extend(_axes(x_top, y_top, x_unit, across, up))
    parts.extend(
        f'<path d="{_path(line.points, across, up)}" '
        f'style="fill:none;stroke:{colour(line.colour)};stroke-width:1.8"><title>{escaped(line.name)}</title></path>'
        for line in series
    )
    return "".join([*parts, "</svg>"])


def _opened(height: float, title: str) -> str:
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {height:.0f}" role="img" '
        f'aria-label="{escaped(title)}">'
    )


def _axes(
    x_top: float, y_top: float, x_unit: str, across: Callable[[float], float], up: Callable[[float], float]
) -> Sequence[str]:
    parts = []
    for quarter in range(5):
        x, y = x_top * quarter / 4, y_top * quarter / 4
        anchor, unit = ("end", f" {escaped(x_unit)}") if quarter == 4 else ("middle", "")
        parts.append(
            f'<line class="rule" x1="{_LEFT}" y1="{up(y):.1f}" x2="{WIDTH - 8}" y2="{up(y):.1f}"/>'
            f'<text class="quiet" x="{_LEFT - 6}" y="{up(y) + 4:.1f}" text-anchor="end">{Spoken(y):g}</text>'
            f'<text class="quiet" x="{across(x):.1f}" y="{_HEIGHT + _BELOW:.0f}" '
            f'text-anchor="{anchor}">{Spoken(x):g}{unit}</text>'
        )
    return parts


def _path(
    points: Sequence[tuple[float, float | None]], across: Callable[[float], float], up: Callable[[float], float]
) -> str:
    step = max(1, math.ceil(len(points) / _POINTS))
    drawn: list[str] = []
    pen = "M"
    for at, (x, y) in enumerate(points):
        if y is None:
            pen = "M"
        elif at % step == 0 or at == len(points) - 1:
            drawn.append(f"{pen}{across(x):.1f} {up(y):.1f}")
            pen = "L"
    return "".join(drawn)


def _round_up(value: float) -> float:
    """Return the smallest end of an axis that is not below the value and whose quarters have few digits."""
    if value <= 0 or not math.isfinite(value):
        return 1.0
    power = 10.0 ** math.floor(math.log10(value))
    return next(power * step for step in _STEPS if value <= power * step * (1 + 1e-9))


def _short(name: str, most: int = 28) -> str:
    return name if len(name) <= most else f"{name[: most - 1]}…"
