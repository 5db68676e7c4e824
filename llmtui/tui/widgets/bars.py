"""Grouped bars: a group a category, a bar a model; made of eighths of a cell, readable without colours."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import ClassVar, NamedTuple

from rich.cells import cell_len, set_cell_size
from rich.segment import Segment
from rich.style import Style
from textual import events
from textual.binding import Binding, BindingType
from textual.geometry import Size
from textual.scroll_view import ScrollView
from textual.strip import Strip

from llmtui.core.measures import Measure, SummaryLine, measure_of, shown_value
from llmtui.core.session import Session
from llmtui.core.short_names import short_names
from llmtui.core.summary import Summary
from llmtui.tui.text.numbers import number_column
from llmtui.words import _
from llmtui.words.measures import measure_title
from llmtui.words.outcomes import outcome_word
from llmtui.words.reasons import reason
from llmtui.words.trials import category_words

EIGHTHS = " ▏▎▍▌▋▊▉█"
LABEL_CELLS = 20
COLOURS = 4
CHARTED = ("decode_tps", "ttft_ms")
"""The figures that are drawn."""


class Bar(NamedTuple):
    """One bar; without a value there is none, and ``why`` stands in its place."""

    label: str
    contender: int
    value: float | None
    why: str = ""


class Group(NamedTuple):
    """Bars to compare with each other."""

    title: str
    bars: tuple[Bar, ...]


class Chart(NamedTuple):
    """One figure in all its groups, on one scale."""

    title: str
    hint: str
    groups: tuple[Group, ...]


class Bars(ScrollView, can_focus=True):
    """Charts beside each other where there is room, else below each other."""

    COMPONENT_CLASSES: ClassVar[set[str]] = {
        "bars--title", "bars--group", "bars--label", "bars--value", "bars--why",
        *(f"bars--model{number}" for number in range(COLOURS)),
    }  # fmt: skip
    DEFAULT_CSS = """
    Bars {
        height: 1fr;
        padding: 0 1;
        overflow-x: hidden;
        scrollbar-size-vertical: 1;
        & > .bars--title { color: $primary; text-style: bold; }
        & > .bars--group { color: $text-muted; text-style: bold; }
        & > .bars--label { color: $foreground; }
        & > .bars--value { color: $foreground; text-style: bold; }
        & > .bars--why { color: $text-muted; text-style: italic; }
        & > .bars--model0 { color: $primary; }
        & > .bars--model1 { color: $accent; }
        & > .bars--model2 { color: $success; }
        & > .bars--model3 { color: $secondary; }
    }
    """
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("j", "scroll_down", show=False),
        Binding("k", "scroll_up", show=False),
    ]
    SIDE_BY_SIDE = 100

    def __init__(self, *, id: str | None = None) -> None:  # noqa: A002  # Textual's name
        super().__init__(id=id)
        self._charts: tuple[Chart, ...] = ()
        self._rows: list[list[tuple[str, str]]] = []

    def show(self, session: Session, summary: Summary) -> None:
        """Shows a summary's speeds and waiting times."""
        charts = charts_of(session, summary)
        if charts != self._charts:
            self._charts = charts
            self._lay_out()

    def on_resize(self, event: events.Resize) -> None:
        """Bars are as long as there is room."""
        self._lay_out()

    def _lay_out(self) -> None:
        width = self.scrollable_content_region.width
        if width < 30:
            return
        if width >= self.SIDE_BY_SIDE and len(self._charts) == 2:
            half = (width - 3) // 2
            both = [chart_rows(chart, half) for chart in self._charts]
            height = max(map(len, both))
            self._rows = [[*_at(both[0], row, half), ("   ", ""), *_at(both[1], row, half)] for row in range(height)]
        else:
            self._rows = [row for chart in self._charts for row in (*chart_rows(chart, width), [])]
        self.virtual_size = Size(width, len(self._rows))
        self.refresh()

    def render_line(self, y: int) -> Strip:
        """Gives a row of the visible part."""
        base = self.rich_style
        number = self.scroll_offset.y + y
        if number >= len(self._rows):
            return Strip.blank(self.size.width, base)
        segments = [Segment(text, self._style(role) or base) for text, role in self._rows[number]]
        return Strip(segments).crop_extend(0, self.size.width, base)

    def _style(self, role: str) -> Style | None:
        return self.get_component_rich_style(f"bars--{role}") if role else None


