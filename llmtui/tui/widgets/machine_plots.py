"""Processor and memory over one time axis, with what the engine was doing marked below.

Drawn at most once a second, only while it can be seen and only when there is something new; between two drawings the
rows are kept, and a change of colours repaints them without drawing again.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from time import monotonic
from typing import ClassVar

from rich.segment import Segment
from rich.style import Style
from textual import events, work
from textual.strip import Strip
from textual.timer import Timer
from textual.widget import Widget

from llmtui.core.session import SamplePoint, Session
from llmtui.core.time_axis import band_columns, bands, per_column, without_standstills
from llmtui.tui.text.plot_axis import EDGE, GUTTER, Window, axis_row, band_row, ceiling, gutter, plot_heading
from llmtui.tui.text.plot_canvas import Canvas, Run, Series, fetch_library, spark
from llmtui.words import _

REDRAW_S = 1.0
SLACK_S = 0.05
NEXT_NEWS_S = 0.25
PLAIN_ROWS = 9
"""Below this height each plot is one row of blocks."""
GIGABYTE = 1e9


class MachinePlots(Widget):
    """Two plots, a row of phases, a row of times. ``show_session`` gives it the newest one."""

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
        & > .machine-plots--axis { color: $text-disabled; }
        & > .machine-plots--unload { background: $foreground 12%; color: $text-muted; }
        & > .machine-plots--load { background: $warning 30%; color: $foreground; }
        & > .machine-plots--prefill { background: $secondary 30%; color: $foreground; }
        & > .machine-plots--thinking { background: $accent 25%; color: $foreground; text-style: italic; }
        & > .machine-plots--answer { background: $success 25%; color: $foreground; }
        & > .machine-plots--idle { color: $text-disabled; }
    }
    """
    ALLOW_SELECT = False

    def __init__(
        self, *, id: str | None = None, classes: str | None = None, clock: Callable[[], float] = monotonic,  # noqa: A002
    ) -> None:  # fmt: skip
        super().__init__(id=id, classes=classes)
        self.canvas = Canvas()
        self.whole = False
        """All of the session instead of its last two minutes."""
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
        """Takes the newest session; it is drawn when it is time."""
        self._session = session
        self._draw_when_due()

    def toggle_window(self) -> None:
        """Changes between the last two minutes and the whole session."""
        self.whole = not self.whole
        self._draw_now()

    # --- when to draw ---

    def on_mount(self) -> None:
        """The plotting library is fetched after the first paint, beside the loop."""
        self._fetch_library()

    @work(thread=True, exit_on_error=False)
    def _fetch_library(self) -> None:
        fetch_library()
        self.app.call_from_thread(self._library_is_here)

    def _library_is_here(self) -> None:
        self._ready = True
        self._draw_now()

    def on_show(self) -> None:
        """Draws what was missed."""
        self._seen = True
        self._draw_when_due()

    def on_hide(self) -> None:
        """Plots that cannot be seen cost nothing."""
        self._seen = False

    def on_resize(self, event: events.Resize) -> None:
        """Another size is drawn at once."""
        self._seen = True
        self._draw_now()

    def _draw_when_due(self) -> None:
        if not self._seen or self._key() == self._drawn:
            return
        wait_s = self._drawn_at + REDRAW_S - self._clock()
        if wait_s <= SLACK_S:
            self._draw_now()
        elif self._timer is None:
            # News comes five times a second and is drawn with its frame; the timer is for the last of it.
            self._timer = self.set_timer(wait_s + NEXT_NEWS_S, self._draw_now, name="plots")

    def _key(self) -> object:
        """What a drawing depends on."""
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
        if not self._ready and height >= PLAIN_ROWS:
            return
        session = without_standstills(self._session)
        self._rows = self._short(session) if height < PLAIN_ROWS else self._tall(session)
        self._drawn = key
        self._drawn_at = self._clock()
        self.refresh()

    # --- how to draw ---

    def _tall(self, session: Session) -> list[list[Run]]:
        width, height = self.size
        window = Window.of(session, columns=width - GUTTER, whole=self.whole)
        upper = (height - 4) - (height - 4) // 2
        cores = float(session.fingerprint.cores_logical or 1)
        rows = [plot_heading(self._processor_words(session), width)]
        rows += self._plot(session, window, upper, cores, _model_cores, _all_cores)
        top = ceiling(self._most_memory(session, window))
        rows.append(plot_heading(self._memory_words(session), width))
        rows += self._plot(session, window, height - 4 - upper, top, _model_gb, _used_gb)
        return [*rows, self._bands(session, window), axis_row(window)]

    def _short(self, session: Session) -> list[list[Run]]:
        width, height = self.size
        words = (self._processor_words(session), self._memory_words(session))
        room = max(10, width - max(sum(len(text) for text, _ in runs) for runs in words) - 2)
        window = Window.of(session, columns=room, whole=self.whole)
        cores = float(session.fingerprint.cores_logical or 1)
        tops = (cores, ceiling(self._most_memory(session, window)))
        rows: list[list[Run]] = []
        for runs, top, value in zip(words, tops, (_model_cores, _model_gb), strict=True):
            blocks = spark(_columns(session, window, value), top)
            used = sum(len(text) for text, _ in runs)
            rows.append([*runs, (" " * (width - room - used), ""), (blocks, "model")])
        strip: list[Run] = [(" " * (width - room), ""), *self._bands(session, window)[1:]]
        return [*rows[: max(1, height)], strip][:height]

    def _plot(
        self, session: Session, window: Window, height: int, top: float, model: _Value, whole: _Value
    ) -> list[list[Run]]:
        # Without colours the two lines are told apart by what they are made of.
        marker = "·" if self.app.no_color else "braille"
        lines = [
            Series("all", _columns(session, window, whole), marker),
            Series("model", _columns(session, window, model)),
        ]
        rows = self.canvas.draw(lines, width=window.columns, height=height, top=top)
        return [[gutter(at, height, top), *row] for at, row in enumerate(rows)]

    def _bands(self, session: Session, window: Window) -> list[Run]:
        marked = band_columns(
            bands(session), start_ns=window.start_ns, column_ns=window.column_ns, columns=window.columns
        )
        return band_row(marked)

    def _processor_words(self, session: Session) -> list[Run]:
        last = session.samples[-1] if session.samples else None
        cores = session.fingerprint.cores_logical
        words: list[Run] = [(_("Processor") + "  ", "text")]
        if last is None:
            return words
        if last.runner_cores is not None:
            words.append((f"━ {_('model')} {last.runner_cores:.1f}  ", "model"))
        of = "" if cores is None else " " + _("of {n} cores").format(n=cores)
        return [*words, (f"{self._mark()} {_('all')} {last.cores_busy:.1f}{of}", "all")]

    def _memory_words(self, session: Session) -> list[Run]:
        last = session.samples[-1] if session.samples else None
        words: list[Run] = [(_("Memory") + "     ", "text")]
        if last is None:
            return words
        if last.runner_bytes is not None:
            words.append((f"━ {_('model')} {last.runner_bytes / GIGABYTE:.1f}  ", "model"))
        elif session.fingerprint.server_is_local is False:
            words.append((_("model: not visible from here") + "  ", "all"))
        if last.used_bytes is not None:
            total = session.fingerprint.ram_total_bytes
            of = " GB" if total is None else " " + _("of {n} GB").format(n=f"{total / GIGABYTE:.0f}")
            words.append((f"{self._mark()} {_('used')} {last.used_bytes / GIGABYTE:.1f}{of}", "all"))
        return words

    def _mark(self) -> str:
        return "·" if self.app.no_color else "━"

    def _most_memory(self, session: Session, window: Window) -> float:
        values = (*_columns(session, window, _used_gb), *_columns(session, window, _model_gb))
        return max((value for value in values if value is not None), default=1.0)

    # --- painting ---

    def notify_style_update(self) -> None:
        """Colours changed: the rows stay."""
        super().notify_style_update()
        self._styles.clear()

    def render_line(self, y: int) -> Strip:
        """Gives a row as it was drawn last."""
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


_Value = Callable[[SamplePoint], float | None]


def _columns(session: Session, window: Window, value: _Value) -> Sequence[float | None]:
    return per_column(
        session.samples, value, start_ns=window.start_ns, column_ns=window.column_ns, columns=window.columns
    )


def _model_cores(sample: SamplePoint) -> float | None:
    return sample.runner_cores


def _all_cores(sample: SamplePoint) -> float | None:
    return sample.cores_busy


def _model_gb(sample: SamplePoint) -> float | None:
    return None if sample.runner_bytes is None else sample.runner_bytes / GIGABYTE


def _used_gb(sample: SamplePoint) -> float | None:
    return None if sample.used_bytes is None else sample.used_bytes / GIGABYTE
