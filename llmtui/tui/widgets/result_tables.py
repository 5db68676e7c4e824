"""Results as tables: one line per model, one line per model in a category."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import ClassVar, Generic, NamedTuple, TypeVar

from rich.cells import cell_len
from rich.text import Text
from textual.binding import Binding, BindingType
from textual.message import Message
from textual.widgets import DataTable

from llmtui.core.measures import Measure, Table, is_lower_bound, measures, shown_value
from llmtui.core.session import Session
from llmtui.core.short_names import short_names
from llmtui.core.summary import CategorySummary, ContenderSummary
from llmtui.tui.text.numbers import left, number_column, right
from llmtui.tui.widgets.sortable import SortableTable, Value
from llmtui.words import _
from llmtui.words.cells import head_lines
from llmtui.words.figures import rate_range
from llmtui.words.trials import category_words, note_words

L = TypeVar("L", bound=ContenderSummary | CategorySummary)
NAME_CELLS = (13, 24)
"""Least width for a model's long name: narrow terminals, others. What figures leave free is added."""
LEFT_OUT_FIRST = ("speed_range", "total_s", "cold_again_ms")
"""Figures that a narrow terminal does without; they are in the details and in the files."""
SCROLLBAR_CELLS = 1


class NameColumn(NamedTuple, Generic[L]):
    """A column that says which line it is."""

    id: str
    head: str
    cell: Callable[[L], str]
    once: bool = False
    """Left empty where the line above has the same, while the lines are in their own order."""


class FigureColumn(NamedTuple, Generic[L]):
    """A column of numbers, or of words where ``words`` is given."""

    id: str
    """The figure's, as in files."""
    head: tuple[str, str]
    """Name and unit, one row each."""
    value: Callable[[L], float | None]
    words: Callable[[L], str] | None = None
    sign: Callable[[L], str] | None = None
    """What is before the number: ``≥`` where it is a lower bound."""
    descending: bool = True
    """Whether the greatest is first where the table is sorted by it."""


