"""Plots of CPU and memory over one time axis, with the engine's phases (load, prefill, answer …) marked below.

They are drawn at most once per second, only while visible, and only if there is new data. The drawn rows are kept
between two drawings, so a change of colours repaints them without drawing again.
"""

from __future__ import annotations

from collections.abc import Callable
from time import monotonic
from typing import ClassVar

from rich.cells import cell_len
from rich.segment import Segment
from rich.style import Style
from textual import events
from textual.strip import Strip
from textual.timer import Timer
from textual.widget import Widget

from llmtui.core.session import Session
from llmtui.core.time_axis import band_columns, bands, without_standstills
from llmtui.tui.background import in_background
from llmtui.tui.text.machine_meters import Meter, heading_words, meter_count, meters, words_beside
from llmtui.tui.text.plot_axis import EDGE, GUTTER, Window, axis_row, band_row, gutter, legend_runs, plot_heading
from llmtui.tui.text.plot_canvas import Canvas, Run, Series, fetch_library

REDRAW_S = 1.0
SLACK_S = 0.05
NEXT_NEWS_S = 0.25
ROWS_OF_A_TALL_METER = 4
"""With at least this many rows per resource, each plot has a heading above it; with fewer, the text is beside it."""
WORDS_WIDTH = 34
"""Width in cells of the text beside a plot."""


