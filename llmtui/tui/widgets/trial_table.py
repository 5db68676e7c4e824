"""The table of trials: one row per trial, newest last.

The row of a trial is added when the trial ends. It changes only if a later trial adds information about that trial.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import ClassVar, NamedTuple

from rich.cells import cell_len
from rich.text import Text
from textual.binding import Binding, BindingType
from textual.message import Message
from textual.widgets import DataTable
from textual.widgets.data_table import RowKey

from llmtui.core.measures import Measure, Room, measures
from llmtui.core.session import Session
from llmtui.core.short_names import short_names
from llmtui.core.trial_row import TrialRow
from llmtui.tui._textual_hacks import bound_caches
from llmtui.tui.text.numbers import aligned, left, right
from llmtui.tui.widgets.sortable import SortableTable, Value
from llmtui.words import _
from llmtui.words.cells import column_head
from llmtui.words.flags import mark
from llmtui.words.outcomes import outcome_word
from llmtui.words.trials import kind_words, trial_name

FIGURE_CELLS = 8
"""Minimum width of a column of figures, in cells."""
MEDIUM = 110
WIDE = 150
NOTE_MIN = 10
ROWS_KEPT = 150
"""Number of cached painted rows: more than any terminal shows.

Textual's default keeps ten megabytes of rows that are never painted again.
"""
CELLS_KEPT = 10 * ROWS_KEPT


class Column(NamedTuple):
    """One column: its header, width, function for cells, function for sort values, and required width class."""

    key: str
    head: str
    width: int
    cell: Callable[[TrialRow, Session, int], Text]
    value: Callable[[TrialRow, Session], Value]
    least: Room = 0
    wider: int | None = None
    """The column's width on wider screens; None if it is the same."""
    is_number: bool = False
    descending: bool = False
    """Whether sorting by the column starts with the greatest value."""


class TrialTable(SortableTable[Text]):
    """The table of trials. Enter opens the details of a trial."""

    DEFAULT_CSS = """
    TrialTable {
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
        Binding("enter", "select_cursor", _("Details"), id="trials.details", tooltip=_("Show the details")),
        Binding("home", "scroll_top", show=False),
        Binding("end", "scroll_bottom", show=False),
    ]

    class Opened(Message):
        """Posted when the user opens a trial."""

        def __init__(self, row: TrialRow) -> None:
            self.row = row
            super().__init__()

    def __init__(self, *, id: str | None = None, follows: bool = False) -> None:  # noqa: A002  # Textual's name
        """Create an empty table.

        Args:
            id: id for the style sheet.
            follows: whether a cursor on the last row moves to each new trial.
        """
        super().__init__(id=id, cursor_type="row", zebra_stripes=False, cell_padding=1)
        bound_caches(self, cells=CELLS_KEPT, rows=ROWS_KEPT)
        self._follows = follows
        self._session: Session | None = None
        self._width: Room = 0
        self._laid_out_for = 0
        self._columns_shown: tuple[Column, ...] = ()
        self._shown: dict[str, TrialRow] = {}
        self.picked: tuple[str, ...] = ()
        """Keys of the rows that are picked for the replay, in order."""

    @property
    def trial_row(self) -> TrialRow | None:
        """The trial under the cursor; None if there are no rows."""
        if not self.row_count:
            return None
        return self._shown.get(str(self.coordinate_to_cell_key(self.cursor_coordinate).row_key.value))

    def row_of(self, key: str) -> TrialRow | None:
        """Return the trial with a row key (see ``row_key``), or None."""
        return self._shown.get(key)

    def show_session(self, session: Session) -> None:
        """Take the newest snapshot of the session: add new rows and update changed ones."""
        cells = self.screen.size.width
        if self._session is None or session.session_id != self._session.session_id or cells != self._laid_out_for:
            self._laid_out_for = cells
            self._begin(self._room())
        self._session = session
        if self.sorting is not None:
            if any(self._shown.get(row_key(row)) is not row for row in session.rows):
                self.sort_changed()
            return
        following = self._follows and self.cursor_row >= self.row_count - 1
        added = False
        for row in session.rows:
            added |= self._show_row(row, session)
        if added and following:
            self.move_cursor(row=self.row_count - 1, animate=False)

    def sortable(self) -> Sequence[tuple[str, bool]]:
        """Return (column, whether sorting by it starts with the greatest value) of each visible column."""
        return [(column.key, column.descending) for column in self._columns_shown]

    def sort_changed(self) -> None:
        """Show the trials in the chosen order; the cursor stays on its trial."""
        session = self._session
        if session is None:
            return
        under_cursor = self.trial_row
        value = {column.key: column.value for column in self._columns_shown}
        self._begin(self._width)
        for row in self.in_order(session.rows, lambda row, key: value[key](row, session)):
            self._show_row(row, session)
        if under_cursor is not None:
            self.move_cursor(row=self.get_row_index(row_key(under_cursor)), animate=False)

    def pick(self, keys: tuple[str, ...]) -> None:
        """Mark the trials with these keys as picked, and no others."""
        changed = {*self.picked, *keys}
        self.picked = keys
        for key in changed:
            row = self._shown.pop(key, None)
            if row is not None and self._session is not None:
                self._show_row(row, self._session)

    def _room(self) -> Room:
        width = self.screen.size.width
        return 2 if width >= WIDE else 1 if width >= MEDIUM else 0

    def _begin(self, width: Room) -> None:
        self.clear(columns=True)
        self._shown.clear()
        self._width = width
        self._columns_shown = tuple(column for column in trial_table_columns() if column.least <= width)
        for column in self._columns_shown:
            label = column.head + self.mark(column.key)
            cells = self._cells(column)
            head = right(label, cells) if column.is_number else left(label, cells)
            self.add_column(head, width=cells, key=column.key)

    def _cells(self, column: Column) -> int:
        """Return a column's width in cells."""
        width = column.wider if self._width and column.wider is not None else column.width
        if column.key == "mark":
            # The width that the others leave, so that long headers do not cause horizontal scrolling.
            others = sum(self._cells(other) + 2 for other in self._columns_shown if other.key != "mark")
            return max(min(width, self._laid_out_for - others - 3), NOTE_MIN)
        return max(width, cell_len(column.head + self.mark(column.key)))

    def _show_row(self, row: TrialRow, session: Session) -> bool:
        """Add or update a trial's row; return whether it was added."""
        key = row_key(row)
        before = self._shown.get(key)
        if before is row:
            return False
        cells = [self._cell(column, row, session) for column in self._columns_shown]
        self._shown[key] = row
        if RowKey(key) in self.rows:
            for column, cell in zip(self._columns_shown, cells, strict=True):
                self.update_cell(key, column.key, cell)
            return False
        self.add_row(*cells, key=key)
        return True

    def _cell(self, column: Column, row: TrialRow, session: Session) -> Text:
        width = self._cells(column)
        if column.key == "model" and row_key(row) in self.picked:
            labels = short_names([one.label for one in session.plan.contenders], width - 2)
            return left(f"▸ {labels[session.contender(row.trial).label]}", width, "bold")
        return column.cell(row, session, width)

    def on_resize(self) -> None:
        """Choose the columns that fit."""
        if self._session is not None and self.screen.size.width != self._laid_out_for:
            self.show_session(self._session)

    def on_data_table_row_selected(self, event: DataTable.RowSelected) -> None:
        """Open a trial after Enter or a click."""
        row = self._shown.get(str(event.row_key.value))
        event.stop()
        if row is not None:
            self.post_message(self.Opened(row))