class ResultTable(SortableTable[Text], Generic[L]):
    """A table that is filled again when a trial was added; the cursor stays where it was."""

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

    def __init__(self, *, id: str | None = None) -> None:  # noqa: A002  # Textual's name
        super().__init__(id=id, cursor_type="row", cell_padding=0, header_height=2)
        self._lines: tuple[L, ...] = ()
        self._own_order: tuple[L, ...] = ()
        self._names: tuple[NameColumn[L], ...] = ()
        self._figures: tuple[FigureColumn[L], ...] = ()
        self._room = 0
        self.shown_columns: tuple[str, ...] = ()
        """Ids of the figures' columns, left to right."""

    def fill(
        self, names: Sequence[NameColumn[L]], columns: Sequence[FigureColumn[L]], lines: Sequence[L], *, room: int
    ) -> None:
        """Show lines.

        Args:
            names: left-hand columns.
            columns: figures; those without a single one are left out.
            lines: what the cells are made of, in their own order.
            room: 0 narrow, 1 medium, 2 wide: longer names, wider gaps.
        """
        self._names, self._figures, self._room = tuple(names), tuple(columns), room
        self._own_order = tuple(lines)
        self.sort_changed()

    def sortable(self) -> Sequence[tuple[str, bool]]:
        """Return the names, then the figures on show."""
        figures = {one.id: one.descending for one in self._figures}
        return [*((one.id, False) for one in self._names), *((name, figures[name]) for name in self.shown_columns)]

    def sort_changed(self) -> None:
        """Show the lines in the chosen order."""
        self._lines = tuple(self.in_order(self._own_order, self._value))
        before = self.cursor_coordinate
        self.clear(columns=True)
        names = [(one, self._name_texts(one)) for one in self._names]
        shown, widths = self._fitting(names)
        self.shown_columns = tuple(one.id for one, _figures in shown)
        rows: list[list[Text]] = [[] for _line in self._lines]
        spare = self.app.size.width - sum(width + 1 + self._room for width in widths) - SCROLLBAR_CELLS
        most = max(NAME_CELLS[min(self._room, 1)], (spare - len(names) * (2 + self._room)) // max(1, len(names)))
        for name, texts in names:
            width = 1 + min(max((cell_len(text) for text in (name.head, *texts)), default=1), most)
            label = Text(f"\n {name.head}{self.mark(name.id)}", no_wrap=True)
            self.add_column(label, width=width + 1 + self._room, key=name.id)
            short = short_names(texts, width - 1)
            for row, text in zip(rows, texts, strict=True):
                row.append(left(f" {short[text]}", width))
        for (figure, texts), width in zip(shown, widths, strict=True):
            label = Text("\n").join(right(part, width) for part in figure.head)
            label.append(self.mark(figure.id))  # in the gap, so that no width changes
            self.add_column(label, width=width + 1 + self._room, key=figure.id)
            for row, text in zip(rows, texts, strict=True):
                row.append(right(text, width))
        for number, row in enumerate(rows):
            self.add_row(*row, key=str(number))
        if before.row < len(rows):
            self.move_cursor(row=before.row, animate=False)

    def _fitting(self, names: Sequence[tuple[NameColumn[L], list[str]]]) -> tuple[
        list[tuple[FigureColumn[L], list[str]]], list[int]
    ]:  # fmt: skip
        """Return the figures for which there is room, with their cells, and their widths."""
        filled = [(one, column_texts(one, self._lines)) for one in self._figures]
        shown = [(one, texts) for one, texts in filled if any(text.strip() for text in texts)]
        widths = [max(cell_len(text) for text in (*texts, *one.head)) for one, texts in shown]
        gap, cut = 1 + self._room, NAME_CELLS[min(self._room, 1)]
        least = sum(
            1 + gap + min(max((cell_len(text) for text in (one.head, *texts)), default=1), cut) for one, texts in names
        )
        for left_out in LEFT_OUT_FIRST:  # half a figure would be another one
            ids = [one.id for one, _texts in shown]
            if least + sum(width + gap for width in widths) + SCROLLBAR_CELLS > self.app.size.width and left_out in ids:
                at = ids.index(left_out)
                del shown[at], widths[at]
        return shown, widths

    def _name_texts(self, one: NameColumn[L]) -> list[str]:
        texts = [one.cell(line) for line in self._lines]
        if not one.once or self.sorting is not None:
            return texts
        return [text if at == 0 or texts[at - 1] != text else "" for at, text in enumerate(texts)]

    def _value(self, line: L, column_id: str) -> Value:
        for name in self._names:
            if name.id == column_id:
                return name.cell(line)
        return next(one.value(line) for one in self._figures if one.id == column_id)

    def on_data_table_row_selected(self, event: DataTable.RowSelected) -> None:
        """Enter or a click on a line."""
        event.stop()
        line = self._lines[int(str(event.row_key.value))]
        self.post_message(self.Opened(line))


class ModelTable(ResultTable[ContenderSummary]):
    """One line per model."""

    def show(self, session: Session, lines: Sequence[ContenderSummary], *, room: int) -> None:
        """Show a summary's lines."""
        self.fill([NameColumn("model", _("Model"), _labelled)], model_columns(), lines, room=room)


class CategoryTable(ResultTable[CategorySummary]):
    """One line per category and model, the models of a category below each other."""

    def show(self, session: Session, lines: Sequence[CategorySummary], *, room: int) -> None:
        """Show a summary's lines."""
        order = list(dict.fromkeys(prompt.category for prompt in session.plan.prompts))
        ordered = sorted(lines, key=lambda line: (order.index(line.category), line.contender))
        names = [
            NameColumn("category", _("Category"), _category, once=True),
            NameColumn("model", _("Model"), _label),
        ]
        self.fill(names, category_columns(), ordered, room=room)


def model_columns() -> tuple[FigureColumn[ContenderSummary], ...]:
    """Return the columns of the table by model."""
    columns: tuple[FigureColumn[ContenderSummary], ...] = _columns("models")
    speed = FigureColumn[ContenderSummary](
        "speed_range",
        (_("Speed in"), _("rounds")),
        lambda line: None if line.decode_tps is None else line.decode_tps.low,
        words=lambda line: rate_range(line.decode_tps),
    )
    at = next((number for number, one in enumerate(columns) if one.id == "finished"), len(columns))
    return (*columns[:at], speed, *columns[at:])


def category_columns() -> tuple[FigureColumn[CategorySummary], ...]:
    """Return the columns of the table by category."""
    return _columns("categories")


def column_texts(one: FigureColumn[L], lines: Sequence[L]) -> list[str]:
    """Return a column's cells, one per line."""
    if one.words is not None:
        return [one.words(line) for line in lines]
    sign = one.sign or (lambda _line: "")
    texts = number_column([one.value(line) for line in lines])
    return [text and sign(line) + text for line, text in zip(lines, texts, strict=True)]


def _columns(table: Table) -> tuple[FigureColumn[L], ...]:
    """Return a table's figures as columns; figures for which no screen is wide enough are left out."""
    return tuple(_figure_column(one) for one in measures(table) if one.shown[table] <= 2)


def _figure_column(one: Measure) -> FigureColumn[L]:
    def value(line: L) -> float | None:
        if one.id == "ttfo_ms" and _is_same_wait(line):
            return None
        return shown_value(one, line)

    words: Callable[[L], str] | None = None
    if one.id == "finished":
        words = _trials
    elif one.unit == "tok":
        words = lambda line: "" if (found := value(line)) is None else f"{found:.0f}"  # noqa: E731
    return FigureColumn(
        one.id,
        head_lines(one),
        value,
        words=words,
        sign=lambda line: "≥ " if is_lower_bound(one, line) else "",
        descending=one.better != "lower",
    )


def _is_same_wait(line: ContenderSummary | CategorySummary) -> bool:
    """Return whether the first word is one of the answer: the model does not think."""
    if isinstance(line, ContenderSummary):
        return not line.thinks
    return line.ttft is not None and line.ttfo is not None and line.ttft.value == line.ttfo.value


def _category(line: CategorySummary) -> str:
    return category_words(line.category)


def _label(line: CategorySummary) -> str:
    return line.label


def _labelled(line: ContenderSummary) -> str:
    return line.label if line.note is None else f"{line.label} ({note_words(line.note)})"


def _trials(line: ContenderSummary | CategorySummary) -> str:
    return f"{line.finished}" if not line.failed else f"{line.finished} +{line.failed}✗"
