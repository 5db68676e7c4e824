"""One row a test, the newest last; rows are added as tests end and changed only where a later test tells more."""

from __future__ import annotations

from collections.abc import Callable
from typing import ClassVar, NamedTuple

from rich.cells import cell_len
from rich.text import Text
from textual.binding import Binding, BindingType
from textual.message import Message
from textual.widgets import DataTable
from textual.widgets.data_table import RowKey

from llmtui.core.checks import counts_for_speed
from llmtui.core.metrics import Figures
from llmtui.core.session import Session
from llmtui.core.trial_row import TrialRow
from llmtui.tui._textual_hacks import bound_caches
from llmtui.tui.text.numbers import aligned, left, right
from llmtui.words import _
from llmtui.words.flags import mark
from llmtui.words.outcomes import outcome_word
from llmtui.words.trials import kind_words, test_words

Width = int
"""0: narrow terminals, 1: medium, 2: wide."""
MEDIUM = 110
WIDE = 150
NOTE_MIN = 10
ROWS_KEPT = 150
"""Drawn rows that are remembered: more than any terminal shows. Textual's own sizes hold ten megabytes of rows that
are never seen again."""
CELLS_KEPT = 10 * ROWS_KEPT


class Column(NamedTuple):
    """One column: where it is shown from, its head, its width, and its cell."""

    key: str
    head: Callable[[], str]
    width: int
    cell: Callable[[TrialRow, Session, int], Text]
    least: Width = 0
    wider: int | None = None
    """Its width where there is room."""


class TrialTable(DataTable[Text]):
    """The running table. Enter shows all of a test."""

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
        Binding("enter", "select_cursor", _("Details"), id="trials.details"),
        Binding("home", "scroll_top", show=False),
        Binding("end", "scroll_bottom", show=False),
    ]

    class Opened(Message):
        """A test is to be looked at."""

        def __init__(self, row: TrialRow) -> None:
            self.row = row
            super().__init__()

    def __init__(self, *, id: str | None = None, follows: bool = False) -> None:  # noqa: A002  # Textual's name
        """Makes an empty table.

        Args:
            id: for the style sheet.
            follows: the cursor stays on the newest test while it is there.
        """
        super().__init__(id=id, cursor_type="row", zebra_stripes=False, cell_padding=1)
        bound_caches(self, cells=CELLS_KEPT, rows=ROWS_KEPT)
        self._follows = follows
        self._session: Session | None = None
        self._width: Width = 0
        self._laid_out_for = 0
        self._columns_shown: tuple[Column, ...] = ()
        self._shown: dict[str, TrialRow] = {}
        self.picked: tuple[str, ...] = ()
        """Keys of rows that were picked for the replay, in order."""

    @property
    def trial_row(self) -> TrialRow | None:
        """The test under the cursor."""
        if not self.row_count:
            return None
        return self._shown.get(str(self.coordinate_to_cell_key(self.cursor_coordinate).row_key.value))

    def row_of(self, key: str) -> TrialRow | None:
        """Gives the test with a key."""
        return self._shown.get(key)

    def show_session(self, session: Session) -> None:
        """Takes the newest session: adds what is new, changes what changed, leaves the rest."""
        cells = self.screen.size.width
        if self._session is None or session.session_id != self._session.session_id or cells != self._laid_out_for:
            self._laid_out_for = cells
            self._begin(self._room())
        self._session = session
        following = self._follows and self.cursor_row >= self.row_count - 1
        added = False
        for row in session.rows:
            added |= self._show_row(row, session)
        if added and following:
            self.move_cursor(row=self.row_count - 1, animate=False)

    def pick(self, keys: tuple[str, ...]) -> None:
        """Shows which tests are picked."""
        changed = {*self.picked, *keys}
        self.picked = keys
        for key in changed:
            row = self._shown.pop(key, None)
            if row is not None and self._session is not None:
                self._show_row(row, self._session)

    def _room(self) -> Width:
        width = self.screen.size.width
        return 2 if width >= WIDE else 1 if width >= MEDIUM else 0

    def _begin(self, width: Width) -> None:
        self.clear(columns=True)
        self._shown.clear()
        self._width = width
        self._columns_shown = tuple(column for column in COLUMNS if column.least <= width)
        for column in self._columns_shown:
            label = column.head()
            cells = self._cells(column)
            head = right(label, cells) if column.key in _NUMBERS else left(label, cells)
            self.add_column(head, width=cells, key=column.key)

    def _cells(self, column: Column) -> int:
        """Gives a column's width."""
        width = column.wider if self._width and column.wider is not None else column.width
        if column.key == "mark":
            # What the others leave, so that nothing has to be scrolled sideways where heads are long.
            others = sum(self._cells(other) + 2 for other in self._columns_shown if other.key != "mark")
            return max(min(width, self._laid_out_for - others - 3), NOTE_MIN)
        return max(width, cell_len(column.head()))

    def _show_row(self, row: TrialRow, session: Session) -> bool:
        """Shows a row; gives whether it is a new one."""
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
            return left(f"▸ {session.contender(row.trial).label}", width, "bold")
        return column.cell(row, session, width)

    def on_resize(self) -> None:
        """Other columns may fit."""
        if self._session is not None and self.screen.size.width != self._laid_out_for:
            self.show_session(self._session)

    def on_data_table_row_selected(self, event: DataTable.RowSelected) -> None:
        """Enter or a click."""
        row = self._shown.get(str(event.row_key.value))
        event.stop()
        if row is not None:
            self.post_message(self.Opened(row))


