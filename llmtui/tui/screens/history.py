"""History: the saved sessions, the newest first; Enter opens one."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import ClassVar

from textual import getters, on
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.content import Content
from textual.widgets import DataTable, Static

from llmtui.tui.background import BackgroundFailed, in_background
from llmtui.tui.host import SessionEntry
from llmtui.tui.screens.base import BaseScreen
from llmtui.tui.widgets.sortable import SortableTable, Value
from llmtui.words import _
from llmtui.words.problems import whole_problem


class SessionTable(SortableTable[Content]):
    """One line per session."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("enter", "select_cursor", _("Open"), id="open_session", tooltip=_("Look at the results")),
        Binding("j", "cursor_down", show=False),
        Binding("k", "cursor_up", show=False),
        Binding("home", "scroll_top", show=False),
        Binding("end", "scroll_bottom", show=False),
    ]
    HELP = _(
        """
        # History
        Every test is kept. **Enter** opens one with all its results. One that was interrupted opens with what it has.
        **,** sorts by the next column, a click on a column's head by that one.
        """
    )

    def __init__(self) -> None:
        super().__init__(cursor_type="row", zebra_stripes=True)
        self._entries: tuple[SessionEntry, ...] = ()

    def show(self, entries: tuple[SessionEntry, ...]) -> None:
        """Show sessions, in their own order where none is chosen: the newest first."""
        self._entries = entries
        self.sort_changed()

    def sortable(self) -> Sequence[tuple[str, bool]]:
        """Return all columns; the newest and the longest come first."""
        return [(key, key in ("when", "tests", "rounds")) for key in _titles()]

    def sort_changed(self) -> None:
        """Show the sessions in the chosen order; the cursor stays in its row."""
        here = self.cursor_row
        entries = self.in_order(self._entries, _sort_value)
        rows = [_cells(entry) for entry in entries]
        self.clear(columns=True)
        for number, (key, title) in enumerate(_titles().items()):
            label = title + self.mark(key)
            # The table measures only Rich's renderables, which know no theme.
            self.add_column(label, width=max(len(label), *(row[number].cell_length for row in rows)), key=key)
        for entry, row in zip(entries, rows, strict=True):
            self.add_row(*row, key=entry.session_id)
        self.move_cursor(row=min(here, len(rows) - 1))


class HistoryScreen(BaseScreen):
    """The saved sessions."""

    PLACE = "history"
    CSS_PATH = "../styles/history.tcss"
    AUTO_FOCUS = "SessionTable"
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("r", "look_again", _("Look again"), id="look_again"),
        Binding("escape", "app.go('setup')", _("Setup"), id="to_setup", show=False),
    ]

    table = getters.query_one(SessionTable)

    def compose_body(self) -> ComposeResult:
        """Yield the table, or words where there is nothing to show."""
        yield Static(_("Reading the sessions …"), id="no-sessions")
        yield SessionTable()

    def on_mount(self) -> None:
        """Do nothing: the list is read when the screen is shown."""
        self._entries: tuple[SessionEntry, ...] = ()
        self.table.display = False

    def on_screen_resume(self) -> None:
        """Read the list again: a session may have ended since."""
        super().on_screen_resume()
        self.action_look_again()

    @in_background("list_sessions")
    def action_look_again(self) -> None:
        """Read the list again."""
        entries = self.shell.host.sessions()
        self.call_later(self._show, entries)

    @on(BackgroundFailed)
    def _failed(self, message: BackgroundFailed) -> None:
        if message.task == "list_sessions":
            self.table.display = False
            self._entries = ()
            empty = self.query_exactly_one("#no-sessions", Static)
            empty.display = True
            empty.update(Content(whole_problem(message.problem)))

    def _show(self, entries: tuple[SessionEntry, ...]) -> None:
        self.table.display = bool(entries)
        empty = self.query_exactly_one("#no-sessions", Static)
        empty.display = not entries
        if not entries:
            empty.update(
                Content.from_markup(
                    f"[b]{_('No sessions yet.')}[/b]\n\n{self._what_to_do()}\n\n[dim]$where[/dim]",
                    where=self.shell.host.results_dir,
                )
            )
            return
        if entries != self._entries:
            self._entries = entries
            self._fill()
        if self.focused is None:
            self.table.focus()

    def _what_to_do(self) -> str:
        kept = _("A test is kept from its first answer on.")
        return kept if self.shell.read_only else f"{kept} {_('F2 goes to Setup.')}"

    def _fill(self) -> None:
        self.table.show(self._entries)

    @on(DataTable.RowSelected)
    def _open(self, event: DataTable.RowSelected) -> None:
        event.stop()
        entry = next(one for one in self._entries if one.session_id == event.row_key.value)
        if entry.problem is not None:
            self.notify(entry.problem, title=_("This session cannot be opened"), severity="error", timeout=10)
        else:
            self.shell.open_session(entry.session_id)


def _titles() -> dict[str, str]:
    return {
        "when": _("When"),
        "tests": _("Trials"),
        "rounds": _("Rounds"),
        "ended": _("Ended"),
        "models": _("Models"),
    }


def _sort_value(entry: SessionEntry, column: str) -> Value:
    values: dict[str, Value] = {
        "when": entry.wall_ns or None,
        "tests": entry.trials or None,
        "rounds": entry.rounds or None,
        "ended": _ending(entry).plain,
        "models": ", ".join(entry.models),
    }
    return values[column]


def _cells(entry: SessionEntry) -> tuple[Content, ...]:
    when = datetime.fromtimestamp(entry.wall_ns / 1e9).astimezone() if entry.wall_ns else None
    return (
        Content("" if when is None else f"{when:%Y-%m-%d %H:%M}"),
        Content(f"{entry.trials or '':>5}"),
        Content(f"{entry.rounds or '':>6}"),
        _ending(entry),
        Content(", ".join(entry.models) or entry.session_id),
    )


def _ending(entry: SessionEntry) -> Content:
    if entry.problem is not None:
        return Content.assemble(("✗ ", "$error"), (_("cannot be read"), "dim"))
    words = {
        "complete": ("✓ ", "$success", _("complete")),
        "cancelled": ("◐ ", "$warning", _("stopped early")),
        "failed": ("✗ ", "$error", _("failed")),
        None: ("◐ ", "$warning", _("interrupted")),
    }
    mark, colour, said = words.get(entry.finished, ("? ", "$warning", str(entry.finished)))
    return Content.assemble((mark, colour), said)