class MachinePlots(Widget):
    """One plot per resource, a row of phases, and a row of times; ``show_session`` takes each new snapshot."""

    COMPONENT_CLASSES: ClassVar[set[str]] = {
        "machine-plots--model", "machine-plots--all", "machine-plots--text", "machine-plots--axis",
        "machine-plots--unload", "machine-plots--load", "machine-plots--prefill", "machine-plots--thinking",
        "machine-plots--answer", "machine-plots--idle",
    }  # fmt: skip
    DEFAULT_CSS = """
    MachinePlots {
        height: 1fr;
        color: $foreground;
        & > .machine-plots--model { color: $primary; text-style: bold; }
        & > .machine-plots--all { color: $text-muted; }
        & > .machine-plots--text { color: $foreground; }
        & > .machine-plots--axis { color: $text-muted; }
        & > .machine-plots--unload { background: $foreground 12%; color: $text-muted; }
        & > .machine-plots--load { background: $warning 30%; color: $foreground; }
        & > .machine-plots--prefill { background: $secondary 30%; color: $foreground; }
        & > .machine-plots--thinking { background: $accent 25%; color: $foreground; text-style: italic; }
        & > .machine-plots--answer { background: $success 25%; color: $foreground; }
        & > .machine-plots--idle { color: $text-muted; }
    }
    """
    ALLOW_SELECT = False

    def __init__(
        self, *, id: str | None = None, classes: str | None = None, clock: Callable[[], float] = monotonic,  # noqa: A002
    ) -> None:  # fmt: skip
        super().__init__(id=id, classes=classes)
        self.canvas = Canvas()
        self.whole = False
        """Whether the whole session is shown; if not, its last two minutes."""
        self._clock = clock
        self._session: Session | None = None
        self._rows: list[list[Run]] = []
        self._drawn: object = None
        self._drawn_at = float("-inf")
        self._timer: Timer | None = None
        self._seen = False
        self._ready = False
        self._styles: dict[str, Style] = {}

    # --- what to draw ---

    def show_session(self, session: Session) -> None:
        """Take the newest snapshot of the session; it is drawn once a second has passed since the last drawing."""
        self._session = session
        self._draw_when_due()

    def draw_now(self) -> None:
        """Draw the newest snapshot at once."""
        self._draw_now()

    def toggle_window(self) -> None:
        """Switch between the last two minutes and the whole session."""
        self.whole = not self.whole
        self._draw_now()

    # --- when to draw ---

    def on_mount(self) -> None:
        """Start loading the plotting library in a thread, after the first paint."""
        self._fetch_library()

    @in_background("plots", exclusive=False)
    def _fetch_library(self) -> None:
        fetch_library()
        self.app.call_from_thread(self._library_is_here)

    def _library_is_here(self) -> None:
        self._ready = True
        self._draw_now()

    def on_show(self) -> None:
        """Draw the newest snapshot, if it arrived while the plots were hidden."""
        self._seen = True
        self._draw_when_due()

    def on_hide(self) -> None:
        """Stop drawing while hidden."""
        self._seen = False

    def on_resize(self, event: events.Resize) -> None:
        """Draw again at once in the new size."""
        self._seen = True
        self._draw_now()

    def _draw_when_due(self) -> None:
        if not self._seen or self._key() == self._drawn:
            return
        wait_s = self._drawn_at + REDRAW_S - self._clock()
        if wait_s <= SLACK_S:
            self._draw_now()
        elif self._timer is None:
            # Snapshots arrive five times per second and are drawn as they arrive; the timer draws the last one.
            self._timer = self.set_timer(wait_s + NEXT_NEWS_S, self._draw_now, name="plots")

    def _key(self) -> object:
        """Return all values that a drawing depends on, to compare them with those of the last drawing."""
        session = self._session
        if session is None:
            return None
        return (session.session_id, session.latest_sample_t_ns, len(session.phases), len(session.rows), self.whole,
                session.finished, self.size, self.app.no_color)  # fmt: skip

    def _draw_now(self) -> None:
        if self._timer is not None:
            self._timer.stop()
            self._timer = None
        key = self._key()
        width, height = self.size
        if self._session is None or key == self._drawn or not self._seen or width <= GUTTER + 8 or height < 1:
            return
        if not self._ready:
            return
        session = without_standstills(self._session)
        tall = height >= meter_count(session) * ROWS_OF_A_TALL_METER + 2
        self._rows = self._tall(session) if tall else self._short(session)
        self._drawn = key
        self._drawn_at = self._clock()
        self.refresh()

    # --- how to draw ---

    def _tall(self, session: Session) -> list[list[Run]]:
        """Return the rows with a heading above each plot, and the phases and times below."""
        width, height = self.size
        window = Window.of(session, columns=width - GUTTER, whole=self.whole)
        shown = meters(session, window)
        rows: list[list[Run]] = []
        for at, meter in enumerate(shown):
            room = height - 2 - len(rows)
            plot_rows = -(-room // (len(shown) - at)) - 1
            rows.append(plot_heading(heading_words(meter, self._mark(), width), width))
            drawn = self._plot(meter, window.columns, plot_rows)
            rows += [[gutter(line, plot_rows, meter.top), *row] for line, row in enumerate(drawn)]
        return [*rows, self._bands(session, window), axis_row(window)]

    def _short(self, session: Session) -> list[list[Run]]:
        """Return the rows with text beside each plot, and the phases below."""
        width, height = self.size
        count = meter_count(session)
        plot_rows = max(1, (height - 1) // count)
        beside = min(WORDS_WIDTH, width // 2)
        window = Window.of(session, columns=width - beside, whole=self.whole)
        rows: list[list[Run]] = []
        for meter in meters(session, window):
            words = words_beside(meter, self._mark(), plot_rows)
            for line, drawn in enumerate(self._plot(meter, window.columns, plot_rows)):
                row = plot_heading(words[line] if line < len(words) else [], beside - 1)
                used = sum(cell_len(text) for text, _role in row)
                rows.append([*row, (" " * (beside - used), ""), *drawn])
        bands_row: list[Run] = [*legend_runs(beside), *self._bands(session, window)[1:]]
        return [*rows[: max(1, height - 1)], bands_row][:height]

    def _plot(self, meter: Meter, columns: int, height: int) -> list[list[Run]]:
        # Without colours the two lines differ by their characters.
        marker = "·" if self.app.no_color else "braille"
        lines = [Series("all", meter.whole, marker), Series("model", meter.model)]
        return self.canvas.draw(lines, width=columns, height=height, top=meter.top)

    def _bands(self, session: Session, window: Window) -> list[Run]:
        marked = band_columns(
            bands(session), start_ns=window.start_ns, column_ns=window.column_ns, columns=window.columns
        )
        return band_row(marked)

    def _mark(self) -> str:
        return "·" if self.app.no_color else "━"

    # --- painting ---

    def notify_style_update(self) -> None:
        """Forget the cached styles, but keep the drawn rows."""
        super().notify_style_update()
        self._styles.clear()

    def render_line(self, y: int) -> Strip:
        """Return a row as it was last drawn."""
        base = self._style("")
        if y >= len(self._rows):
            return Strip.blank(self.size.width, base)
        segments = [Segment(text, self._style(role)) for text, role in self._rows[y]]
        return Strip(segments).crop_extend(0, self.size.width, base)

    def _style(self, role: str) -> Style:
        style = self._styles.get(role)
        if style is None:
            style = self.rich_style
            if role:
                style = self.get_component_rich_style(f"machine-plots--{role.removesuffix(EDGE)}")
            if role.endswith(EDGE):
                style += Style(dim=True)
            self._styles[role] = style
        return style