def row_key(row: TrialRow) -> str:
    """Gives a key that tells a repeated attempt from the first."""
    return f"{row.order}:{row.trial.id}"


def mark_words(row: TrialRow) -> str:
    """Gives the one mark of a row: only where it changes what is counted. Everything else stands under Enter."""
    if row.outcome == "ok":
        return mark(row)
    return ("✗ " if row.outcome in ("error", "stalled") else "") + outcome_word(row.outcome, row.ended_by)


def _number(value: Callable[[Figures], float | None], decimals: int, *, warm_only: bool = False) -> Callable[..., Text]:
    def cell(row: TrialRow, session: Session, width: int) -> Text:
        counted = row.outcome == "ok" and (not warm_only or counts_for_speed(row))
        return right(aligned(value(row.figures), decimals), width, "" if counted else "dim")

    return cell


def _model(row: TrialRow, session: Session, width: int) -> Text:
    return left(session.contender(row.trial).label, width)


def _test(row: TrialRow, session: Session, width: int) -> Text:
    words = test_words(row.trial, session.plan)
    if len(words) > width and row.trial.kind == "follow_up":
        words = kind_words("follow_up")
    return left(words, width, "" if row.trial.kind == "warm" else "italic")


def _memory(row: TrialRow, session: Session, width: int) -> Text:
    held = None if row.machine is None else row.machine.runner_peak_bytes
    return right(aligned(None if held is None else held / 1e9, 2), width)


def _thousandth(value: float | None) -> float | None:
    return None if value is None else value / 1000


_NUMBERS = {"order", "ttft", "tps", "cps", "e2e", "memory"}
COLUMNS = (
    Column("order", lambda: "#", 3, lambda row, _session, width: right(str(row.order), width, "dim"), 1),
    Column("model", lambda: _("Model"), 14, _model, wider=20),
    Column("test", lambda: _("Test"), 14, _test, wider=21),
    Column("ttft", lambda: _("First word s"), 12, _number(lambda figures: _thousandth(figures.ttft_ms), 3)),
    Column("tps", lambda: _("Speed tok/s"), 11, _number(lambda figures: figures.decode_tps, 2, warm_only=True)),
    Column("cps", lambda: _("Text chars/s"), 12, _number(lambda figures: figures.decode_cps, 1, warm_only=True), 1),
    Column("e2e", lambda: _("Whole s"), 8, _number(lambda figures: _thousandth(figures.e2e_ms), 2), 2),
    Column("memory", lambda: _("Memory GB"), 9, _memory, 2),
    Column("mark", lambda: _("Note"), 17, lambda row, _session, width: left(mark_words(row), width, "bold")),
)
