"""Results as tables: a line a model, a line a model in a category. Starts, tests and chats stay apart."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import ClassVar, Generic, NamedTuple, TypeVar

from rich.cells import cell_len
from rich.text import Text
from textual.binding import Binding, BindingType
from textual.message import Message
from textual.widgets import DataTable

from llmtui.core.session import Session
from llmtui.core.summary import CategorySummary, ContenderSummary, Spread
from llmtui.tui.text.numbers import left, number_column, right
from llmtui.words import _
from llmtui.words.figures import rate_range
from llmtui.words.trials import category_words, note_words

L = TypeVar("L")
GIGABYTE = 1e9
NAME_CELLS = (14, 24)
"""Least width for a model's long name: narrow terminals, others. What figures leave free is added."""
LEFT_OUT_FIRST = ("speed_range", "total_s")
"""Figures that a narrow terminal does without; they stand in the details and in the files."""
SCROLLBAR_CELLS = 1


class FigureColumn(NamedTuple, Generic[L]):
    """A column of numbers, or of words where ``words`` is given."""

    id: str
    """Which of words.columns explains it."""
    head: tuple[str, str]
    """Name and unit, one row each."""
    value: Callable[[L], float | None] | None = None
    words: Callable[[L], str] | None = None
    sign: Callable[[L], str] | None = None
    """What stands before the number: ``≥`` where it is a lower bound."""


