"""Drawing of plots with plotext into rows of (text, role); the widget maps roles to theme colours.

docs/plotext.md explains the choice of plotext 5.3 and the use of its private figure (checked with 5.3.2). plotext is
imported when the first plot is needed.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from plotext._figure import _figure_class

Run = tuple[str, str]
"""A part of a row: (text, role)."""

_STYLED = re.compile(r"\x1b\[([\d;]*)m")
_RESET = "0"


class Series(NamedTuple):
    """One line of a plot: one value per column; None for a column without a value."""

    role: str
    values: Sequence[float | None]
    marker: str = "braille"


class Canvas:
    """Draws lines into rows of cells; reuses one plotext figure, and keeps no data between drawings."""

    def __init__(self) -> None:
        self._figure: _figure_class | None = None
        self.drawings = 0

    def draw(self, series: Sequence[Series], *, width: int, height: int, top: float) -> list[list[Run]]:
        """Return the rows of a plot, top row first.

        Args:
            series: the lines, each with as many values as the plot has columns; later lines cover earlier ones.
            width: number of columns.
            height: number of rows.
            top: value at the upper edge; the lower edge is 0.
        """
        self.drawings += 1
        figure = self._own_figure()
        figure.plot_size(width, height)
        figure.xlim(0, width)
        figure.ylim(0, top)
        for number, line in enumerate(series):
            for first, values in _stretches(line.values):
                places = [first + at + 0.5 for at in range(len(values))]
                figure.plot(places, values, marker=line.marker, color=number + 1)
        rows = figure.build().split("\n")
        figure.clear_data()
        roles = {f"38;5;{number + 1}": line.role for number, line in enumerate(series)}
        return [_runs(row, roles) for row in rows[:height]]

    def _own_figure(self) -> _figure_class:
        if self._figure is None:
            # A separate figure: the module's figure is shared by everything that imports plotext.
            from plotext._figure import _figure_class

            figure = _figure_class()
            figure._limit_size(width=False, height=False)  # noqa: SLF001  # the public function limits the module's figure
            figure.frame(False)
            figure.xfrequency(0)
            figure.yfrequency(0)
            for paint in (figure.canvas_color, figure.axes_color, figure.ticks_color):
                paint("default")
            self._figure = figure
        return self._figure


def fetch_library() -> None:
    """Import plotext, which takes 60 ms; called in a thread after the first paint."""
    import plotext._figure  # noqa: F401


def _stretches(values: Sequence[float | None]) -> Iterator[tuple[int, list[float]]]:
    """Yield (first column, values) of each gapless part of a series, since no line is drawn over a gap."""
    stretch: list[float] = []
    for column, value in enumerate(values):
        if value is not None:
            stretch.append(value)
        elif stretch:
            yield column - len(stretch), stretch
            stretch = []
    if stretch:
        yield len(values) - len(stretch), stretch


def _runs(row: str, roles: dict[str, str]) -> list[Run]:
    """Return a row cut at its colour codes, which identify the plotted line that a cell belongs to."""
    runs: list[Run] = []
    role = ""
    at = 0
    for match in _STYLED.finditer(row):
        if match.start() > at:
            runs.append((row[at : match.start()], role))
        role = roles.get(match.group(1), "")
        at = match.end()
    if at < len(row):
        runs.append((row[at:], role))
    return runs
