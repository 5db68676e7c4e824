"""Common parts of the tables of results: their style, and opening a row by Enter or a click."""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar, Generic, TypeVar

from textual.binding import Binding, BindingType
from textual.content import Content
from textual.message import Message
from textual.widgets import DataTable

from llmtui.core.measures import Measure, Table, measures
from llmtui.core.summary import CategorySummary, ContenderSummary
from llmtui.tui.widgets.sortable import SortableTable
from llmtui.words import _
from llmtui.words.cells import figure_column
from llmtui.words.measures import short_title

L = TypeVar("L", bound=ContenderSummary | CategorySummary)
SCROLLBAR_CELLS = 1
WIDEST_ROOM = 2
"""Figures with a greater ``Room`` (the width class that they need) appear only in printed tables."""


class ResultTable(SortableTable[Content], Generic[L]):
    """Base class of the tables of results, which are filled again when a trial is added."""

    DEFAULT_CSS = """
    ResultTable {
        height: 1fr;
        background: $background;
        scrollbar-size-vertical: 1;
        scrollbar-size-horizontal: 1;
        scrollbar-background: $background;
        scrollbar-color: $border;
        & > .datatable--header { background: $panel; color: $foreground; text-style: none; }
        & > .datatable--cursor { text-style: none; }
    }
    """
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("enter", "select_cursor", _("Details"), id="results.details", tooltip=_("Show the details")),
        Binding("home", "scroll_top", show=False),
        Binding("end", "scroll_bottom", show=False),
    ]

    class Opened(Message):
        """Posted when the user opens a row, with that row's summary."""

        def __init__(self, line: ContenderSummary | CategorySummary) -> None:
            self.line = line
            super().__init__()

    def __init__(self, *, id: str | None = None) -> None:  # noqa: A002  # Textual's name
        super().__init__(id=id, cursor_type="row", cell_padding=0, cursor_foreground_priority="renderable")
        self.shown_columns: tuple[str, ...] = ()
        """Ids of the columns with figures, left to right."""
        self.lines: tuple[L, ...] = ()
        """The summaries shown as rows, from the top."""

    def on_data_table_row_selected(self, event: DataTable.RowSelected) -> None:
        """Open a row after Enter or a click."""
        event.stop()
        if event.cursor_row < len(self.lines):
            self.post_message(self.Opened(self.lines[event.cursor_row]))


def table_figures(table: Table) -> tuple[Measure, ...]:
    """Return the figures that have a column in one of the screen's tables, in their usual order."""
    return tuple(one for one in measures(table) if one.shown[table] <= WIDEST_ROOM)


def head_and_cells(one: Measure, values: Sequence[float | None]) -> tuple[str, list[str]]:
    """Return a column's header with its unit, and its cells with aligned decimal points."""
    unit, cells = figure_column(one, values)
    return f"{short_title(one)} {unit}".rstrip(), cells