class ResultTable(DataTable[Text], Generic[L]):
    """A table that is filled anew when a test was added; the cursor stays where it was."""

    DEFAULT_CSS = """
    ResultTable {
        height: 1fr;
        background: $background;
        scrollbar-size-vertical: 1;
        scrollbar-size-horizontal: 1;
        scrollbar-background: $background;
        scrollbar-color: $border;
        & > .datatable--header { background: $panel; color: $text-muted; text-style: none; }
        & > .datatable--cursor { text-style: none; }
    }
    """
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("enter", "select_cursor", _("Details"), id="results.details"),
        Binding("home", "scroll_top", show=False),
        Binding("end", "scroll_bottom", show=False),
    ]

    class Opened(Message):
        """A line is to be looked at."""

        def __init__(self, line: ContenderSummary | CategorySummary) -> None:
            self.line = line
            super().__init__()

    class Asked(Message):
        """A column is to be explained."""

        def __init__(self, column_id: str) -> None:
            self.column_id = column_id
            super().__init__()

    def __init__(self, *, id: str | None = None) -> None:  # noqa: A002  # Textual's name
        super().__init__(id=id, cursor_type="row", cell_padding=0, header_height=2)
        self._lines: tuple[L, ...] = ()
        self.shown_columns: tuple[str, ...] = ()
        """Ids of the figures' columns, left to right."""

    def fill(self, names: Sequence[tuple[str, Sequence[str]]], columns: Sequence[FigureColumn[L]], lines: Sequence[L],
             *, room: int) -> None:  # fmt: skip
        """Shows lines.

        Args:
            names: left-hand columns as (head, a cell a line).
            columns: figures; those without a single one are left out.
            lines: what the cells are made of.
            room: 0 narrow, 1 medium, 2 wide: longer names, wider gaps.
        """
        before = self.cursor_coordinate
        self.clear(columns=True)
        self._lines = tuple(lines)
        gap = 1 + room
        filled = [(one, column_texts(one, lines)) for one in columns]
        shown = [(one, figures) for one, figures in filled if any(text.strip() for text in figures)]
        widths = [max(cell_len(text) for text in (*figures, *one.head)) for one, figures in shown]
        cut = NAME_CELLS[min(room, 1)]
        least = sum(
            1 + gap + min(max((cell_len(text) for text in (head, *texts)), default=1), cut) for head, texts in names
        )
        for left_out in LEFT_OUT_FIRST:  # half a figure would be another one
            ids = [one.id for one, _figures in shown]
            if least + sum(width + gap for width in widths) + SCROLLBAR_CELLS > self.app.size.width and left_out in ids:
                at = ids.index(left_out)
                del shown[at], widths[at]
        spare = self.app.size.width - sum(width + gap for width in widths) - len(names) * (1 + gap) - SCROLLBAR_CELLS
        most = max(cut, spare // len(names))
        cells: list[list[Text]] = [[] for _line in lines]
        for head, texts in names:
            width = 1 + min(max((cell_len(text) for text in (head, *texts)), default=1), most)
            self.add_column(Text(f"\n {head}", no_wrap=True), width=width + gap, key=head)
            for row, text in zip(cells, texts, strict=True):
                row.append(left(f" {text}", width))
        self.shown_columns = tuple(one.id for one, _figures in shown)
        for (one, figures), width in zip(shown, widths, strict=True):
            head_text = Text("\n").join(right(part, width) for part in one.head)
            self.add_column(head_text, width=width + gap, key=one.id)
            for row, text in zip(cells, figures, strict=True):
                row.append(right(text, width))
        for number, row in enumerate(cells):
            self.add_row(*row, key=str(number))
        if before.row < len(cells):
            self.move_cursor(row=before.row, animate=False)

    def on_data_table_row_selected(self, event: DataTable.RowSelected) -> None:
        """Enter or a click on a line."""
        event.stop()
        line = self._lines[int(str(event.row_key.value))]
        if isinstance(line, ContenderSummary | CategorySummary):
            self.post_message(self.Opened(line))

    def on_data_table_header_selected(self, event: DataTable.HeaderSelected) -> None:
        """A click on a column's head."""
        event.stop()
        self.post_message(self.Asked(str(event.column_key.value)))


class ModelTable(ResultTable[ContenderSummary]):
    """A line a model."""

    def show(self, session: Session, lines: Sequence[ContenderSummary], *, room: int) -> None:
        """Shows a summary's lines."""
        labels = [line.label if line.note is None else f"{line.label} ({note_words(line.note)})" for line in lines]
        self.fill([(_("Model"), labels)], model_columns(), lines, room=room)


class CategoryTable(ResultTable[CategorySummary]):
    """A line a category and model, the models of a category under each other."""

    def show(self, session: Session, lines: Sequence[CategorySummary], *, room: int) -> None:
        """Shows a summary's lines."""
        order = list(dict.fromkeys(prompt.category for prompt in session.plan.prompts))
        ordered = sorted(lines, key=lambda line: (order.index(line.category), line.contender))
        categories = [
            category_words(line.category) if number == 0 or ordered[number - 1].category != line.category else ""
            for number, line in enumerate(ordered)
        ]
        names = [(_("Category"), categories), (_("Model"), [line.label for line in ordered])]
        self.fill(names, category_columns(), ordered, room=room)


def model_columns() -> tuple[FigureColumn[ContenderSummary], ...]:
    """Gives the columns of the table by model; those to compare first stand first."""
    return (
        FigureColumn("ttft_ms", (_("First"), _("word s")), lambda line: _s(line.ttft)),
        FigureColumn("ttfo_ms", (_("Answer"), _("word s")), lambda line: _s(line.ttfo) if line.thinks else None),
        FigureColumn("decode_tps", (_("Speed"), _("tok/s")), lambda line: _value(line.decode_tps)),
        FigureColumn("decode_cps", (_("Text"), _("chars/s")), lambda line: _value(line.decode_cps)),
        FigureColumn("cold_first_ms", (_("From"), _("off s")), lambda line: _thousandth(line.cold_first_ms)),
        FigureColumn("cold_again_ms", (_("From off"), _("again s")), lambda line: _s(line.cold_again)),
        FigureColumn("memory_peak_bytes", (_("Memory"), _("GB")), lambda line: _gb(line.memory_peak_bytes)),
        FigureColumn("follow_up_ttft_ms", (_("In a"), _("chat s")), lambda line: _s(line.follow_up)),
        FigureColumn("vram_bytes", (_("GPU"), _("GB")), lambda line: _gb(line.vram_bytes)),
        FigureColumn("total_s", (_("Total"), _("s")), lambda line: line.total_s),
        FigureColumn("speed_range", (_("Speed in"), _("rounds")), words=lambda line: rate_range(line.decode_tps)),
        FigureColumn("finished", ("", _("Tests")), words=_tests),
    )


def category_columns() -> tuple[FigureColumn[CategorySummary], ...]:
    """Gives the columns of the table by category."""
    return (
        FigureColumn("ttft_ms", (_("First"), _("word s")), lambda line: _s(line.ttft)),
        FigureColumn("ttfo_ms", (_("Answer"), _("word s")), _ttfo_if_later),
        FigureColumn("decode_tps", (_("Speed"), _("tok/s")), lambda line: _value(line.decode_tps)),
        FigureColumn("decode_cps", (_("Text"), _("chars/s")), lambda line: _value(line.decode_cps)),
        FigureColumn("e2e_ms", (_("Whole"), _("answer s")), lambda line: _s(line.e2e_ms), sign=_at_least),
        FigureColumn("tokens", (_("Answer"), _("tokens")), words=_answer_tokens),
        FigureColumn("finished", ("", _("Tests")), words=_tests),
    )


def column_texts(one: FigureColumn[L], lines: Sequence[L]) -> list[str]:
    """Gives a column's cells, a line each."""
    if one.words is not None:
        return [one.words(line) for line in lines]
    assert one.value is not None
    sign = one.sign or (lambda _line: "")
    texts = number_column([one.value(line) for line in lines])
    return [text and sign(line) + text for line, text in zip(lines, texts, strict=True)]


def _at_least(line: CategorySummary) -> str:
    return "≥ " if line.capped else ""


def _value(spread: Spread | None) -> float | None:
    return None if spread is None else spread.value


def _s(spread: Spread | None) -> float | None:
    return None if spread is None else spread.value / 1000


def _thousandth(ms: float | None) -> float | None:
    return None if ms is None else ms / 1000


def _gb(amount: int | None) -> float | None:
    return None if amount is None else amount / GIGABYTE


def _ttfo_if_later(line: CategorySummary) -> float | None:
    same = line.ttft is not None and line.ttfo is not None and line.ttft.value == line.ttfo.value
    return None if same else _s(line.ttfo)


def _answer_tokens(line: CategorySummary) -> str:
    return "" if line.answer_tokens is None else f"{line.answer_tokens.value:.0f}"


def _tests(line: ContenderSummary | CategorySummary) -> str:
    return f"{line.finished}" if not line.failed else f"{line.finished} +{line.failed}✗"
