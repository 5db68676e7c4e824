"""A plot of the current answer's token rate over time, with the model's median as a line."""

from __future__ import annotations

from statistics import median

from rich.cells import cell_len
from textual.content import Content
from textual.widget import Widget

from llmtui.core.flags import counts_for_speed
from llmtui.core.live import LiveTrial
from llmtui.core.session import Session
from llmtui.tui.text.sparkline import bars, height_of, spark
from llmtui.tui.text.strip_rows import QUIET
from llmtui.words import _
from llmtui.words.figures import significant

MEDIAN = "┄"
HEADROOM = 1.25
SHORTEST = 10


class RateLine(Widget):
    """A bar plot that fills the available rows and is redrawn once per second."""

    DEFAULT_CSS = """
    RateLine { width: 1fr; height: 4; padding: 0 1; text-wrap: nowrap; }
    """
    ALLOW_SELECT = False

    def __init__(self) -> None:
        super().__init__()
        self._live: LiveTrial | None = None
        self._median: float | None = None

    def show(self, live: LiveTrial | None, median_tps: float | None) -> None:
        """Take the current trial, and the median rate of its model's trials so far; either can be None."""
        same = live is self._live and median_tps == self._median
        self._live, self._median = live, median_tps
        if not same:
            self.refresh()

    def tick(self) -> None:
        """Redraw the plot; called once per second."""
        if self._live is not None:
            self.refresh()

    def render(self) -> Content:
        """Return the label and the bars."""
        width, height = self.size
        if self._live is None or width < SHORTEST:
            return Content("")
        if height == 1:
            return self._one_row(width)
        rates = self._live.rates(width)
        top = HEADROOM * max([*rates, self._median or 0.0, 1e-9])
        rows = bars(rates, width, height - 1, top)
        line = None if self._median is None else height_of(self._median, height - 1, top)
        made = [Content.styled(_("token rate of this answer"), QUIET).append(self._words())]
        for number, row in enumerate(rows):
            if number != line:
                made.append(Content.styled(row, "$primary"))
                continue
            rest = MEDIAN * (width - cell_len(row))
            # The line also fills the empty cells between the bars of its row.
            through = "".join(MEDIAN if cell == " " else cell for cell in row)
            made.append(Content.assemble((through, "$primary"), (rest, QUIET)))
        return Content("\n").join(made)

    def _one_row(self, width: int) -> Content:
        assert self._live is not None
        words = self._words()
        room = width - words.cell_length - 1
        if room < SHORTEST:
            words, room = Content(""), width
        rates = self._live.rates(room)
        top = max([*rates, self._median or 0.0])
        return Content.assemble((spark(rates, room, top), "$primary"), words)

    def _words(self) -> Content:
        if self._median is None:
            return Content("")
        said = _("median {rate} tok/s").format(rate=significant(self._median))
        return Content.styled(f" {MEDIAN} {said}", QUIET)


def median_tps(session: Session, contender: int) -> float | None:
    """Return the median decode speed, in tok/s, of a model's warm trials that count for speed, or None."""
    rates = [
        row.figures.decode_tps
        for row in session.rows
        if row.trial.contender == contender
        and row.trial.kind == "warm"
        and counts_for_speed(row)
        and row.figures.decode_tps is not None
    ]
    return median(rates) if rates else None