def row_key(row: TrialRow) -> str:
    """Return the key of a trial's row; it differs between attempts at the same trial."""
    return f"{row.order}:{row.trial.id}"


def mark_words(row: TrialRow) -> str:
    """Return a trial's note: a flag that changes what is counted, or how the trial failed; often empty."""
    if row.outcome == "ok":
        return mark(row)
    return ("✗ " if row.outcome in ("error", "stalled") else "") + outcome_word(row.outcome, row.ended_by)


def trial_table_columns() -> tuple[Column, ...]:
    """Return all columns: number, model and trial, the figures, and the note."""
    return (
        Column(
            "order", "#", 3, lambda row, _session, width: right(str(row.order), width, "dim"),
            lambda row, _session: row.order, 1, is_number=True, descending=True,
        ),
        Column("model", _("Model"), 14, _model, lambda row, session: session.contender(row.trial).label, wider=20),
        Column("test", _("Trial"), 14, _trial, lambda row, session: trial_name(row.trial, session.plan), wider=21),
        *map(_figure_column, measures("trials")),
        Column(
            "mark", _("Note"), 17, lambda row, _session, width: left(mark_words(row), width, "bold"),
            lambda row, _session: mark_words(row),
        ),
    )  # fmt: skip


def _figure_column(one: Measure) -> Column:
    def value(row: TrialRow, _session: Session) -> float | None:
        found = None if one.of_trial is None else one.of_trial(row)
        return None if found is None else found / one.per

    def cell(row: TrialRow, session: Session, width: int) -> Text:
        return right(aligned(value(row, session), one.decimals), width, "" if one.counts(row) else "dim")

    least = one.shown["trials"]
    return Column(
        one.id, column_head(one), FIGURE_CELLS, cell, value, least, is_number=True, descending=one.better != "lower"
    )


def _model(row: TrialRow, session: Session, width: int) -> Text:
    labels = short_names([one.label for one in session.plan.contenders], width)
    return left(labels[session.contender(row.trial).label], width)


def _trial(row: TrialRow, session: Session, width: int) -> Text:
    words = trial_name(row.trial, session.plan)
    if len(words) > width and row.trial.kind == "follow_up":
        words = kind_words("follow_up")
    return left(words, width, "" if row.trial.kind == "warm" else "italic")