def charts_of(session: Session, summary: Summary) -> tuple[Chart, ...]:
    """Return the charts of speed and of waiting."""
    hints = {"higher": _("longer is faster"), "lower": _("shorter is sooner"), "neither": ""}
    return tuple(
        Chart(f"{measure_title(one.id)} {one.unit}", hints[one.better], _groups(session, summary, one))
        for one in map(measure_of, CHARTED)
        if one is not None
    )


def _groups(session: Session, summary: Summary, one: Measure) -> tuple[Group, ...]:
    categories = list(dict.fromkeys(prompt.category for prompt in session.plan.prompts))
    groups = [Group(_("All tests"), _bars(summary.lines, one))]
    if len(categories) > 1:
        for name in categories:
            lines = [line for line in summary.categories if line.category == name]
            groups.append(Group(category_words(name), _bars(lines, one)))
    return tuple(groups)


def _bars(lines: Iterable[SummaryLine], one: Measure) -> tuple[Bar, ...]:
    return tuple(Bar(line.label, line.contender, shown_value(one, line), _why(line, one)) for line in lines)


def _why(line: SummaryLine, one: Measure) -> str:
    """Return why there is no bar: this figure's own reason, else that of the figure that failed with it."""
    code = line.why.get(one.reason_key or one.id) or next(iter(line.why.values()), None)
    if code is None:
        return ""
    how = code.removeprefix("outcome_")
    return reason(code) if how == code else outcome_word(how)


def chart_rows(chart: Chart, width: int) -> list[list[tuple[str, str]]]:
    """Gives a chart as rows of (text, role), each ``width`` cells or fewer."""
    bars = [bar for group in chart.groups for bar in group.bars]
    label = min(LABEL_CELLS, max((cell_len(bar.label) for bar in bars), default=0))
    labels = short_names([bar.label for bar in bars], label) if label else {}
    values = number_column([bar.value for bar in bars])
    number = max(map(len, values), default=0)
    most = max((bar.value for bar in bars if bar.value is not None), default=None)
    room = max(4, width - label - number - 4)
    rows: list[list[tuple[str, str]]] = [[(chart.title, "title"), (f"  {chart.hint}", "why")]]
    shown = iter(values)
    for group in chart.groups:
        rows.append([(group.title, "group")])
        for bar in group.bars:
            text = next(shown)
            head = (f" {set_cell_size(labels.get(bar.label, ''), label)} ", "label")
            if bar.value is None or most is None:
                rows.append([head, (_cut(bar.why, room + number + 1), "why")])
            else:
                role = f"model{bar.contender % COLOURS}"
                rows.append([head, (f"{text:>{number}} ", "value"), (bar_blocks(bar.value / most, room), role)])
    return rows


def bar_blocks(share: float, room: int) -> str:
    """Gives a bar of so much of the room, to an eighth of a cell; never nothing where there is something."""
    eighths = max(1, round(share * room * 8))
    return "█" * (eighths // 8) + (EIGHTHS[eighths % 8] if eighths % 8 else "")


def _cut(text: str, width: int) -> str:
    return text if cell_len(text) <= width else set_cell_size(text, width - 1).rstrip() + "…"


def _at(rows: Sequence[list[tuple[str, str]]], number: int, width: int) -> list[tuple[str, str]]:
    """Gives a row filled up to the width."""
    row = rows[number] if number < len(rows) else []
    used = sum(cell_len(text) for text, _role in row)
    return [*row, (" " * max(0, width - used), "")]
