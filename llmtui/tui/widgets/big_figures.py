"""The main figures of a trial: in large digits if there is room, else in one row."""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

from rich.cells import cell_len
from textual import getters
from textual.app import ComposeResult
from textual.containers import Horizontal, Vertical
from textual.content import Content
from textual.widgets import Digits, Static

from llmtui.core.live import LiveFigures
from llmtui.core.plan import Kind
from llmtui.core.trial_row import TrialRow
from llmtui.tui._textual_hacks import show_without_layout
from llmtui.tui.widgets.rate_line import RateLine
from llmtui.words import _
from llmtui.words.figures import significant

LABEL_CELLS = 26
"""Width of a label, in cells, that is assumed before its layout is known."""


class Shown(NamedTuple):
    """One figure as shown; nothing is drawn for an empty value."""

    value: str
    unit: str
    note: str = ""
    settled: bool = True
    """False for a running clock or an estimate."""


class StillDigits(Digits):
    """Digits in a widget of fixed width: a longer number does not change the layout."""

    def update(self, value: str) -> None:
        """Show another number."""
        show_without_layout(self, value)


class BigFigure(Vertical):
    """A label with the unit, and large digits below it; in short terminals, both in one row.

    Live figures change five times per second, so no size depends on them.
    """

    DEFAULT_CSS = """
    BigFigure {
        width: 30;
        height: 4;
        padding: 0 2;
        & StillDigits { width: 1fr; color: $primary; }
        & .figure-label { width: 1fr; height: 1; text-wrap: nowrap; text-overflow: ellipsis; }
        & .figure-row { width: 1fr; height: 1; display: none; text-wrap: nowrap; }
        &.-unsettled StillDigits { color: $text-muted; }
    }
    """

    def __init__(self, label: str, short: str, *, id: str) -> None:  # noqa: A002  # Textual's name
        super().__init__(id=id)
        self._label = label
        self._short = short
        self._shown: Shown | None = None
        # Figures can come before the parts are mounted, so they are stored, not looked up.
        self.digits = StillDigits("")
        self.label = Static("", classes="figure-label")
        self.row = Static("", classes="figure-row")

    def compose(self) -> ComposeResult:
        """Yield the large form and the form in one row; the style sheet hides one of them."""
        yield self.label
        yield self.digits
        yield self.row

    def show_label(self, label: str, short: str) -> None:
        """Change the label and its short form."""
        if label != self._label:
            self._label, self._short = label, short
            self._shown = None

    def show_figure(self, shown: Shown) -> None:
        """Show another value."""
        if shown == self._shown:
            return
        self._shown = shown
        unit = shown.unit if shown.value else ""
        beside = "  ".join(part for part in (unit, shown.note) if part)
        room = (self.label.size.width or LABEL_CELLS) - (cell_len(beside) + 2 if beside else 0)
        label = self._label if cell_len(self._label) <= room else self._short  # to keep the unit
        self.label.update(Content.assemble((f"{label}  ", "$foreground 60%"), (beside, "bold")), layout=False)
        self.digits.update(shown.value)
        value = f"{shown.value} {shown.unit}" if shown.value else "–"
        style = "bold $primary" if shown.settled else "bold"
        self.row.update(Content.assemble((f"{self._short} ", "$foreground 60%"), (value, style)), layout=False)
        self.set_class(not shown.settled, "-unsettled")

    def on_resize(self) -> None:
        """Choose the longest label that fits."""
        shown, self._shown = self._shown, None
        if shown is not None:
            self.show_figure(shown)


class BigFigures(Horizontal):
    """TTFT, TTFO if a model thinks, speed, and the token rate over time."""

    DEFAULT_CSS = """
    BigFigures {
        height: auto;
        & #first-answer { width: 30; }
    }
    """
    first_word = getters.query_one("#first-word", BigFigure)
    first_answer = getters.query_one("#first-answer", BigFigure)
    speed = getters.query_one("#speed", BigFigure)
    rate = getters.query_one(RateLine)

    def compose(self) -> ComposeResult:
        """Yield the three figures and the plot of the token rate; TTFO is visible for thinking models only."""
        yield BigFigure(*_FIRST_WORD["warm"](), id="first-word")
        yield BigFigure(_("TTFO, after thinking"), _("TTFO"), id="first-answer")
        yield BigFigure(_("Speed"), _("Speed"), id="speed")
        yield RateLine()

    def on_mount(self) -> None:
        """Show no values until something is measured."""
        self.clear()

    def clear(self) -> None:
        """Remove all values."""
        for figure in (self.first_word, self.first_answer, self.speed):
            figure.show_figure(Shown("", ""))
        self.first_answer.display = False

    def show_kind(self, kind: Kind) -> None:
        """Set the first figure's label, which depends on the kind of trial."""
        self.first_word.show_label(*_FIRST_WORD[kind]())

    def show_waiting(self, elapsed_s: float | None, last: TrialRow | None, *, thinks: bool) -> None:
        """Show that no text has arrived: the seconds since the request, and the speed of the last trial."""
        value = "" if elapsed_s is None else f"{int(elapsed_s)}"
        self.first_word.show_figure(Shown(value, "s …", settled=False))
        self.first_answer.display = thinks
        self.first_answer.show_figure(Shown("", ""))
        self._show_speed(None if last is None else last.figures.decode_tps, _("last trial"), settled=False)

    def show_live(self, figures: LiveFigures, *, thinks: bool) -> None:
        """Show the figures of a trial whose text is arriving: exact times, and an estimate of the speed."""
        self.first_word.show_figure(_seconds(figures.ttft_ms))
        self.first_answer.display = thinks
        if thinks:
            self.first_answer.show_figure(_seconds(figures.ttfo_ms))
        self._show_speed(figures.tps, "≈", settled=False)

    def show_final(self, row: TrialRow, *, thinks: bool) -> None:
        """Show the exact figures of a finished trial."""
        self.first_word.show_figure(_seconds(row.figures.ttft_ms))
        self.first_answer.display = thinks
        self.first_answer.show_figure(_seconds(row.figures.ttfo_ms))
        self._show_speed(row.figures.decode_tps, "")

    def _show_speed(self, tps: float | None, note: str, *, settled: bool = True) -> None:
        value = "" if tps is None else significant(tps, 3 if settled else 2)
        unit = f"≈ {_('tok/s')}" if note == "≈" else _("tok/s")
        self.speed.show_figure(Shown(value, unit, "" if note == "≈" or not value else note, settled))


_FIRST_WORD: dict[Kind, Callable[[], tuple[str, str]]] = {
    "cold": lambda: (_("TTFT of a cold start"), _("Cold start")),
    "warm": lambda: (_("TTFT"), _("TTFT")),
    "follow_up": lambda: (_("Follow-up TTFT"), _("Follow-up")),
}
"""Functions that return the long and short label of the first figure, by kind of trial.

They are functions because the language is set after this module is imported.
"""


def _seconds(ms: float | None) -> Shown:
    if ms is None:
        return Shown("", "")
    return Shown(significant(ms), "ms") if ms < 100 else Shown(significant(ms / 1000), "s")
